"""The read model: runs, steps and events as they can be read back from a store, finished or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from solidstate.errors import ForeignCommit, IntermediateError, MissingObject, RunNotFound, closest, short
from solidstate.events import AnyEvent, EngineEvent, StorageRetry
from solidstate.storage import keys
from solidstate.storage.attempts import Left, attempts_left, decoded, is_gap
from solidstate.storage.commits import decode_commit, decode_commit_events, events_begin, header_end
from solidstate.storage.records import (
    RunRecord,
    RunSummary,
    decode_run_record,
    decode_run_summary,
)
from solidstate.storage.remembered import Remembered
from solidstate.storage.store import ObjectStore

R = TypeVar("R", RunRecord, RunSummary)


class _PlanStep(msgspec.Struct):
    name: str
    solid: str = ""
    map_over: Any = None


class _PlanSteps(msgspec.Struct):
    """The part of a stored plan that history needs."""

    steps: list[_PlanStep]


def run_ids(store: ObjectStore, pipeline: str | None = None) -> list[tuple[str, str]]:
    """(pipeline, run) of every run on record."""
    found = (keys.parse_run_record(info.key) for info in store.list(keys.runs_prefix(pipeline)))
    return [pair for pair in found if pair is not None]


def list_runs(store: ObjectStore, pipeline: str | None = None) -> list[RunSummary]:
    """Every run, newest first. A run without a summary has status ``running``, one whose records cannot be read
    ``interrupted``: a single damaged object must not hide all others."""
    runs = [_readable(store, *pair) for pair in run_ids(store, pipeline)]
    return sorted(runs, key=lambda run: (run.started_at, run.run), reverse=True)


def _readable(store: ObjectStore, pipeline: str, run: str) -> RunSummary:
    try:
        return summary_of(store, pipeline, run)
    except IntermediateError as error:
        return RunSummary(
            run=run,
            pipeline=pipeline,
            plan="",
            mode="",
            status="interrupted",
            started_at=0.0,
            duration_s=0.0,
            message=error.problem,
        )


def find_run(store: ObjectStore, wanted: str, pipeline: str | None = None) -> RunSummary:
    """The run of that id, or of the only id that begins with it; ``last`` is the newest. Raises RunNotFound."""
    known = run_ids(store, pipeline)
    if wanted == "last":
        runs = list_runs(store, pipeline)
        if runs:
            return runs[0]
        raise RunNotFound("No run is on record.", subject=wanted, hint="start one with `solidstate run TARGET`")
    exact = [pair for pair in known if pair[1] == wanted]
    matches = exact or [pair for pair in known if pair[1].startswith(wanted)]
    if len(matches) == 1:
        return summary_of(store, *matches[0])
    if matches:
        names = ", ".join(f"`{run}` ({owner})" for owner, run in matches[:5])
        raise RunNotFound(
            f"{len(matches)} runs begin with `{wanted}`: {names}.", subject=wanted, hint="write more of the id"
        )
    near = closest(wanted, [run for _, run in known])
    raise RunNotFound(
        f"There is no run `{wanted}`.",
        subject=wanted,
        hint=f"did you mean `{near}`?" if near else "list the runs with `solidstate runs`",
    )


def summary_of(store: ObjectStore, pipeline: str, run: str) -> RunSummary:
    """A run's summary; made from its record while it has none."""
    stored = stored_summary(store, pipeline, run)
    if stored is not None:
        return stored
    record = record_of(store, pipeline, run)
    return RunSummary(
        run=record.run,
        pipeline=record.pipeline,
        plan=record.plan,
        mode=record.mode,
        status="running",
        started_at=record.started_at,
        duration_s=round(max(0.0, time.time() - record.started_at), 3),
        preset=record.preset,
        tags=record.tags,
        execution=record.execution,
        engine=record.engine,
    )


def stored_summary(store: ObjectStore, pipeline: str, run: str) -> RunSummary | None:
    """The summary that is on record; None when there is none."""
    key = keys.run_summary(pipeline, run)
    try:
        return _own(decode_run_summary(store.get(key), key), key, pipeline, run)
    except MissingObject:
        return None


def record_of(store: ObjectStore, pipeline: str, run: str) -> RunRecord:
    key = keys.run_record(pipeline, run)
    return _own(decode_run_record(store.get(key), key), key, pipeline, run)


def _own(found: R, key: str, pipeline: str, run: str) -> R:
    """What was read, when it is of the run that its key names: paths and further keys are made of what it says."""
    if (found.pipeline, found.run) != (pipeline, run):
        raise IntermediateError(
            f"The object `{key}` tells of run `{short(found.run)}` of pipeline `{short(found.pipeline)}`.",
            subject=key,
            hint="something else wrote there; restore the object's earlier version",
        )
    return found


