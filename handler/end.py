"""End run: read what every step left behind, write the summary and the merged events, fail if a step failed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from solidstate.errors import IntermediateError, name_list
from solidstate.events import (
    AnyEvent,
    EngineEvent,
    ErrorInfo,
    HookErrored,
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
from solidstate.handler.committed import label
from solidstate.handler.items import keys_in, producer_commit
from solidstate.handler.mapped import failure_lines, never_mapped, summarise_mapped
from solidstate.handler.outcome import MAX_CAUSE, RunFailed, error_info
from solidstate.handler.plain import clip, clip_json
from solidstate.handler.recorder import Recorder, Scope
from solidstate.handler.repeats import NO_ANSWER
from solidstate.handler.reuse import Reuse, reuse_of
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.handler.upstream import each, withheld_reason
from solidstate.planner.contract import EndPayload, RunDigest, RunHandle
from solidstate.planner.plan import OutputRef, Step
from solidstate.storage import keys
from solidstate.storage.attempts import Left
from solidstate.storage.commits import Commit
from solidstate.storage.history import step_left
from solidstate.storage.records import (
    RunRecord,
    RunStatus,
    RunSummary,
    StepStatus,
    StepSummary,
    decode_run_record,
    encode_record,
)
from solidstate.storage.store import put_joined


def end_run(runtime: Runtime, payload: EndPayload) -> RunDigest:
    """Close the run. Raises RunFailed, naming the failed steps and their errors, after everything is written."""
    loaded = runtime.pipeline(payload.run.pipeline)
    summary = close(runtime, loaded, payload.run)
    if summary.status != "success":
        raise RunFailed(clip_json(summary.message, MAX_CAUSE))
    where = keys.run_summary(payload.run.pipeline, payload.run.id)
    return RunDigest(run=payload.run.id, status="success", steps=summary.counts(), summary=where)


def close(runtime: Runtime, loaded: LoadedPipeline, run: RunHandle, ended: RunStatus | None = None) -> RunSummary:
    """Write summary and merged events of a run. ``ended`` overrides the status, for a run that was stopped."""
    key = keys.run_record(loaded.definition.name, run.id)
    record = decode_run_record(runtime.store.get(key), key)
    steps = loaded.plan.steps
    selected = record.request.get("steps")
    chosen = steps if selected is None else [step for step in steps if step.name in set(selected)]
    found = _collect(runtime, loaded, list(chosen), run.id, record.request.get("from_run"))
    summarised = _summaries(runtime, loaded, found, run.id, ended=ended is not None)
    summaries = [summarised.get(step.name) or _unselected(step) for step in steps]
    failed = [s for s in summaries if s.status == "failed"]
    never = [s for s in summaries if s.status == "not reached"]
    left_out = _left_out(found) if not (failed or never) else []
    status: RunStatus = ended or ("failed" if failed or never or left_out else "success")
    summary = RunSummary(
        run=run.id,
        pipeline=record.pipeline,
        plan=record.plan,
        mode=record.mode,
        status=status,
        started_at=record.started_at,
        duration_s=round(max(0.0, time.time() - record.started_at), 3),
        steps=summaries,
        message=failure_message(failed, never, ended, left_out) if status != "success" else "",
        preset=record.preset,
        tags=record.tags,
        execution=record.execution,
        engine=record.engine,
    )
    reuse = reuse_of(loaded, selected, record.request.get("from_run"))
    _write(runtime, record, summary, reuse, found)
    return summary


def _unselected(step: Step) -> StepSummary:
    return StepSummary(step=step.name, solid=step.solid, status="not selected")


def _left_out(found: _Found) -> list[str]:
    """Steps and items that were skipped for want of something that had not succeeded by then. When nothing has failed,
    it came after them: from an attempt that was believed to be dead."""
    skipped: dict[str, None] = {}
    for step, every in found.left.items():
        for left in every:
            if not left.final and type(left.events[-1]) is StepSkipped:
                item = left.events[-1].item
                if not any(other.final and other.events[-1].item == item for other in every):
                    skipped[label(step, item)] = None
    return list(skipped)


class _Found(msgspec.Struct):
    """What the selected steps have left, in plan order, of mapped steps the items there should be, and why there are
    none where the output they are mapped over was withheld."""

    left: dict[str, list[Left]] = {}
    items: dict[str, list[str]] = {}
    withheld: dict[str, str] = {}

    def events(self, step: str) -> list[AnyEvent]:
        left = self.left[step]
        return left[0].events if len(left) == 1 else [event for one in left for event in one.events]


def _collect(runtime: Runtime, loaded: LoadedPipeline, steps: list[Step], run: str, from_run: str | None) -> _Found:
    """Events of every step, failed attempts first, then the commit's; of mapped steps item by item."""
    pipeline, store = loaded.definition.name, runtime.store
    names = {step.name for step in steps}
    found = _Found()
    producers: dict[OutputRef, Commit | None] = {}
    jobs: list[tuple[Step, str]] = []
    for step in steps:
        over = step.map_over
        if over is None:
            jobs.append((step, ""))
            continue
        if over not in producers:
            runs = [run if over.step in names else from_run or run]
            producers[over] = producer_commit(store, pipeline, over, runs)
        producer = producers[over]
        if producer is None:  # how many items there are is not known, even when its result comes a moment later
            continue
        found.items[step.name] = keys_in(producer, over)
        if over.output in producer.withheld:
            found.withheld[step.name] = withheld_reason({f"{over.step}.{over.output}": producer.withheld[over.output]})
        jobs += [(step, key) for key in found.items[step.name]]

    def collect(job: tuple[Step, str]) -> list[Left]:
        step, item = job
        # What hooks leave comes after the commit, so it is not in it.
        hooked = bool(loaded.definition.hooks or loaded.nodes[step.name].solid.hooks)
        try:
            return step_left(store, pipeline, step.name, run, thorough=hooked, item=item, remembered=runtime.remembered)
        except (
            IntermediateError
        ) as error:  # the run still has to end, and this step has no result that anybody can read
            return [
                _unreadable(runtime, Scope(run=run, pipeline=pipeline, step=step.name, attempt=1, item=item), error)
            ]

    by_step: dict[str, list[Left]] = {}
    for (step, item), left in zip(jobs, each(collect, jobs, runtime.fetch_workers), strict=True):
        if item:
            by_step.setdefault(step.name, []).extend(left)
        else:
            by_step[step.name] = left
    found.left = {step.name: by_step.get(step.name) or [] for step in steps}
    return found


