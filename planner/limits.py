"""What Step Functions and Lambda will refuse, said before they say it.

Quotas as of 2026-11, with their sources: [SFN] Step Functions developer guide, "Service quotas" and "Error handling";
[ASL] Amazon States Language specification; [LAMBDA] Lambda developer guide, "Lambda quotas". Measured figures say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from solidstate.errors import CompileError
from solidstate.planner.contract import SERVICE_ERRORS
from solidstate.planner.plan import ExecutionPlan, Step

MAX_DEFINITION_BYTES = 1_048_576
"""One state machine definition [SFN]."""
MAX_HISTORY_EVENTS = 25_000
"""Events of one standard execution, hard; more fails it [SFN]."""
MAX_LAMBDA_TIMEOUT_S = 900
"""[LAMBDA]"""
MEMORY_MB = (128, 10_240)
"""[LAMBDA]"""
EPHEMERAL_MB = (512, 10_240)
"""[LAMBDA]"""
MAX_RETRY_ATTEMPTS = 99_999_999
"""``MaxAttempts`` and ``IntervalSeconds`` [SFN]."""
MAX_RETRY_DELAY_S = 31_622_399
"""``MaxDelaySeconds`` must be below 31,622,400 [SFN]."""

HISTORY_RESERVE = 1_000
"""Events kept free for what cannot be planned: throttled attempts (3 events each) and a redrive, which the service only
offers while an execution has fewer than 24,999 events [SFN]."""
EXECUTION_EVENTS = 2
TASK_EVENTS = 5
"""Entered, scheduled, started, ended, exited: counted in the histories of an interpreter, and documented [SFN]."""
ATTEMPT_EVENTS = 3
"""Each repetition: scheduled, started, failed."""
PARALLEL_EVENTS = 4
OTHER_EVENTS = 2
"""A Pass or Succeed: entered, exited."""


def check_limits(plan: ExecutionPlan, definition: bytes) -> list[CompileError]:
    """Everything for which the services would refuse ``plan`` or its ``definition``, in plan order."""
    problems = [problem for step in plan.steps for problem in _check_step(step)]
    steps = len(plan.steps)
    if len(definition) > MAX_DEFINITION_BYTES:
        problems.append(
            CompileError(
                f"The definition of `{plan.pipeline}` has {len(definition):,} bytes for {steps:,} steps; Step "
                f"Functions accepts at most {MAX_DEFINITION_BYTES:,}.",
                subject=plan.pipeline,
                hint="split the pipeline into several of at most about "
                f"{steps * MAX_DEFINITION_BYTES // len(definition):,} steps each",
            )
        )
    events = history_events(definition)
    allowed = MAX_HISTORY_EVENTS - HISTORY_RESERVE
    if events > allowed:
        problems.append(
            CompileError(
                f"A run of `{plan.pipeline}` may write {events:,} history events when all its retries are used; "
                f"Step Functions ends an execution at {MAX_HISTORY_EVENTS:,}, of which {HISTORY_RESERVE:,} are kept "
                "for throttled attempts.",
                subject=plan.pipeline,
                hint="split the pipeline, or lower `max_attempts` of the RetryPolicy of its most repeated solids",
            )
        )
    return problems


def history_events(definition: bytes) -> int:
    """Events of the longest history one execution can write when every solid uses all attempts its RetryPolicy gives.

    Repetitions for throttling and service errors are not in it; :data:`HISTORY_RESERVE` is for them.
    """
    total = EXECUTION_EVENTS
    for state in walk_states(msgspec.json.decode(definition)):
        if state["Type"] == "Task":
            total += TASK_EVENTS + ATTEMPT_EVENTS * _planned_repetitions(state)
        elif state["Type"] == "Parallel":
            total += PARALLEL_EVENTS
        elif state["Type"] != "Fail":
            total += OTHER_EVENTS
    return total


def walk_states(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All states of a decoded definition, branches included."""
    todo = [machine]
    while todo:
        for state in todo.pop()["States"].values():
            yield state
            todo.extend(state.get("Branches", ()))


def _planned_repetitions(task: dict[str, Any]) -> int:
    """Of all retriers but the one for service errors; a retrier without ``MaxAttempts`` repeats 3 times [ASL]."""
    return sum(
        int(retrier.get("MaxAttempts", 3))
        for retrier in task.get("Retry", ())
        if SERVICE_ERRORS[0] not in retrier["ErrorEquals"]
    )


def _check_step(step: Step) -> Iterator[CompileError]:
    compute = step.compute
    yield from _check_range(step, "compute.timeout_s", compute.timeout_s, (1, MAX_LAMBDA_TIMEOUT_S), "seconds")
    yield from _check_range(step, "compute.memory_mb", compute.memory_mb, MEMORY_MB, "MiB")
    yield from _check_range(step, "compute.ephemeral_mb", compute.ephemeral_mb, EPHEMERAL_MB, "MiB")
    retry = step.retry
    if retry is not None:
        yield from _check_range(step, "retry.max_attempts", retry.max_attempts, (1, MAX_RETRY_ATTEMPTS))
        yield from _check_range(step, "retry.delay_s", retry.delay_s, (0, MAX_RETRY_DELAY_S - 1), "seconds")
        if retry.max_delay_s is not None:
            yield from _check_range(step, "retry.max_delay_s", retry.max_delay_s, (1, MAX_RETRY_DELAY_S), "seconds")
        if not retry.backoff >= 1:
            yield CompileError(
                f"`retry.backoff` of step `{step.name}` must be at least 1, but is {retry.backoff:g}.",
                subject=step.name,
                path=f"steps.{step.name}.retry.backoff",
                hint=f"set it to 1 for a constant delay, in the definition of `{step.solid}`",
            )


def _check_range(step: Step, field: str, found: int, bounds: tuple[int, int], unit: str = "") -> Iterator[CompileError]:
    low, high = bounds
    if not low <= found <= high:
        nearest = low if found < low else high
        yield CompileError(
            f"`{field}` of step `{step.name}` must be between {low:,} and {high:,}{f' {unit}' if unit else ''}, "
            f"but is {found:,}.",
            subject=step.name,
            path=f"steps.{step.name}.{field}",
            hint=f"set it to {nearest}, the nearest allowed value, in the definition of `{step.solid}`",
        )
