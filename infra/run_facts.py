"""A run as a whole: what its steps have recorded, and what only the execution's history knows.

A step that was killed, throttled or never invoked has no event of its own. Its attempts are in the history, and from
there come the events it could not write: pure functions from events and invocations to events, and from those to the
summary. Nothing that was recorded is changed or left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from solidstate.events import (
    AnyEvent,
    EngineEvent,
    RunFailure,
    RunStart,
    StepFailure,
    StepRetry,
    StepSkipped,
    StepStart,
    StepSuccess,
)
from solidstate.handler.end import failure_message, summarise_step
from solidstate.infra.execution_advice import explained
from solidstate.infra.execution_history import Invocation
from solidstate.infra.executions import Execution
from solidstate.planner.plan import ExecutionPlan, Step
from solidstate.storage.records import RunRecord, RunStatus, RunSummary, StepSummary

NO_TRACE = "left no trace: the execution ended before it was begun"
WAITING = "not begun yet"
LEFT_ALONE = "was running when the execution was stopped"
_ENDS = (StepSuccess, StepFailure, StepRetry, StepSkipped)

Unit = tuple[str, str]
"""A step, and the item of a mapped one or an empty text."""


class RunFacts(msgspec.Struct, frozen=True):
    """All that is known of a run. ``running`` are the steps, or items of them, that are being computed."""

    summary: RunSummary
    events: list[AnyEvent]
    running: list[Unit] = []


def completed_events(
    plan: ExecutionPlan, events: Sequence[AnyEvent], invocations: Sequence[Invocation], scope: RunRecord
) -> list[AnyEvent]:
    """``events`` with the ends that attempts of a step could not record themselves, each where it belongs: by plan,
    then attempt. Equal to ``events`` when there is none."""
    attempts: dict[Unit, list[Invocation]] = {}
    for invocation in invocations:
        if invocation.kind == "step":
            attempts.setdefault((invocation.step, invocation.item), []).append(invocation)
    recorded: dict[Unit, list[AnyEvent]] = {}
    before: list[AnyEvent] = []
    after: list[AnyEvent] = []
    for event in events:
        if event.step:
            recorded.setdefault((event.step, event.item), []).append(event)
        else:
            (before if isinstance(event, RunStart) else after).append(event)
    steps = {step.name: step for step in plan.steps}
    order = {name: number for number, name in enumerate(steps)}
    units = sorted(dict.fromkeys([*recorded, *attempts]), key=lambda unit: order.get(unit[0], len(order)))
    found: list[AnyEvent] = []
    for unit in units:
        found += unit_events(steps.get(unit[0]), recorded.get(unit, []), attempts.get(unit, []), scope)
    return [*before, *found, *after]


def unit_events(
    step: Step | None, recorded: Sequence[AnyEvent], attempts: Sequence[Invocation], scope: RunRecord
) -> list[AnyEvent]:
    """The events of one step, or one item of it, with the ends that are missing."""
    ended = {event.attempt for event in recorded if isinstance(event, _ENDS)}
    groups: list[tuple[int, list[AnyEvent]]] = []
    for event in recorded:
        if not groups or groups[-1][0] != event.attempt:
            groups.append((event.attempt, []))
        groups[-1][1].append(event)
    for attempt in attempts:
        if attempt.outcome != "failed" or attempt.attempt in ended:
            continue
        group = next((events for number, events in groups if number == attempt.attempt), None)
        if group is None:
            group = []
            place = next((at for at, (number, _) in enumerate(groups) if number > attempt.attempt), len(groups))
            groups.insert(place, (attempt.attempt, group))
        group += _repaired(step, group, attempt, scope)
    return [event for _, events in groups for event in events]


def _repaired(
    step: Step | None, group: Sequence[AnyEvent], attempt: Invocation, scope: RunRecord
) -> list[AnyEvent]:
    """What an attempt would have written had it lived."""
    ended = attempt.ended if attempt.ended is not None else attempt.began
    duration = round(max(0.0, ended - attempt.began), 3)
    common = {
        "run": scope.run,
        "pipeline": scope.pipeline,
        "execution": scope.execution,
        "step": attempt.step,
        "item": attempt.item,
        "attempt": attempt.attempt,
        "state": attempt.state,
    }
    seq = max((event.seq for event in group), default=0)
    found: list[AnyEvent] = []
    if not group:
        seq += 1
        solid = step.solid if step is not None else attempt.step
        found.append(StepStart(solid=solid, seq=seq, time=attempt.began, elapsed_s=0.0, **common))
    told = "this end was not recorded by the step; the execution's history tells it"
    error = explained(attempt.error, attempt.cause, step)
    found.append(EngineEvent(message=told, seq=seq + 1, time=ended, elapsed_s=duration, **common))
    end = {"error": error, "duration_s": duration, "seq": seq + 2, "time": ended, "elapsed_s": duration, **common}
    found.append(StepRetry(delay_s=0.0, **end) if attempt.followed else StepFailure(**end))
    return found


def run_facts(
    plan: ExecutionPlan,
    record: RunRecord,
    events: Sequence[AnyEvent],
    stored: RunSummary | None,
    execution: Execution | None,
    invocations: Sequence[Invocation],
    items: Mapping[str, list[str]],
    now: float,
) -> RunFacts:
    """Put together what is known of a run.

    ``stored`` is the summary End run wrote, None while there is none; ``execution`` None when Step Functions has
    forgotten it; ``items`` are the keys that mapped steps should have been run for, as far as they are known; ``now``
    ends the time of a run that goes on.
    """
    whole = completed_events(plan, events, invocations, record)
    repaired = {event.step for event in whole if event.step} if len(whole) > len(events) else set()
    status = status_of(stored, execution)
    ended = {(event.step, event.item, event.attempt) for event in whole if isinstance(event, _ENDS)}
    running = [
        (one.step, one.item)
        for one in invocations
        if one.kind == "step" and one.outcome == "running" and (one.step, one.item, one.attempt) not in ended
    ]
    selected = record.request.get("steps")
    kept = {step.step: step for step in stored.steps} if stored is not None else {}
    by_step: dict[str, list[AnyEvent]] = {}
    for event in whole:
        by_step.setdefault(event.step, []).append(event)
    steps: list[StepSummary] = []
    for step in plan.steps:
        summary = kept.get(step.name)
        if selected is not None and step.name not in selected:
            summary = StepSummary(step=step.name, solid=step.solid, status="not selected")
        elif summary is None or step.name in repaired:
            summary = summarise_step(step, by_step.get(step.name, []), items.get(step.name))
        steps.append(_with_reason(summary, {name for name, _ in running}, status))
    summary = _summary(record, stored, execution, status, steps, now)
    if not any(isinstance(event, RunStart) for event in whole):
        whole.insert(0, _start(record, steps))
    if status in ("failed", "cancelled") and stored is None:
        whole.append(_end(record, summary))
    return RunFacts(summary=summary, events=whole, running=running if status == "running" else [])


def status_of(stored: RunSummary | None, execution: Execution | None) -> RunStatus:
    """How the run stands. An execution that was stopped was cancelled, whatever its steps came to; one that broke down
    outside of its steps has failed, whatever they had recorded."""
    if execution is None:
        return stored.status if stored is not None else "interrupted"
    if execution.running:
        return "running"
    if execution.status == "ABORTED":
        return "cancelled"
    if execution.status == "SUCCEEDED":
        return stored.status if stored is not None else "success"
    return "failed"


def _with_reason(step: StepSummary, running: set[str], status: RunStatus) -> StepSummary:
    if step.step in running and status == "running":
        return msgspec.structs.replace(step, status="running", reason="")
    if step.status != "not reached":
        return step
    if step.step in running:
        return msgspec.structs.replace(step, reason=LEFT_ALONE)
    return msgspec.structs.replace(step, reason=WAITING if status == "running" else NO_TRACE)


def _summary(
    record: RunRecord,
    stored: RunSummary | None,
    execution: Execution | None,
    status: RunStatus,
    steps: list[StepSummary],
    now: float,
) -> RunSummary:
    if stored is not None and status != "running":
        duration = stored.duration_s
    else:
        stopped = execution.stopped_at if execution is not None else None
        duration = round(max(0.0, (stopped if stopped is not None else now) - record.started_at), 3)
    return RunSummary(
        run=record.run,
        pipeline=record.pipeline,
        plan=record.plan,
        mode=record.mode,
        status=status,
        started_at=record.started_at,
        duration_s=duration,
        steps=steps,
        message=_message(stored, execution, status, steps),
        preset=record.preset,
        tags=record.tags,
        execution=record.execution,
        engine=record.engine,
    )


def _message(
    stored: RunSummary | None, execution: Execution | None, status: RunStatus, steps: list[StepSummary]
) -> str:
    failed = [step for step in steps if step.status == "failed"]
    never = [step for step in steps if step.status == "not reached"]
    if status in ("running", "success"):
        return ""
    if execution is not None and status == "cancelled":
        why = ": ".join(part for part in (execution.error, execution.cause) if part)
        return failure_message(failed, never, "cancelled") + (f" ({why})" if why else "")
    text = failure_message(failed, never)
    if stored is None and execution is not None:
        died = died_of(execution)
        return f"{died}\n{text}" if text else died
    return text or (stored.message if stored is not None else "")


def died_of(execution: Execution) -> str:
    """Why an execution ended before End run had anything to say."""
    error = explained(execution.error, execution.cause, None)
    known = execution.error or execution.status
    reason = f"the execution ended as {execution.status}: {known}" + (f": {error.message}" if error.message else "")
    return f"{reason}\n  fix: {error.hint}" if error.hint else reason


def _start(record: RunRecord, steps: Sequence[StepSummary]) -> RunStart:
    """The begin of a run whose events End run has not put together."""
    return RunStart(
        run=record.run,
        pipeline=record.pipeline,
        execution=record.execution,
        seq=1,
        time=record.started_at,
        elapsed_s=0.0,
        mode=record.mode,
        plan=record.plan,
        steps=sum(1 for step in steps if step.status != "not selected"),
        preset=record.preset,
        tags=record.tags,
        from_run=record.request.get("from_run") or "",
    )


def _end(record: RunRecord, summary: RunSummary) -> RunFailure:
    """The end of a run that nobody was there to record."""
    return RunFailure(
        run=record.run,
        pipeline=record.pipeline,
        execution=record.execution,
        seq=2,
        time=record.started_at + summary.duration_s,
        elapsed_s=summary.duration_s,
        duration_s=summary.duration_s,
        steps=summary.counts(),
        failed=[step.step for step in summary.steps if step.status == "failed"],
        message=summary.message,
    )