def _unreadable(runtime: Runtime, scope: Scope, error: IntermediateError) -> Left:
    """In the place of events that are damaged, or of another step's."""
    recorder = Recorder(scope, runtime.observer)
    recorder.emit(StepFailure, duration_s=0.0, error=error_info(error))
    return Left(*recorder.written())


def _summaries(
    runtime: Runtime, loaded: LoadedPipeline, found: _Found, run: str, *, ended: bool
) -> dict[str, StepSummary]:
    """Of the selected steps. A mapped step that was not run for any item because its producer failed or was skipped,
    or had its items withheld, has left nothing: that it was skipped is put on record here."""
    summaries: dict[str, StepSummary] = {}
    for name in found.left:
        step = loaded.steps[name]
        events = found.events(name)
        over = step.map_over
        producer = summaries.get(over.step) if over is not None else None
        reason, because = found.withheld.get(name, ""), [f"{over.step}.{over.output}"] if over is not None else []
        if producer is not None and not reason:
            reason, because = never_mapped(producer), [producer.step]
        if reason and not events and not (ended and producer is not None and producer.status == "not reached"):
            scope = Scope(run=run, pipeline=loaded.definition.name, step=name, attempt=1)
            recorder = Recorder(scope, runtime.observer)
            recorder.emit(StepSkipped, reason=reason, because=because)
            found.left[name].append(Left(*recorder.written(), final=True))
            events = recorder.events
        summaries[name] = summarise_step(step, events, None if reason else found.items.get(name))
    return summaries


def summarise_step(step: Step, events: list[AnyEvent], items: list[str] | None = None) -> StepSummary:
    """One step's events, boiled down. ``items`` are the keys a mapped step should have been run for, if known."""
    return _summarise(step, events) if step.map_over is None else summarise_mapped(step, events, items, _summarise)


