"""Start run: the gate. The raw execution input becomes a run record, or a refusal that reads like the local one."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from solidstate.errors import MissingObject, SolidstateError, StorageUnavailable
from solidstate.events import RunStart
from solidstate.handler.outcome import MAX_CAUSE, PlanChanged, RunRefused
from solidstate.handler.plain import clip_json, encodable
from solidstate.handler.recorder import Recorder, Scope
from solidstate.handler.reuse import check_from_run, reuse_of
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.planner.contract import MAX_INLINE_REQUEST_BYTES, RunHandle, StartPayload
from solidstate.request import resolve_request
from solidstate.storage import keys
from solidstate.storage.records import RunRecord, decode_run_record, encode_record


def start_run(runtime: Runtime, payload: StartPayload) -> dict[str, Any]:
    """Validate, record, answer ``{"run": RunHandle}``. Raises RunRefused with the full readable message.

    Idempotent: a retried invocation of the same execution finds its own record.
    """
    loaded = runtime.pipeline(payload.pipeline)
    if payload.plan != loaded.hash:
        raise PlanChanged(
            f"The state machine follows plan {payload.plan}, the function holds plan {loaded.hash}. "
            "Fix: deploy both together."
        )
    try:
        handle = begin(runtime, loaded, payload.input, keys.run_id_from(payload.name), payload.execution)
    except StorageUnavailable:  # nothing is wrong with the request; the state machine repeats it
        raise
    except SolidstateError as error:
        raise RunRefused(clip_json(encodable(str(error)), MAX_CAUSE)) from error
    return {"run": msgspec.to_builtins(handle)}


def begin(runtime: Runtime, loaded: LoadedPipeline, document: Any, run: str, execution: str) -> RunHandle:
    """Validate a run request and write the run's record. Raises RequestErrors or SolidstateError."""
    request = resolve_request(loaded.definition, document)
    check_from_run(runtime.store, loaded, request)
    plain = msgspec.to_builtins(request)
    record = RunRecord(
        run=run,
        pipeline=loaded.definition.name,
        plan=loaded.hash,
        mode=request.mode,
        started_at=time.time(),
        request={key: plain[key] for key in ("solids", "resources", "steps", "from_run") if plain.get(key)},
        preset=request.preset or "",
        tags={**loaded.definition.tags, **request.tags},
        execution=execution,
        engine=runtime.engine,
        version=runtime.version,
    )
    _write(runtime, loaded, record)
    small = len(msgspec.json.encode(record.request)) <= MAX_INLINE_REQUEST_BYTES
    recorder = Recorder(Scope(run=run, pipeline=record.pipeline, execution=execution), runtime.observer)
    plan = reuse_of(loaded, request.steps, request.from_run)
    recorder.emit(
        RunStart,
        mode=record.mode,
        plan=record.plan,
        steps=len(plan.compute),
        preset=record.preset,
        tags=record.tags,
        from_run=plan.from_run,
        reused=plan.reuse,
    )
    return RunHandle(
        id=run,
        mode=request.mode,
        pipeline=record.pipeline,
        plan=record.plan,
        request={key: record.request.get(key, {}) for key in ("solids", "resources")} if small else None,
        steps=request.steps if small else None,
        from_run=request.from_run if small else None,
        execution=execution,
    )


def _write(runtime: Runtime, loaded: LoadedPipeline, record: RunRecord) -> None:
    runtime.store.put(keys.plan(record.pipeline, record.plan), loaded.encoded, if_absent=True)
    key = keys.run_record(record.pipeline, record.run)
    if runtime.store.put(key, encode_record(record), if_absent=True):
        return
    try:
        existing = decode_run_record(runtime.store.get(key), key)
    except MissingObject as error:
        problem = f"The record of run `{record.run}` is there and is not: `{key}`."
        raise StorageUnavailable(problem, subject=key, hint="try again") from error
    if not record.execution or existing.execution != record.execution:
        raise run_exists(record.pipeline, record.run)


def run_exists(pipeline: str, run: str) -> SolidstateError:
    """The refusal of a run id that is taken."""
    return SolidstateError(
        f"There is already a run `{run}` of pipeline `{pipeline}`.",
        subject=run,
        hint="choose another name for this run",
    )
