"""End run: read what every step left behind, write the summary and the merged events, fail if a step failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from solidstate.errors import name_list
from solidstate.events import (
    AnyEvent,
    RunFailure,
    RunStart,
    RunSuccess,
    StepExpectation,
    StepFailure,
    StepInput,
    StepMaterialization,
    StepOutput,
    StepRetry,
    StepSkipped,
    StepStart,
    StepSuccess,
    encode_events,
)
from solidstate.handler.outcome import MAX_CAUSE, RunFailed
from solidstate.handler.plain import clip, clip_json
from solidstate.handler.recorder import Recorder, Scope
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.planner.contract import EndPayload, RunDigest, RunHandle
from solidstate.planner.plan import Step
from solidstate.storage import keys
from solidstate.storage.history import step_events
from solidstate.storage.records import (
    RunRecord,
    RunStatus,
    RunSummary,
    StepStatus,
    StepSummary,
    decode_run_record,
    encode_record,
)

PARALLEL_FROM = 8


def end_run(runtime: Runtime, payload: EndPayload) -> RunDigest:
    """Close the run. Raises RunFailed, naming the failed steps and their errors, after everything is written."""
    loaded = runtime.pipeline(payload.pipeline)
    summary = close(runtime, loaded, payload.run)
    if summary.status != "success":
        raise RunFailed(clip_json(summary.message, MAX_CAUSE))
    where = keys.run_summary(payload.pipeline, payload.run.id)
    return RunDigest(run=payload.run.id, status="success", steps=summary.counts(), summary=where)


def close(runtime: Runtime, loaded: LoadedPipeline, run: RunHandle, ended: RunStatus | None = None) -> RunSummary:
    """Write summary and merged events of a run. ``ended`` overrides the status, for a run that was stopped."""
    key = keys.run_record(loaded.definition.name, run.id)
    record = decode_run_record(runtime.store.get(key), key)
    steps = loaded.plan.steps
    selected = record.request.get("steps")
    chosen = steps if selected is None else [step for step in steps if step.name in set(selected)]
    found = _collect(runtime, loaded, list(chosen), run.id)
    summaries = [summarise_step(step, found[step.name]) if step.name in found else _unselected(step) for step in steps]
    failed = [s for s in summaries if s.status == "failed"]
    never = [s for s in summaries if s.status == "not reached"]
    status: RunStatus = ended or ("failed" if failed or never else "success")
    summary = RunSummary(
        run=run.id,
        pipeline=record.pipeline,
        plan=record.plan,
        mode=record.mode,
        status=status,
        started_at=record.started_at,
        duration_s=round(max(0.0, time.time() - record.started_at), 3),
        steps=summaries,
        message=failure_message(failed, never, ended) if status != "success" else "",
        preset=record.preset,
        tags=record.tags,
        execution=record.execution,
        engine=record.engine,
    )
    _write(runtime, record, summary, [event for name in found for event in found[name]])
    return summary


def _unselected(step: Step) -> StepSummary:
    return StepSummary(step=step.name, solid=step.solid, status="not selected")


def _collect(runtime: Runtime, loaded: LoadedPipeline, steps: list[Step], run: str) -> dict[str, list[AnyEvent]]:
    """Events of every step, failed attempts first, then the commit's; in plan order."""
    pipeline = loaded.definition.name

    def collect(step: Step) -> list[AnyEvent]:
        return step_events(runtime.store, pipeline, step.name, run, thorough=False)

    return dict(zip((s.name for s in steps), _each(collect, steps, runtime.fetch_workers), strict=True))


def _each(fn: Callable[[Step], list[AnyEvent]], steps: list[Step], workers: int) -> Iterable[list[AnyEvent]]:
    if workers == 1 or len(steps) < PARALLEL_FROM:
        return [fn(step) for step in steps]
    from concurrent.futures import ThreadPoolExecutor  # only long runs pay for it

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(fn, steps))


