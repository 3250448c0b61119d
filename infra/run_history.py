"""What the commands ask of a history of runs, wherever it is; and the answer of this machine's own."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from solidstate.errors import IntermediateError
from solidstate.handler.recorder import Observer
from solidstate.infra.home import Home
from solidstate.infra.reconciling import Repair, lacking, repair
from solidstate.infra.run_facts import RunFacts
from solidstate.infra.unended import follow_local, unended_facts
from solidstate.storage.history import events_of, find_run, list_runs, record_of, run_ids, step_names, summary_of
from solidstate.storage.records import RunSummary
from solidstate.storage.store import ObjectStore


class Listing(msgspec.Struct, frozen=True):
    """Runs, newest first. ``older`` counts those left out, None when there are some and nobody has counted them;
    ``pipelines`` are those that have runs, as far as that is known."""

    runs: list[RunSummary]
    older: int | None = 0
    pipelines: list[str] = []


class RunHistory(Protocol):
    """Runs that are on record. Raises RunNotFound, and StorageError for what cannot be read."""

    @property
    def local(self) -> bool:
        """Whether it is this machine's."""
        ...

    @property
    def place(self) -> str:
        """Where that is, for a sentence."""
        ...

    @property
    def options(self) -> str:
        """How a suggested command gets there."""
        ...

    def latest(self, pipeline: str | None, limit: int) -> Listing:
        """The newest runs."""
        ...

    def find(self, wanted: str) -> RunSummary:
        """The run of that id, or of the only id that begins with it; ``last`` is the newest."""
        ...

    def facts(self, run: RunSummary) -> RunFacts:
        """All that is known of a run that was found."""
        ...

    def follow(self, run: RunSummary, observer: Observer) -> None:
        """Tell what happens in a run until it has ended, from its begin on; an event may be told more than once."""
        ...

    @property
    def store(self) -> ObjectStore:
        """Where its objects are."""
        ...

    def every(self, pipeline: str | None) -> Iterator[RunSummary]:
        """All runs with a record, as they stand; those that cannot be read are left out."""
        ...

    def lacking(self, pipeline: str | None) -> Iterator[RunSummary]:
        """Runs of which an end may be missing, as they stand."""
        ...

    def repair(self, run: RunSummary, *, dry_run: bool) -> Repair | None:
        """Put on record how a run ended that was found; None when nothing is missing, or it goes on."""
        ...

    def request(self, run: RunSummary) -> dict[str, Any]:
        """The run request as it was validated, its preset merged in."""
        ...

    def steps(self, run: RunSummary) -> list[str]:
        """The names of its steps."""
        ...


class LocalHistory:
    """The runs of this machine, in its home."""

    def __init__(self, home: Home, option: str | None = None) -> None:
        self._home = home
        self._store = home.store
        self._option = option

    local = True

    @property
    def place(self) -> str:
        return str(self._home.root)

    @property
    def options(self) -> str:
        return f" --home {shlex.quote(self._option)}" if self._option else ""

    def latest(self, pipeline: str | None, limit: int) -> Listing:
        every = [self._standing(run) for run in list_runs(self._store)]
        found = [run for run in every if pipeline in (None, run.pipeline)]
        names = list(dict.fromkeys(run.pipeline for run in every))
        return Listing(found[:limit], max(0, len(found) - limit), names)

    def find(self, wanted: str) -> RunSummary:
        return self._standing(find_run(self._store, wanted))

    def _standing(self, run: RunSummary) -> RunSummary:
        """A run that has no end on record goes on only as long as its process."""
        if run.status == "running" and not self._home.is_running(run.run):
            return msgspec.structs.replace(run, status="interrupted")
        return run

    def facts(self, run: RunSummary) -> RunFacts:
        events = list(events_of(self._store, run))
        if run.steps or run.status not in ("running", "interrupted"):
            return RunFacts(run, events)
        return unended_facts(self._store, run, events)

    def follow(self, run: RunSummary, observer: Observer) -> None:
        follow_local(lambda: self.facts(self.find(run.run)), observer)

    @property
    def store(self) -> ObjectStore:
        return self._store

    def every(self, pipeline: str | None) -> Iterator[RunSummary]:
        for owner, run in run_ids(self._store, pipeline):
            with contextlib.suppress(IntermediateError):
                yield self._standing(summary_of(self._store, owner, run))

    def lacking(self, pipeline: str | None) -> Iterator[RunSummary]:
        for owner, run in lacking(self._store, pipeline):
            yield self._standing(summary_of(self._store, owner, run))

    def repair(self, run: RunSummary, *, dry_run: bool) -> Repair | None:
        return repair(self._store, self.facts(run), dry_run=dry_run)

    def request(self, run: RunSummary) -> dict[str, Any]:
        return record_of(self._store, run.pipeline, run.run).request

    def steps(self, run: RunSummary) -> list[str]:
        return step_names(self._store, run.pipeline, run.plan)
