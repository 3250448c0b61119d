"""``execute_pipeline`` and ``execute_solid``: run in this process, keep everything in memory, look at the results."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from solidstate.errors import SolidstateError, name_list
from solidstate.events import AnyEvent, ErrorInfo, StepExpectation, StepMaterialization
from solidstate.handler.inputs import decoded_output
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.inline import run_inline
from solidstate.pipeline import PipelineDefinition, pipeline_from_dependencies
from solidstate.planner.build import build_plan
from solidstate.planner.plan import OutputRef
from solidstate.resources import Mode
from solidstate.solid import OutputDefinition, SolidDefinition
from solidstate.storage import keys
from solidstate.storage.commits import decode_commit
from solidstate.storage.files import open_memory
from solidstate.storage.history import events_of
from solidstate.storage.memory import MemoryStore
from solidstate.storage.records import RunSummary, StepSummary
from solidstate.storage.store import ObjectStore


class PipelineFailed(SolidstateError):
    """``execute_pipeline``: at least one step failed. ``result`` has everything that was done; the cause is the first
    failed step's own exception."""

    def __init__(self, result: PipelineResult) -> None:
        super().__init__(result.summary.message, subject=result.summary.pipeline)
        self.result = result


class PipelineResult:
    """A finished run: its summary, its events, its outputs by step."""

    def __init__(self, loaded: LoadedPipeline, store: ObjectStore, summary: RunSummary) -> None:
        self._loaded = loaded
        self._store = store
        self.summary = summary

    @property
    def success(self) -> bool:
        return self.summary.status == "success"

    @property
    def run_id(self) -> str:
        return self.summary.run

    @property
    def events(self) -> list[AnyEvent]:
        return list(events_of(self._store, self.summary))

    def result_for_solid(self, step: str) -> SolidResult:
        """What one step did; raises SolidstateError for a step the pipeline does not have."""
        found = next((s for s in self.summary.steps if s.step == step), None)
        if found is None:
            known = name_list([s.step for s in self.summary.steps])
            raise SolidstateError(f"There is no step `{step}`; steps: {known}.", subject=step)
        return SolidResult(self, found)

    def output(self, step: str, name: str = "result") -> Any:
        """The value of an output, decoded anew at each call. Raises SolidstateError when the step did not yield it."""
        return self.result_for_solid(step).output(name)

    def _load(self, step: str, name: str) -> Any:
        pipeline = self._loaded.definition.name
        key = keys.commit(pipeline, step, self.run_id)
        stored = decode_commit(self._store.get(key), key).output(name) if self._store.exists(key) else None
        if stored is None:
            raise SolidstateError(f"`{step}` has no output `{name}` in this run.", subject=step)
        return decoded_output(self._loaded, OutputRef(step, name), stored, self._store, "the result")


class SolidResult:
    """One step of a finished run."""

    def __init__(self, run: PipelineResult, summary: StepSummary) -> None:
        self._run = run
        self.summary = summary

    @property
    def success(self) -> bool:
        return self.summary.status == "success"

    @property
    def skipped(self) -> bool:
        return self.summary.status == "skipped"

    @property
    def error(self) -> ErrorInfo | None:
        return self.summary.error

    @property
    def events(self) -> list[AnyEvent]:
        return [event for event in self._run.events if event.step == self.summary.step]

    @property
    def materializations(self) -> list[StepMaterialization]:
        return [event for event in self.events if isinstance(event, StepMaterialization)]

    @property
    def expectations(self) -> list[StepExpectation]:
        return [event for event in self.events if isinstance(event, StepExpectation)]

    def output(self, name: str = "result") -> Any:
        return self._run._load(self.summary.step, name)  # noqa: SLF001 - two faces of one result

    @property
    def outputs(self) -> dict[str, Any]:
        """All outputs that were yielded."""
        return {name: self.output(name) for name in self.summary.outputs}


def execute_pipeline(
    pipeline: PipelineDefinition,
    request: Mapping[str, Any] | None = None,
    *,
    run_id: str | None = None,
    raise_on_error: bool = True,
) -> PipelineResult:
    """Run a pipeline in this process with the inline engine, everything kept in memory.

    ``request`` is a run request. Raises RequestErrors when it is not valid, and PipelineFailed when a step failed,
    unless ``raise_on_error`` is off.
    """
    loaded = LoadedPipeline(pipeline, build_plan(pipeline))
    store = MemoryStore()
    files = open_memory_once()
    runtime = Runtime([loaded], store, engine="inline", open_fs=files, fetch_workers=1)
    causes: dict[str, BaseException | None] = {}

    def remember(failed: AttemptFailed) -> None:
        causes[failed.step] = failed.__cause__

    summary = run_inline(runtime, loaded, request, run_id or uuid.uuid4().hex, on_failure=remember)
    result = PipelineResult(loaded, store, summary)
    if raise_on_error and not result.success:
        first = next((step.step for step in summary.steps if step.status == "failed"), "")
        raise PipelineFailed(result) from causes.get(first)
    return result


def execute_solid(
    solid: SolidDefinition,
    *,
    inputs: Mapping[str, Any] | None = None,
    config: Any = None,
    resources: Mapping[str, Any] | None = None,
    raise_on_error: bool = True,
) -> SolidResult:
    """Run one solid by itself. ``inputs`` are plain values, ``resources`` resource definitions or plain values,
    ``config`` a mapping or an instance of the solid's config type."""
    given = dict(inputs or {})
    taken = {solid.name}
    sources: list[SolidDefinition] = []
    for name, value in given.items():
        sources.append(_given(solid, name, value, taken))
        taken.add(sources[-1].name)
    pipeline = pipeline_from_dependencies(
        f"only_{solid.name}"[:80],
        [*sources, solid],
        {solid.name: {name: source.name for name, source in zip(given, sources, strict=True)}},
        modes=[Mode("default", resources=resources)],
    )
    plain = msgspec.to_builtins(config) if isinstance(config, msgspec.Struct) else config
    request = {"solids": {solid.name: {"config": plain}}} if plain is not None else {}
    result = execute_pipeline(pipeline, request, raise_on_error=raise_on_error)
    return result.result_for_solid(solid.name)


def _given(solid: SolidDefinition, inp: str, value: Any, taken: set[str]) -> SolidDefinition:
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
