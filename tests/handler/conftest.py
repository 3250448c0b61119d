"""What every test of the step handler needs: one run of a pipeline, driven attempt by attempt, and what it leaves."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate.events import AnyEvent, kind_of
from solidstate.handler.end import close
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.handler.start import begin
from solidstate.handler.step import run_step
from solidstate.infra.inline import InlineInvocation
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.contract import StepDigest, StepPayload
from solidstate.storage import keys
from solidstate.storage.commits import Commit, decode_commit
from solidstate.storage.files import open_memory
from solidstate.storage.history import step_events
from solidstate.storage.memory import MemoryStore
from solidstate.storage.records import RunSummary
from solidstate.storage.store import ObjectStore


class Bench:
    """One run, its id `run-1` unless given. Steps run only when they are called, as often as they are called."""

    def __init__(
        self,
        definition: PipelineDefinition,
        request: dict[str, Any] | None = None,
        *,
        store: ObjectStore | None = None,
        run: str = "run-1",
        workers: int = 1,
    ) -> None:
        self.loaded = LoadedPipeline(definition, build_plan(definition))
        self.store: ObjectStore = store if store is not None else MemoryStore()
        self.lines: list[tuple[str, str, dict[str, Any]]] = []
        self.who: list[dict[str, Any]] = []
        self.seen: list[AnyEvent] = []
        self.runtime = Runtime(
            [self.loaded],
            self.store,
            engine="test",
            open_fs=open_memory,
            observer=self.seen.append,
            log_sink=self._sink,
            fetch_workers=workers,
        )
        self.run = begin(self.runtime, self.loaded, request or {}, run, f"arn:{run}")

    def _sink(self, fields: dict[str, Any]) -> Any:
        def write(level: str, message: str, facts: dict[str, Any]) -> None:
            self.lines.append((level, message, facts))
            self.who.append(fields)

        return write

    def step(self, name: str, retry: int = 0, timeout_s: float = 900) -> StepDigest:
        """One attempt; raises what it raises."""
        payload = StepPayload(name, self.run, retry)
        return run_step(self.runtime, payload, InlineInvocation(timeout_s))

    def fails(self, name: str, retry: int = 0) -> AttemptFailed:
        """One attempt that has to fail, and how it does."""
        with pytest.raises(AttemptFailed) as caught:
            self.step(name, retry)
        return caught.value

    def all(self) -> Bench:
        """One attempt of every step in plan order, whatever becomes of it."""
        for step in self.loaded.plan.steps:
            try:
                self.step(step.name)
            except AttemptFailed:
                continue
        return self

    def close(self) -> RunSummary:
        """End the run."""
        return close(self.runtime, self.loaded, self.run)

    def commit(self, name: str) -> Commit:
        """The commit of a step."""
        key = self.key(name)
        return decode_commit(self.store.get(key), key)

    def key(self, name: str) -> str:
        """Where the commit of a step is."""
        return keys.commit(self.loaded.definition.name, name, self.run.id)

    def events(self, name: str) -> list[AnyEvent]:
        """Everything a step has left."""
        return step_events(self.store, self.loaded.definition.name, name, self.run.id)

    def kinds(self, name: str) -> list[str]:
        """The kinds of these events."""
        return [kind_of(event) for event in self.events(name)]


@pytest.fixture
def bench() -> type[Bench]:
    """The class: `bench(pipeline, request)` begins a run."""
    return Bench
