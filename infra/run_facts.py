"""A run as a whole: what its steps have recorded, and what only Step Functions knows. Pure functions, from records,
events, the execution and its invocations to a summary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from solidstate.events import AnyEvent, RunFailure, RunStart, RunSuccess
from solidstate.handler.end import failure_message, summarise_step
from solidstate.infra.execution_advice import explained
from solidstate.infra.execution_history import Invocation
from solidstate.infra.executions import Execution
from solidstate.infra.lost_ends import ENDS, Unit, completed_events
from solidstate.planner.plan import ExecutionPlan
from solidstate.storage.records import RunRecord, RunStatus, RunSummary, StepSummary

NO_TRACE = "left no trace: the execution ended before it was begun"
WAITING = "not begun yet"
RUN_ENDS = (RunSuccess, RunFailure)
LEFT_ALONE = "was running when the execution was stopped"


class RunFacts(msgspec.Struct, frozen=True):
    """All that is known of a run. ``running`` are the steps, or items of them, that are being computed; ``why`` is what
    ended it beside its steps: a refused request, somebody who stopped it, an error of the service. ``concluded`` are
    those of the ``events`` that nobody has recorded."""

    summary: RunSummary
    events: list[AnyEvent]
    running: list[Unit] = []
    why: str = ""
    concluded: list[AnyEvent] = []


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
    ended = {(event.step, event.item, event.attempt) for event in whole if isinstance(event, ENDS)}
    running = [
        (one.step, one.item)
        for one in invocations
        if one.kind == "step" and _goes_on(one, ended=(one.step, one.item, one.attempt) in ended)
    ]
    selected = record.request.get("steps")
    kept = {step.step: step for step in stored.steps} if stored is not None else {}
    by_step: dict[str, list[AnyEvent]] = {}
    for event in whole:
        by_step.setdefault(event.step, []).append(event)
    steps: list[StepSummary] = []
    for step in plan.steps:
        one = kept.get(step.name)
        if selected is not None and step.name not in selected:
            one = StepSummary(step=step.name, solid=step.solid, status="not selected")
        elif one is None or step.name in repaired:
            one = summarise_step(step, by_step.get(step.name, []), items.get(step.name))
        steps.append(_with_reason(one, {name for name, _ in running}, status))
    why = _why(stored, execution, status)
    summary = _summary(record, stored, execution, status, steps, why, now)
    if not any(isinstance(event, RunStart) for event in whole):
        whole.insert(0, run_start(record, sum(1 for step in steps if step.status != "not selected")))
    if status != "running" and stored is None and not any(isinstance(event, RUN_ENDS) for event in whole):
        whole.append(_end(record, summary))
    known = {_identity(event) for event in events}
    concluded = [event for event in whole if _identity(event) not in known]
    return RunFacts(summary, whole, running if status == "running" else [], why, concluded)


def _identity(event: AnyEvent) -> tuple[str, str, int, int]:
    return event.step, event.item, event.attempt, event.seq


def _goes_on(invocation: Invocation, *, ended: bool) -> bool:
    """Whether a step is being computed, or was when the execution was stopped. What it recorded may be newer."""
    return not ended if invocation.outcome == "running" else invocation.open


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
    why: str,
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
        message=_message(stored, status, steps, why),
        preset=record.preset,
        tags=record.tags,
        execution=record.execution,
        engine=record.engine,
    )


def _why(stored: RunSummary | None, execution: Execution | None, status: RunStatus) -> str:
    if execution is None or status in ("running", "success"):
        return ""
    if status == "cancelled":
        said = ": ".join(part for part in (execution.error, execution.cause) if part)
        return f"the execution was stopped: {said}" if said else "the execution was stopped"
    return died_of(execution) if stored is None or stored.status == "success" else ""


def _message(stored: RunSummary | None, status: RunStatus, steps: list[StepSummary], why: str) -> str:
    if status in ("running", "success"):
        return ""
    failed = [step for step in steps if step.status == "failed"]
    never = [step for step in steps if step.status == "not reached"]
    text = failure_message(failed, never, status if status == "cancelled" else None)
    lines = [part for part in (why, text) if part]
    return "\n".join(lines) if lines else stored.message if stored is not None else ""


def died_of(execution: Execution) -> str:
    """Why an execution ended before End run had anything to say."""
    error = explained(execution.error, execution.cause, None)
    known = execution.error or execution.status
    reason = f"the execution ended as {execution.status}: {known}" + (f": {error.message}" if error.message else "")
    return f"{reason}\n  fix: {error.hint}" if error.hint else reason


def run_start(record: RunRecord, steps: int) -> RunStart:
    """The begin of a run whose events End run has not put together; ``steps`` is how many it computes."""
    return RunStart(
        run=record.run,
        pipeline=record.pipeline,
        execution=record.execution,
        seq=1,
        time=record.started_at,
        elapsed_s=0.0,
        mode=record.mode,
        plan=record.plan,
        steps=steps,
        preset=record.preset,
        tags=record.tags,
        from_run=record.request.get("from_run") or "",
    )


def _end(record: RunRecord, summary: RunSummary) -> AnyEvent:
    """The end of a run that nobody was there to record."""
    common: dict[str, Any] = {
        "run": record.run,
        "pipeline": record.pipeline,
        "execution": record.execution,
        "seq": 2,
        "time": record.started_at + summary.duration_s,
        "elapsed_s": summary.duration_s,
        "duration_s": summary.duration_s,
        "steps": summary.counts(),
    }
    if summary.status == "success":
        return RunSuccess(**common)
    failed = [step.step for step in summary.steps if step.status == "failed"]
    return RunFailure(failed=failed, message=summary.message, **common)
