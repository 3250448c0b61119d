"""Start run: the gate. The raw execution input becomes a run record, or a refusal that reads like the local one."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from solidstate.errors import MissingObject, RequestErrors, SolidstateError
from solidstate.evaluate import ConfigError
from solidstate.handler.outcome import PlanChanged, RunRefused, clip
from solidstate.handler.recorder import Recorder, Scope
from solidstate.events import RunStart
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.planner.contract import MAX_INLINE_REQUEST_BYTES, RunHandle, StartPayload
from solidstate.planner.plan import encode_plan
from solidstate.request import RunRequest, resolve_request
from solidstate.storage import keys
from solidstate.storage.records import RunRecord, decode_run_record, encode_record

MAX_CAUSE = 30_000
"""Step Functions cuts a cause at 32,768 characters, without a word."""


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
    except SolidstateError as error:
        raise RunRefused(clip(str(error), MAX_CAUSE)) from error
    return {"run": msgspec.to_builtins(handle)}


def begin(runtime: Runtime, loaded: LoadedPipeline, document: Any, run: str, execution: str) -> RunHandle:
    """Validate a run request and write the run's record. Raises RequestErrors or SolidstateError."""
    request = resolve_request(loaded.definition, document)
    _check_from_run(runtime, loaded, request)
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
    recorder.emit(
        RunStart,
        mode=record.mode,
        plan=record.plan,
        steps=len(loaded.plan.steps if request.steps is None else request.steps),
        preset=record.preset,
        tags=record.tags,
    )
    return RunHandle(
        id=run,
        mode=request.mode,
        request={key: record.request.get(key, {}) for key in ("solids", "resources")} if small else None,
        steps=request.steps,
        from_run=request.from_run,
        execution=execution,
    )


def _check_from_run(runtime: Runtime, loaded: LoadedPipeline, request: RunRequest) -> None:
    if request.from_run is None:
        return
    if not runtime.store.exists(keys.run_record(loaded.definition.name, request.from_run)):
        problem = f"There is no run `{request.from_run}` of pipeline `{loaded.definition.name}` to take outputs from."
        error = ConfigError("choice", ("from_run",), problem, given=request.from_run, hint="`solidstate runs` lists them")
        raise RequestErrors(f"Run request for pipeline `{loaded.definition.name}`", [error])


def _write(runtime: Runtime, loaded: LoadedPipeline, record: RunRecord) -> None:
    runtime.store.put(keys.plan(record.pipeline, record.plan), encode_plan(loaded.plan), if_absent=True)
    key = keys.run_record(record.pipeline, record.run)
    if runtime.store.put(key, encode_record(record), if_absent=True):
        return
    try:
        existing = decode_run_record(runtime.store.get(key), key)
    except MissingObject:
        existing = None
    if existing is None or not record.execution or existing.execution != record.execution:
        raise SolidstateError(
            f"There is already a run `{record.run}` of pipeline `{record.pipeline}`.",
            subject=record.run,
            hint="choose another name for this run",
        )
