"""One step of a run that is on record, run once more: in this process, with the inputs it had, without a trace.

The inputs are those that the run's own commits hold. What the step says and stores this time stays in memory; what it
does elsewhere, through resources or ``context.fs``, it does again. Hooks are not called: nothing has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from solidstate.errors import SolidstateError, closest, name_list
from solidstate.events import AnyEvent
from solidstate.handler.committed import label
from solidstate.handler.end import summarise_step
from solidstate.handler.items import item_keys
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.handler.step import run_step
from solidstate.infra.causes import Causes
from solidstate.infra.home import Home, home_from
from solidstate.infra.inline import InlineInvocation
from solidstate.infra.results import PipelineResult, SolidResult
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.contract import RunHandle, StepPayload
from solidstate.planner.plan import Step
from solidstate.storage import keys
from solidstate.storage.files import open_folder, open_s3
from solidstate.storage.history import find_run, record_of
from solidstate.storage.records import RunRecord, RunSummary
from solidstate.storage.store import ObjectStore
from solidstate.stubs import with_resources
from solidstate.testing.overlay import OverlayStore


def replay_step(
    pipeline: PipelineDefinition,
    step: str,
    run: str = "last",
    *,
    home: Home | Path | str | None = None,
    bucket: str | None = None,
    prefix: str = "",
    item: str | None = None,
    resources: Mapping[str, Any] | None = None,
    raise_on_error: bool = True,
    allow_pickle: bool = False,
) -> SolidResult:
    """Run ``step`` again with what it read in ``run``: an id, the beginning of one, or ``last``.

    The run is looked for in ``bucket`` (an S3 bucket's name; keys below ``prefix``), else in ``home`` (``.solidstate``
    unless given). Of a mapped step one ``item`` is run. ``resources`` take the place of the pipeline's own. One attempt
    is made; PipelineFailed is raised from what it raised, unless ``raise_on_error`` is off. SolidstateError when run,
    step, item or an input is not on record.

    An input that is stored as a pickle, because its type asks for that, is refused unless ``allow_pickle`` is given: by
    reading it, whoever may write the bucket or the folder can run code here.
    """
    open_fs: Callable[[], Any]
    if bucket is not None:
        from solidstate.storage.s3 import S3Store, s3_client

        store: ObjectStore = S3Store(s3_client(), bucket, prefix)
        open_fs = open_s3
    else:
        place = home if isinstance(home, Home) else home_from(None if home is None else str(home))
        store = place.store
        open_fs = lambda: open_folder(place.files)  # noqa: E731 - one of two
    found = find_run(store, run, pipeline.name)
    return replay_from(
        store,
        pipeline,
        step,
        found.run,
        item=item,
        resources=resources,
        open_fs=open_fs,
        raise_on_error=raise_on_error,
        allow_pickle=allow_pickle,
    )


def replay_from(
    store: ObjectStore,
    pipeline: PipelineDefinition,
    step: str,
    run: str,
    *,
    item: str | None,
    resources: Mapping[str, Any] | None,
    open_fs: Callable[[], Any],
    raise_on_error: bool,
    allow_pickle: bool,
) -> SolidResult:
    """As :func:`replay_step`, of a run in ``store``."""
    loaded = LoadedPipeline(_hushed(with_resources(pipeline, resources)), build_plan(pipeline))
    planned = _step(loaded, step)
    record = record_of(store, pipeline.name, run)
    _check_selected(record, planned)
    _check_item(store, loaded, planned, record, item)
    overlay = OverlayStore(store, _traces(pipeline.name, step, run))
    events: list[AnyEvent] = []
    runtime = Runtime([loaded], overlay, engine="replay", open_fs=open_fs, observer=events.append, sleep=lambda _: None)
    runtime.allow_pickle = allow_pickle
    causes = Causes()
    began = time.time()
    try:
        payload = StepPayload(step, _handle(record, loaded), item=item)
        run_step(runtime, payload, InlineInvocation(planned.compute.timeout_s), answer=False)
    except AttemptFailed as failed:
        causes.remember(failed)
    summary = _summary(loaded, planned, record, events, began, item)
    result = _Replayed(loaded, overlay, summary, causes.by_step, events)
    if raise_on_error:
        result.raise_on_error()
    return result.result_for_solid(step)


def _traces(pipeline: str, step: str, run: str) -> tuple[str, ...]:
    """What tells how the step, or any item of it, ended then."""
    return (
        keys.commit(pipeline, step, run),
        keys.commits_prefix(pipeline, step, run),
        keys.attempts_prefix(pipeline, step, run),
        keys.all_attempts_prefix(pipeline, step, run),
        keys.run_events(pipeline, run),
        keys.run_summary(pipeline, run),
    )


class _Replayed(PipelineResult):
    """A result of one step, whose events are those it has just told."""

    def __init__(
        self,
        loaded: LoadedPipeline,
        store: ObjectStore,
        summary: RunSummary,
        causes: dict[str, BaseException | None],
        events: list[AnyEvent],
    ) -> None:
        super().__init__(loaded, store, summary, causes)
        self.__dict__["_events"] = tuple(events)  # where the cached property of the base keeps them


def _hushed(pipeline: PipelineDefinition) -> PipelineDefinition:
    """Without its hooks."""
    nodes = tuple(
        msgspec.structs.replace(node, solid=msgspec.structs.replace(node.solid, hooks=())) for node in pipeline.nodes
    )
    return msgspec.structs.replace(pipeline, nodes=nodes, hooks=())


def _step(loaded: LoadedPipeline, name: str) -> Step:
    if name in loaded.steps:
        return loaded.steps[name]
    near = closest(name, loaded.steps)
    raise SolidstateError(
        f"Pipeline `{loaded.definition.name}` has no step `{name}`; steps: {name_list(list(loaded.steps))}.",
        subject=name,
        hint=f"did you mean `{near}`?" if near else "",
    )


def _handle(record: RunRecord, loaded: LoadedPipeline) -> RunHandle:
    """As Start run made it, but following the plan there is now: the code may have been corrected since."""
    return RunHandle(
        id=record.run,
        mode=record.mode,
        pipeline=record.pipeline,
        plan=loaded.hash,
        request={key: record.request.get(key, {}) for key in ("solids", "resources")},
        steps=record.request.get("steps"),
        from_run=record.request.get("from_run"),
        execution=record.execution,
    )


def _check_selected(record: RunRecord, step: Step) -> None:
    selected = record.request.get("steps")
    if selected is None or step.name in selected:
        return
    earlier = record.request.get("from_run")
    raise SolidstateError(
        f"Step `{step.name}` was not selected in run `{record.run}`.",
        subject=step.name,
        hint=f"replay it from run `{earlier}`, whose result was used" if earlier else "replay it from another run",
    )


def _check_item(store: ObjectStore, loaded: LoadedPipeline, step: Step, record: RunRecord, item: str | None) -> None:
    if step.map_over is None:
        if item is None:
            return
        raise SolidstateError(
            f"Step `{step.name}` is not run for items, got `{item}`.", subject=step.name, hint="leave `item` out"
        )
    runs = [record.run, record.request.get("from_run") or record.run]
    known = item_keys(store, loaded.definition.name, step.map_over, runs) or []
    if item in known:
        return
    near = closest(item, known) if item is not None else None
    problem = f"got `{label(step.name, item)}`" if item else "got none"
    raise SolidstateError(
        f"Step `{step.name}` is run for one item at a time, {problem}; items of run `{record.run}`: "
        f"{name_list(known) or 'none'}.",
        subject=step.name,
        hint=f"did you mean `{near}`?" if near else 'say which: `item="..."`',
    )


def _summary(
    loaded: LoadedPipeline, step: Step, record: RunRecord, events: list[AnyEvent], began: float, item: str | None
) -> RunSummary:
    told = summarise_step(step, events, None if item is None else [item])
    failed = told.status not in ("success", "skipped")
    message = f"Step `{label(step.name, item or '')}` failed" if failed else ""
    if failed and told.error is not None:
        message += f": {told.error.type}: {told.error.message}"
    return RunSummary(
        run=record.run,
        pipeline=record.pipeline,
        plan=loaded.hash,
        mode=record.mode,
        status="failed" if failed else "success",
        started_at=began,
        duration_s=round(time.time() - began, 3),
        steps=[told],
        message=message,
        tags=record.tags,
        engine="replay",
    )