def step_names(store: ObjectStore, pipeline: str, plan_hash: str) -> list[str]:
    """The steps of a recorded plan, in plan order."""
    return [step.name for step in _plan_steps(store, pipeline, plan_hash)]


def _plan_steps(store: ObjectStore, pipeline: str, plan_hash: str) -> list[_PlanStep]:
    key = keys.plan(pipeline, plan_hash)
    try:
        return msgspec.json.decode(store.get(key), type=_PlanSteps).steps
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntermediateError(f"The object `{key}` is not a plan: {error}.", subject=key) from error


def events_of(store: ObjectStore, run: RunSummary) -> Iterator[AnyEvent]:
    """All events of a run in order: by plan, then attempt, then sequence. Works while it is still running."""
    key = keys.run_events(run.pipeline, run.run)
    try:
        body = store.get(key)
    except MissingObject:
        for step in _plan_steps(store, run.pipeline, run.plan):
            for item in [""] if step.map_over is None else items_so_far(store, run.pipeline, step.name, run.run):
                yield from step_events(store, run.pipeline, step.name, run.run, item=item)
        return
    yield from decoded(body, key)


def items_so_far(store: ObjectStore, pipeline: str, step: str, run: str) -> list[str]:
    """The items of which a mapped step has left anything, by key."""
    prefixes = (keys.commits_prefix(pipeline, step, run), keys.all_attempts_prefix(pipeline, step, run))
    found = (keys.item_in(info.key) for prefix in prefixes for info in store.list(prefix))
    return sorted({item for item in found if item is not None})


def step_events(
    store: ObjectStore, pipeline: str, step: str, run: str, *, thorough: bool = True, item: str = ""
) -> list[AnyEvent]:
    """Of what :func:`step_left` finds, the events."""
    found = step_left(store, pipeline, step, run, thorough=thorough, item=item)
    return [event for left in found for event in left.events]


def step_left(
    store: ObjectStore,
    pipeline: str,
    step: str,
    run: str,
    *,
    thorough: bool = True,
    item: str = "",
    remembered: Remembered | None = None,
) -> list[Left]:
    """What one step (or one ``item`` of a mapped one) has left so far: attempts without a result by number, then the
    one that committed, then what came of its commit.

    Not ``thorough`` spares the listing where a first attempt has committed: nothing but its own duplicates and those
    who adopted its result can be beside it.
    """
    key = keys.commit(pipeline, step, run, item)
    known = remembered.events(store, key) if remembered is not None else None
    committed = _committed(store, key) if known is None else _known(*known)
    if committed is not None and not thorough and committed.events[0].attempt <= 1:
        return [committed]
    whose = _attempt_of(committed.events[0]) if committed is not None else ""
    lost = attempts_left(store, pipeline, step, run, item, committed=whose)
    # A first attempt that was believed to be dead may commit while a second one runs: the result has the last word.
    # Attempts of one number are duplicates, or follow a redrive, which counts from one again. Of those, and of those
    # only, the clock must tell which was first.
    order = [
        (_rank(left, committed), left.events[0].attempt, left.events[0].time, left)
        for left in (*lost, *([committed] if committed else []))
        if left.events
    ]
    return [left for *_, left in sorted(order, key=lambda group: group[:3])]


def _committed(store: ObjectStore, key: str) -> Left | None:
    """What the attempt that committed has left; None when there is none, or it has no events."""
    try:
        body = store.get(key)
    except MissingObject:
        return None
    _check_own(body, key)
    events = decode_commit_events(body, key)
    # What stands before them may be large values, so it is not kept.
    return Left(events, body[events_begin(body) :], final=True) if events else None


def _known(body: bytes, events: list[AnyEvent]) -> Left:
    return Left(events, body, events_begin(body), final=True)


def _check_own(body: bytes, key: str) -> None:
    """Whether the object is a commit, and the one that its key says: nobody could read its outputs otherwise. Raises
    UnreadableCommit, ForeignCommit."""
    made = decode_commit(body[: header_end(body)], key, header=True)
    if keys.commit(made.pipeline, made.step, made.run, made.item) != key:
        item = f"[{made.item}]" if made.item else ""
        raise ForeignCommit(
            f"The object `{key}` holds the commit of step `{made.step}{item}` of run `{made.run}` of "
            f"`{made.pipeline}`.",
            subject=made.step,
            path=key,
            hint="it was copied there; restore the object's earlier version, or run the step again in a new run",
        )


def _attempt_of(event: AnyEvent) -> str:
    return keys.attempt_id(event.attempt, event.request)


def _rank(left: Left, committed: Left | None) -> int:
    """Attempts without a result, then the one that committed, then what followed its commit: its hooks, and attempts
    that began by adopting it."""
    if left is committed:
        return 1
    first = next((event for event in left.events if not isinstance(event, StorageRetry)), left.events[0])
    return 2 if left.events[0].seq > 1 or (isinstance(first, EngineEvent) and not is_gap(first)) else 0