def _summarise(step: Step, events: list[AnyEvent]) -> StepSummary:
    """One step, or one item of a mapped step. A step whose last word is a failed attempt has failed, retries or not."""
    status: StepStatus = "not reached"
    attempts = events[-1].attempt if events else 0
    duration, reason = 0.0, ""
    error: ErrorInfo | None = None
    inputs: dict[str, int] = {}
    outputs: dict[str, int] = {}
    verdicts: list[StepExpectation] = []
    more: dict[str, Any] = {}
    for event in events:
        if type(event) is StepStart:
            if status != "not reached":  # a later attempt starts afresh
                inputs, outputs, verdicts, more = {}, {}, [], {}
                duration, reason, error = 0.0, "", None
            status = "failed"
            attempts = max(attempts, event.attempt)
        elif type(event) is StepInput:
            inputs[event.name] = event.size
        elif type(event) is StepOutput:
            outputs[event.name] = event.size + outputs.get(event.name, 0)
        elif type(event) is StepSuccess:
            status, duration, error = "success", event.duration_s, None
        elif type(event) is StepFailure or type(event) is StepRetry:
            status, duration, error = "failed", event.duration_s, event.error
        elif type(event) is StepSkipped:
            status, reason = "skipped", event.reason
        elif type(event) is StepExpectation:
            verdicts.append(event)
        elif type(event) is StepMaterialization:
            more.setdefault("materializations", []).append(event.path or event.label)
        elif type(event) is HookErrored:
            warning = f"hook `{event.name}`: {event.error.type}: {clip(event.error.message, 500)}"
            more.setdefault("warnings", []).append(warning)
    if verdicts:
        warnings, withheld = _unmet(verdicts)
        more["warnings"] = [*warnings, *more.get("warnings", [])]
        reason = reason or withheld
    if status == "failed" and error is None:
        reason = _without_end(events[-1])
    return StepSummary(
        step=step.name,
        solid=step.solid,
        status=status,
        duration_s=duration,
        attempts=attempts,
        inputs=inputs,
        outputs=outputs,
        expectations=len(verdicts),
        expectations_failed=sum(not verdict.success for verdict in verdicts) if verdicts else 0,
        reason=reason,
        error=error,
        **more,
    )


def _without_end(last: AnyEvent) -> str:
    if isinstance(last, EngineEvent) and last.message == NO_ANSWER:
        return f"{NO_ANSWER}: {last.fields.get('reason', '')}"
    return "the attempt began and left no end: it ran out of time or memory, or was stopped"


def _unmet(verdicts: list[StepExpectation]) -> tuple[list[str], str]:
    """What to warn of, and what was withheld because an expectation was not met."""
    warnings = []
    withheld = ""
    for event in verdicts:
        if event.success:
            continue
        if event.severity == "warn":
            warnings.append(": ".join(part for part in (event.label, event.description) if part))
        if event.severity == "skip":
            of = f"output `{event.output}`" if event.output else "its outputs"
            withheld = f"withheld {of}: expectation `{event.label}` was not met"
    return warnings, withheld


def failure_message(
    failed: list[StepSummary],
    never: list[StepSummary],
    ended: RunStatus | None = None,
    left_out: Sequence[str] = (),
) -> str:
    """What the console shows as the cause of a failed execution. ``ended`` as for :func:`close`; ``left_out`` are the
    steps that were skipped although nothing has failed."""
    if ended == "cancelled":
        undone = name_list([s.step for s in [*failed, *never]])
        return f"The run was stopped; without a result: {undone}" if undone else "The run was stopped"
    lines = failure_lines(failed) if failed else []
    if never:
        lines.append(
            f"{len(never)} step{'s' if len(never) > 1 else ''} left no trace (killed, throttled or never started): "
            + ", ".join(f"`{s.step}`" for s in never[:20])
        )
    if left_out and not lines:
        lines.append(
            f"{len(left_out)} step{'s' if len(left_out) > 1 else ''} did not run, because a result that "
            f"{'they read' if len(left_out) > 1 else 'it reads'} came too late: {name_list(left_out, limit=20)}\n"
            "    fix: start a new run that reuses this one"
        )
    return "\n".join(lines)


def _write(runtime: Runtime, record: RunRecord, summary: RunSummary, reuse: Reuse, found: _Found) -> None:
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
        from_run=reuse.from_run,
        reused=reuse.reuse,
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
    # Every step's lines as they are: what was encoded once need not be again.
    parts: list[bytes | memoryview] = [encode_events([start])]
    parts += [memoryview(left.body)[left.begin :] for of_step in found.left.values() for left in of_step]
    parts.append(encode_events([end]))
    put_joined(runtime.store, keys.run_events(record.pipeline, record.run), parts)
    runtime.store.put(keys.run_summary(record.pipeline, record.run), encode_record(summary))
