"""``execute_pipeline`` and ``execute_solid``: run in this process, keep everything in memory, look at the results."""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from io import BytesIO
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from solidstate.composites import AliasedComposite, CompositeDefinition
from solidstate.errors import NotStorable, SolidstateError, shown
from solidstate.events import AnyEvent
from solidstate.handler.outcome import Refused
from solidstate.handler.recorder import Observer
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.causes import Causes
from solidstate.infra.inline import run_attempts, run_inline
from solidstate.infra.iteration import PipelineIterator
from solidstate.infra.results import PipelineResult, SolidResult
from solidstate.pipeline import PipelineDefinition, pipeline_around
from solidstate.planner.build import build_plan
from solidstate.planner.plan import ExecutionPlan
from solidstate.resources import Mode
from solidstate.solid import AliasedSolid, InputDefinition, OutputDefinition, SolidDefinition
from solidstate.storage.codecs import codec_for
from solidstate.storage.files import open_memory
from solidstate.storage.memory import MemoryStore
from solidstate.storage.records import RunSummary
from solidstate.storage.remembered import Remembered
from solidstate.storage.store import ObjectWriter
from solidstate.stubs import with_resources
from solidstate.types import ANY, EdgeType


def execute_pipeline(
    pipeline: PipelineDefinition,
    request: Mapping[str, Any] | None = None,
    *,
    run_id: str | None = None,
    resources: Mapping[str, Any] | None = None,
    raise_on_error: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> PipelineResult:
    """Run a pipeline in this process with the inline engine, everything kept in memory.

    ``request`` is a run request. Raises RequestErrors when it is not valid, and PipelineFailed when a step failed,
    unless ``raise_on_error`` is off. ``resources`` (plain values or resource definitions) take the place of those the
    mode has under the same keys. ``sleep(seconds)`` is called for the pauses between attempts: a test that does not
    want to wait hands over one that only takes notes.
    """
    _check_arguments("execute_pipeline", pipeline, run_id)
    run = _Run(pipeline, resources, sleep)
    summary = run_inline(run.runtime, run.loaded, request, run_id or uuid.uuid4().hex, on_failure=run.causes.remember)
    result = run.finish(summary)
    return result.raise_on_error() if raise_on_error else result


def execute_pipeline_iterator(
    pipeline: PipelineDefinition,
    request: Mapping[str, Any] | None = None,
    *,
    run_id: str | None = None,
    resources: Mapping[str, Any] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> PipelineIterator:
    """As :func:`execute_pipeline`, one attempt of a step at a time: iterate over the result to get its events while it
    runs; then ask it for ``result``. Raises RequestErrors at once; a step that fails raises nothing."""
    _check_arguments("execute_pipeline_iterator", pipeline, run_id)
    pending: deque[AnyEvent] = deque()
    run = _Run(pipeline, resources, sleep, pending.append)
    attempts = run_attempts(
        run.runtime, run.loaded, request, run_id or uuid.uuid4().hex, on_failure=run.causes.remember
    )
    next(attempts)
    return PipelineIterator(attempts, pending, run.finish)


def _check_arguments(function: str, pipeline: object, run_id: object) -> None:
    if not isinstance(pipeline, PipelineDefinition):
        solid = isinstance(pipeline, (*_ALONE, AliasedComposite, AliasedSolid))
        name = getattr(pipeline, "name", None) if solid else getattr(pipeline, "__name__", None)
        found = f"`{name}`" if isinstance(name, str) else shown(pipeline)
        raise SolidstateError(
            f"`{function}` takes a pipeline, got {found} of type `{type(pipeline).__name__}`.",
            subject=function,
            hint="a solid alone is run by `execute_solid`" if solid else "pass what `@pipeline` has made",
        )
    if run_id is not None and not isinstance(run_id, str):
        raise SolidstateError(
            f"`run_id` must be text, got {shown(run_id)} of type `{type(run_id).__name__}`.",
            subject="run_id",
            hint="leave it out: every run gets an id of its own",
        )


_plans: WeakKeyDictionary[PipelineDefinition, ExecutionPlan] = WeakKeyDictionary()
"""A definition never changes, so one that is run again and again, as tests do, is planned once."""


class _Run:
    """What one run in memory is made of, and the exceptions of its steps."""

    def __init__(
        self,
        pipeline: PipelineDefinition,
        resources: Mapping[str, Any] | None,
        sleep: Callable[[float], None],
        observer: Observer | None = None,
    ) -> None:
        plan = _plans.get(pipeline)
        if plan is None:
            plan = _plans[pipeline] = build_plan(pipeline)
        self.loaded = LoadedPipeline(with_resources(pipeline, resources), plan)
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
        self.causes = Causes()

    def finish(self, summary: RunSummary) -> PipelineResult:
        return PipelineResult(self.loaded, self.store, summary, self.causes.by_step)


def execute_solid(
    solid: SolidDefinition | AliasedSolid | CompositeDefinition | AliasedComposite,
    *,
    inputs: Mapping[str, Any] | None = None,
    config: Any = None,
    solids: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    raise_on_error: bool = True,
) -> SolidResult:
    """Run one solid or composite by itself. ``inputs`` are plain values, ``resources`` resource definitions or plain
    values, ``config`` a mapping or an instance of the solid's config type; ``solids`` is what a run request says of the
    solids inside a composite. A value that no storage format takes is handed over as it is."""
    alone = _alone(solid)
    if inputs is not None and not isinstance(inputs, Mapping):
        raise SolidstateError(
            f"`inputs` must map names to values, got {shown(inputs)} of type `{type(inputs).__name__}`.",
            subject="inputs",
            hint='write `inputs={"numbers": [1, 2]}`',
        )
    given = dict(inputs or {})
    if isinstance(alone, SolidDefinition):
        alone, given = _checked(alone, given)
    taken = {alone.name}
    sources: dict[str, SolidDefinition] = {}
    for name, value in given.items():
        sources[name] = _given(alone, name, value, taken)
        taken.add(sources[name].name)
    modes = [Mode("default", resources=resources)]
    pipeline = pipeline_around(f"only_{alone.name}"[:80], alone, sources, modes)
    plain = msgspec.to_builtins(config) if isinstance(config, msgspec.Struct) else config
    entry = {key: part for key, part in (("config", plain), ("solids", solids)) if part is not None}
    request = {"solids": {alone.name: entry}} if entry else {}
    result = execute_pipeline(pipeline, request, raise_on_error=raise_on_error)
    return result.result_for_solid(alone.name)


_ALONE = (SolidDefinition, CompositeDefinition)


def _alone(solid: object) -> SolidDefinition | CompositeDefinition:
    """The definition, under its alias when it has one. Raises SolidstateError for what is no solid."""
    if isinstance(solid, AliasedSolid):
        return msgspec.structs.replace(solid.solid, name=solid.name)
    if isinstance(solid, AliasedComposite):
        return msgspec.structs.replace(solid.composite, name=solid.name)
    if isinstance(solid, _ALONE):
        return solid
    name = getattr(solid, "name", None) or getattr(solid, "__name__", None)
    raise SolidstateError(
        f"`execute_solid` takes a solid, got {f'`{name}`' if isinstance(name, str) else shown(solid)} of type "
        f"`{type(solid).__name__}`.",
        subject="execute_solid",
        hint="a pipeline is run by `execute_pipeline`"
        if isinstance(solid, PipelineDefinition)
        else "pass what `@solid` or `@composite_solid` has made",
    )


def _checked(solid: SolidDefinition, given: dict[str, Any]) -> tuple[SolidDefinition, dict[str, Any]]:
    """The solid and its values. When one is not what its input declares: the solid as one that refuses it, so that the
    failure is the solid's own and not that of a step made up to hand the value over."""
    wrong = next(filter(None, (_wrong(solid, one, given[one.name]) for one in solid.inputs if one.name in given)), None)
    if wrong is None:
        return solid, given

    def refuse(*_: Any, **__: Any) -> Any:
        raise wrong

    names = {definition.name for definition in solid.inputs}
    inputs = tuple(one if one.type.nothing else _untyped(one) for one in solid.inputs)
    refusing = msgspec.structs.replace(solid, fn=refuse, inputs=inputs, expectations=())
    return refusing, {name: None if name in names else value for name, value in given.items()}


def _wrong(solid: SolidDefinition, definition: InputDefinition, value: Any) -> Refused | None:
    if definition.type.nothing:
        return None
    try:
        verdict = definition.type.check(value)
    except Exception:  # noqa: BLE001 - a user's check; it raises again where that is recorded
        return None
    if verdict.success:
        return None
    return Refused(
        f"Input `{definition.name}` of `{solid.name}` does not pass the check of type `{definition.type.name}`: "
        f"{verdict.description}.",
        subject=definition.name,
        hint=f'correct `inputs["{definition.name}"]`',
        metadata=verdict.metadata,
    )


def _untyped(definition: InputDefinition) -> InputDefinition:
    return msgspec.structs.replace(definition, type=ANY)


def _given(solid: SolidDefinition | CompositeDefinition, inp: str, value: Any, taken: set[str]) -> SolidDefinition:
    """A solid whose output is the value, under a name that is free."""
    known = {definition.name: definition for definition in solid.inputs}
    edge = known[inp].type if inp in known else None
    if edge is not None and not edge.nothing and not _storable(value, edge):
        edge = copy(edge)
        edge.codec = _AsItIs(value)
    outputs: Sequence[OutputDefinition] = [OutputDefinition("result", edge)] if edge else []
    name = f"given_{inp}"
    while name in taken:
        name += "_"
    return SolidDefinition(name=name, fn=lambda: value, inputs=(), outputs=tuple(outputs))


def _storable(value: Any, edge: EdgeType) -> bool:
    try:
        codec_for(value, edge.annotation, edge.codec).encode(value, BytesIO())
    except NotStorable:
        return False
    except Exception:  # noqa: BLE001 - a user's codec; it raises again where that is recorded
        return True
    return True


class _AsItIs:
    """In place of a storage format: the value itself. For one that has no format, in a run that ends with the call."""

    name = "as-it-is"

    def __init__(self, value: Any) -> None:
        self._value = value

    def encode(self, _: object, sink: ObjectWriter, /) -> None:
        sink.write(b"")

    def decode(self, _: bytes | bytearray | memoryview, /) -> object:
        return self._value


def open_memory_once() -> Any:
    """One memory file system for all steps of a run, made when the first asks for it."""
    opened: list[Any] = []

    def open_fs() -> Any:
        if not opened:
            opened.append(open_memory())
        return opened[0]

    return open_fs