def summarise_step(step: Step, events: list[AnyEvent]) -> StepSummary:
    """One step's events, boiled down. A step whose last word is a failed attempt has failed, retries or not."""
    last = max((event.attempt for event in events), default=0)
    status: StepStatus = "not reached"
    facts: dict[str, Any] = {"inputs": {}, "outputs": {}, "materializations": []}
    expectations: list[bool] = []
    for event in events:
        match event:
            case StepStart():  # a later attempt starts afresh
                status = "failed"
                facts = {"inputs": {}, "outputs": {}, "materializations": []}
                expectations = []
            case StepInput():
                facts["inputs"][event.name] = event.size
            case StepOutput():
                facts["outputs"][event.name] = event.size
            case StepMaterialization():
                facts["materializations"].append(event.path or event.label)
            case StepExpectation():
                expectations.append(event.success)
            case StepSuccess():
                status, facts["duration_s"], facts["error"] = "success", event.duration_s, None
            case StepFailure() | StepRetry():
                status, facts["duration_s"], facts["error"] = "failed", event.duration_s, event.error
            case StepSkipped():
                status, facts["reason"] = "skipped", event.reason
            case _:
                pass
    if status == "failed" and facts.get("error") is None:
        facts["reason"] = "the attempt began and left no end: it ran out of time or memory, or was stopped"
    return StepSummary(
        step=step.name,
        solid=step.solid,
        status=status,
        attempts=last,
        expectations=len(expectations),
        expectations_failed=expectations.count(False),
        **facts,
    )


def failure_message(failed: list[StepSummary], never: list[StepSummary], ended: RunStatus | None = None) -> str:
    """What the console shows as the cause of a failed execution. ``ended`` as for :func:`close`."""
    if ended == "cancelled":
        undone = name_list([s.step for s in [*failed, *never]])
        return f"The run was stopped; without a result: {undone}" if undone else "The run was stopped"
    lines: list[str] = []
    if failed:
        lines.append(
            f"{len(failed)} step{'s' if len(failed) > 1 else ''} failed: " + ", ".join(f"`{s.step}`" for s in failed)
        )
        for step in failed[:20]:
            error = step.error
            lines.append(
                f"  `{step.step}`: {error.type}: {clip(error.message, 500)}"
                if error
                else f"  `{step.step}`: {step.reason}"
            )
            if error and error.place:
                lines.append(f"    at {error.place.file}:{error.place.line}: {error.place.code}")
            if error and error.hint:
                lines.append(f"    fix: {error.hint}")
    if never:
        lines.append(
            f"{len(never)} step{'s' if len(never) > 1 else ''} left no trace (killed, throttled or never started): "
            + ", ".join(f"`{s.step}`" for s in never[:20])
        )
    return "\n".join(lines)


def _write(runtime: Runtime, record: RunRecord, summary: RunSummary, steps: list[AnyEvent]) -> None:
    scope = Scope(run=record.run, pipeline=record.pipeline, execution=record.execution)
    start = RunStart(
        run=record.run,
        pipeline=record.pipeline,
        seq=1,
        time=record.started_at,
        elapsed_s=0.0,
        execution=record.execution,
        mode=record.mode,
        plan=record.plan,
        steps=sum(1 for s in summary.steps if s.status != "not selected"),
        preset=record.preset,
        tags=record.tags,
    )
    last = Recorder(scope, runtime.observer)
    end: AnyEvent
    if summary.status == "success":
        end = last.emit(RunSuccess, duration_s=summary.duration_s, steps=summary.counts())
    else:
        names = [s.step for s in summary.steps if s.status == "failed"]
        end = last.emit(
            RunFailure, duration_s=summary.duration_s, steps=summary.counts(), failed=names, message=summary.message
        )
    end = msgspec.structs.replace(end, seq=2)
    runtime.store.put(keys.run_events(record.pipeline, record.run), encode_events([start, *steps, end]))
    runtime.store.put(keys.run_summary(record.pipeline, record.run), encode_record(summary))
