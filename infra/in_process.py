"""``execute_pipeline`` and ``execute_solid``: run in this process, keep everything in memory, look at the results."""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from solidstate.composites import CompositeDefinition
from solidstate.events import AnyEvent
from solidstate.handler.hushing import tellable
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.recorder import Observer
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.handler.upstream import base
from solidstate.infra.inline import run_attempts, run_inline
from solidstate.infra.iteration import PipelineIterator
from solidstate.infra.results import PipelineResult, SolidResult
from solidstate.pipeline import PipelineDefinition, pipeline_around
from solidstate.planner.build import build_plan
from solidstate.planner.plan import ExecutionPlan
from solidstate.resources import Mode
from solidstate.solid import OutputDefinition, SolidDefinition
from solidstate.storage.files import open_memory
from solidstate.storage.memory import MemoryStore
from solidstate.storage.records import RunSummary
from solidstate.storage.remembered import Remembered


def execute_pipeline(
    pipeline: PipelineDefinition,
    request: Mapping[str, Any] | None = None,
    *,
    run_id: str | None = None,
    raise_on_error: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> PipelineResult:
    """Run a pipeline in this process with the inline engine, everything kept in memory.

    ``request`` is a run request. Raises RequestErrors when it is not valid, and PipelineFailed when a step failed,
    unless ``raise_on_error`` is off. ``sleep(seconds)`` is called for the pauses between attempts: a test that does not
    want to wait hands over one that only takes notes.
    """
    run = _Run(pipeline, sleep)
    summary = run_inline(run.runtime, run.loaded, request, run_id or uuid.uuid4().hex, on_failure=run.remember)
    result = run.finish(summary)
    return result.raise_on_error() if raise_on_error else result


def execute_pipeline_iterator(
    pipeline: PipelineDefinition,
    request: Mapping[str, Any] | None = None,
    *,
    run_id: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> PipelineIterator:
    """As :func:`execute_pipeline`, one attempt of a step at a time: iterate over the result to get its events while it
    runs; then ask it for ``result``. Raises RequestErrors at once; a step that fails raises nothing."""
    pending: deque[AnyEvent] = deque()
    run = _Run(pipeline, sleep, pending.append)
    attempts = run_attempts(run.runtime, run.loaded, request, run_id or uuid.uuid4().hex, on_failure=run.remember)
    next(attempts)
    return PipelineIterator(attempts, pending, run.finish)


_plans: WeakKeyDictionary[PipelineDefinition, ExecutionPlan] = WeakKeyDictionary()
"""A definition never changes, so one that is run again and again, as tests do, is planned once."""


class _Run:
    """What one run in memory is made of, and the exceptions of its steps."""

    def __init__(
        self, pipeline: PipelineDefinition, sleep: Callable[[float], None], observer: Observer | None = None
    ) -> None:
        plan = _plans.get(pipeline)
        if plan is None:
            plan = _plans[pipeline] = build_plan(pipeline)
        self.loaded = LoadedPipeline(pipeline, plan)
        self.store = MemoryStore()
        self.runtime = Runtime(
            [self.loaded],
            self.store,
            engine="inline",
            open_fs=open_memory_once(),
            observer=observer,
            fetch_workers=1,
            sleep=sleep,
            remembered=Remembered(),
        )
        self._causes: dict[str, BaseException | None] = {}

    def remember(self, failed: AttemptFailed) -> None:
        # Of a mapped step's items the first one's exception is the step's.
        name = base(failed.step)
        if name != failed.step and name in self._causes:
            return
        self._causes[name] = tellable(failed.__cause__, type(failed)(failed.error, failed.step))

    def finish(self, summary: RunSummary) -> PipelineResult:
        return PipelineResult(self.loaded, self.store, summary, self._causes)


def execute_solid(
    solid: SolidDefinition | CompositeDefinition,
    *,
    inputs: Mapping[str, Any] | None = None,
    config: Any = None,
    solids: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    raise_on_error: bool = True,
) -> SolidResult:
    """Run one solid or composite by itself. ``inputs`` are plain values, ``resources`` resource definitions or plain
    values, ``config`` a mapping or an instance of the solid's config type; ``solids`` is what a run request says of the
    solids inside a composite."""
    given = dict(inputs or {})
    taken = {solid.name}
    sources: dict[str, SolidDefinition] = {}
    for name, value in given.items():
        sources[name] = _given(solid, name, value, taken)
        taken.add(sources[name].name)
    modes = [Mode("default", resources=resources)]
    pipeline = pipeline_around(f"only_{solid.name}"[:80], solid, sources, modes)
    plain = msgspec.to_builtins(config) if isinstance(config, msgspec.Struct) else config
    entry = {key: part for key, part in (("config", plain), ("solids", solids)) if part is not None}
    request = {"solids": {solid.name: entry}} if entry else {}
    result = execute_pipeline(pipeline, request, raise_on_error=raise_on_error)
    return result.result_for_solid(solid.name)


def _given(solid: SolidDefinition | CompositeDefinition, inp: str, value: Any, taken: set[str]) -> SolidDefinition:
    """A solid whose output is the value, under a name that is free."""
    known = {definition.name: definition for definition in solid.inputs}
    edge = known[inp].type if inp in known else None
    outputs: Sequence[OutputDefinition] = [OutputDefinition("result", edge)] if edge else []
    name = f"given_{inp}"
    while name in taken:
        name += "_"
    return SolidDefinition(name=name, fn=lambda: value, inputs=(), outputs=tuple(outputs))


def open_memory_once() -> Any:
    """One memory file system for all steps of a run, made when the first asks for it."""
    opened: list[Any] = []

    def open_fs() -> Any:
        if not opened:
            opened.append(open_memory())
        return opened[0]

    return open_fs
