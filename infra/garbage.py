"""What is in the way and of no use any more: data that no commit refers to, parts of events that were merged, and, when
asked for, whole runs of long ago.

Only runs that have ended are looked at, a day after their end: a function that runs on when its run was stopped may
still write. A run that another one takes results from is kept as long as that one is. One run is looked at after the
other and step by step, so that what is held at a time are the ids of the runs and the keys of one step in one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from solidstate.errors import IntermediateError, MissingObject
from solidstate.handler.committed import read_commit
from solidstate.infra.run_history import RunHistory
from solidstate.storage import keys
from solidstate.storage.history import record_of, step_names
from solidstate.storage.records import RunSummary
from solidstate.storage.store import ObjectInfo, ObjectStore

GRACE_S = 24 * 3600.0
"""How long a run has to be over before anything of it is removed: many times what a function may take."""

Kind = Literal["orphaned attempts", "expired run"]


class Garbage(msgspec.Struct, frozen=True):
    """What can be removed of a run: ``objects`` of ``size`` bytes together. ``ended_at`` in seconds since 1970."""

    kind: Kind
    run: str
    pipeline: str
    ended_at: float
    objects: int
    size: int


class Swept(msgspec.Struct):
    """``kept_for`` are the expired runs that are kept, each with a run that takes results from it; ``unread`` those
    whose plan or records cannot be read, of which nothing is removed."""

    found: list[Garbage] = []
    kept_for: dict[str, str] = {}
    unread: list[str] = []


def sweep(
    history: RunHistory, now: float, *, pipeline: str | None = None, older_than_s: float | None = None, delete: bool
) -> Swept:
    """Find, and with ``delete`` remove: what attempts without a result left of every run that has ended, and, with
    ``older_than_s``, all that there is of runs whose end is longer ago."""
    swept = Swept()
    runs = list(_runs(history, pipeline, swept))
    expired = {(run.pipeline, run.run) for run in runs if _expired(run, now, older_than_s)}
    needed = _needed(runs, expired)
    for run in runs:
        identity = run.pipeline, run.run
        if run.status == "running" or run.ended_at > now - GRACE_S:
            continue
        if identity in expired and identity not in needed:
            kind: Kind = "expired run"
        else:
            kind = "orphaned attempts"
            if identity in expired:
                swept.kept_for[run.run] = needed[identity]
        if delete and run.status != "success" and history.find(run.run).status == "running":
            continue  # it was taken up again since this sweep began
        try:
            found = _everything(history.store, run) if kind == "expired run" else _orphans(history.store, run)
            count, size = _removed(history.store, found, delete=delete)
        except (MissingObject, IntermediateError):
            swept.unread.append(run.run)
            continue
        if count:
            swept.found.append(Garbage(kind, run.run, run.pipeline, run.ended_at, count, size))
    return swept


class _Run(msgspec.Struct, frozen=True):
    """The little that is held of every run."""

    run: str
    pipeline: str
    plan: str
    status: str
    ended_at: float
    from_run: str


def _runs(history: RunHistory, pipeline: str | None, swept: Swept) -> Iterator[_Run]:
    for summary in history.every(pipeline):
        try:
            earlier = record_of(history.store, summary.pipeline, summary.run).request.get("from_run") or ""
        except (MissingObject, IntermediateError):
            swept.unread.append(summary.run)
            continue
        yield _Run(summary.run, summary.pipeline, summary.plan, summary.status, _end_of(summary), earlier)


def _end_of(summary: RunSummary) -> float:
    """Of a run without an end on record that is its begin and the time until now, so it is never old: its begin."""
    return summary.started_at + (summary.duration_s if summary.steps else 0.0)


def _expired(run: _Run, now: float, older_than_s: float | None) -> bool:
    return older_than_s is not None and run.status != "running" and run.ended_at < now - max(older_than_s, GRACE_S)


def _needed(runs: list[_Run], expired: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The runs that others take results from, each with one of them that stays."""
    needed: dict[tuple[str, str], str] = {}
    earlier = {(run.pipeline, run.run): (run.pipeline, run.from_run) for run in runs if run.from_run}
    todo = [(run.pipeline, run.run) for run in runs if (run.pipeline, run.run) not in expired]
    while todo:
        identity = todo.pop()
        source = earlier.get(identity)
        if source is not None and source not in needed:
            needed[source] = identity[1]
            todo.append(source)
    return needed


def _removed(store: ObjectStore, found: Iterator[ObjectInfo], *, delete: bool) -> tuple[int, int]:
    count = size = 0
    for info in found:
        if delete:
            store.delete(info.key)
        count += 1
        size += info.size
    return count, size


def _orphans(store: ObjectStore, run: _Run) -> Iterator[ObjectInfo]:
    merged = store.exists(keys.run_events(run.pipeline, run.run))
    for step in step_names(store, run.pipeline, run.plan):
        yield from _unreferenced(store, run, step)
        if merged:  # until then they are the only trace of an attempt that was killed
            for info in _of_step(store, "attempts", run, step):
                if keys.attempt_in(info.key)[1]:
                    yield info


def _unreferenced(store: ObjectStore, run: _Run, step: str) -> Iterator[ObjectInfo]:
    """Data of attempts that are not the one that committed, and that no commit refers to."""
    whose: str | None = None
    kept: set[str] = set()
    ours = ""
    for info in _of_step(store, "data", run, step):
        item, attempt = keys.item_of_data(info.key), keys.attempt_of_data(info.key)
        if attempt is None:  # lists of items: of the run, not of an attempt
            continue
        if whose != item:
            whose = item
            commit = read_commit(store, run.pipeline, step, run.run, item)
            ours = commit.attempt_id if commit is not None else ""
            kept = {out.key for out in commit.outputs if out.key is not None} if commit is not None else set()
        if attempt != ours and info.key not in kept:
            yield info


def _of_step(store: ObjectStore, kind: str, run: _Run, step: str) -> Iterator[ObjectInfo]:
    for prefix in keys.of_run(kind, run.pipeline, step, run.run):
        # Whole: what is removed meanwhile must not make a listing skip anything.
        yield from [info for info in store.list(prefix) if keys.run_of(info.key) == run.run]


def _everything(store: ObjectStore, run: _Run) -> Iterator[ObjectInfo]:
    """What steps have left, and last the record, so that a sweep that is broken off is gone on with next time."""
    for step in step_names(store, run.pipeline, run.plan):
        for kind in keys.OF_STEPS:
            yield from _of_step(store, kind, run, step)
    record = keys.run_record(run.pipeline, run.run)
    last: list[ObjectInfo] = []
    for info in store.list(keys.run_prefix(run.pipeline, run.run)):
        if info.key == record:
            last.append(info)
        else:
            yield info
    yield from last
