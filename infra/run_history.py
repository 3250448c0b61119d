"""What the commands ask of a history of runs, wherever it is; and the answer of this machine's own."""

from __future__ import annotations

import shlex
from typing import Any, Protocol

import msgspec

from solidstate.errors import MissingObject
from solidstate.events import AnyEvent
from solidstate.handler.end import summarise_step
from solidstate.infra.home import Home
from solidstate.infra.run_facts import RunFacts
from solidstate.planner.plan import decode_plan
from solidstate.storage import keys
from solidstate.storage.history import events_of, find_run, list_runs, record_of, step_names
from solidstate.storage.records import RunSummary


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
        every = list_runs(self._store)
        found = [run for run in every if pipeline in (None, run.pipeline)]
        names = list(dict.fromkeys(run.pipeline for run in every))
        return Listing(found[:limit], max(0, len(found) - limit), names)

    def find(self, wanted: str) -> RunSummary:
        return find_run(self._store, wanted)

    def facts(self, run: RunSummary) -> RunFacts:
        events = list(events_of(self._store, run))
        return RunFacts(self._so_far(run, events) if run.status == "running" else run, events)

    def request(self, run: RunSummary) -> dict[str, Any]:
        return record_of(self._store, run.pipeline, run.run).request

    def steps(self, run: RunSummary) -> list[str]:
        return step_names(self._store, run.pipeline, run.plan)

    def _so_far(self, run: RunSummary, events: list[AnyEvent]) -> RunSummary:
        """A run that has no summary yet, or never will: its steps as far as their events tell."""
        try:
            plan = decode_plan(self._store.get(keys.plan(run.pipeline, run.plan)))
        except (MissingObject, msgspec.MsgspecError):  # a plan of another version; the events still say something
            return run
        by_step: dict[str, list[AnyEvent]] = {}
        for event in events:
            by_step.setdefault(event.step, []).append(event)
        steps = [summarise_step(step, by_step.get(step.name, [])) for step in plan.steps]
        return msgspec.structs.replace(run, steps=steps)
