"""What Step Functions and Lambda will refuse, said before they say it.

Quotas as of 2026-11, with their sources: [SFN] Step Functions developer guide, "Service quotas" and "Error handling";
[ASL] Amazon States Language specification; [LAMBDA] Lambda developer guide, "Lambda quotas". Measured figures say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from solidstate.errors import CompileError
from solidstate.planner.contract import RETRY_REQUESTED, SERVICE_ERRORS
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step

MAX_DEFINITION_BYTES = 1_048_576
"""One state machine definition [SFN]."""
MAX_HISTORY_EVENTS = 25_000
"""Events of one standard execution, hard; more fails it [SFN]."""
MAX_INLINE_ITEMS = 1_000
"""Items whose keys (of 64 characters) surely fit into the answer of one Task, 262,144 bytes [SFN]; more are listed in
S3 and run by a distributed Map."""
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
MAP_EVENTS = 4
"""Entered, started, succeeded, exited; as many for a distributed one, whose items have histories of their own."""
ITERATION_EVENTS = 2
"""Each item of an inline Map: iteration started, succeeded."""
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
    events = history_events(definition, plan)
    allowed = MAX_HISTORY_EVENTS - HISTORY_RESERVE
    if events > allowed:
        problems.append(
            CompileError(
                f"A run of `{plan.pipeline}` may write {events:,} history events when all its retries are used; "
                f"Step Functions ends an execution at {MAX_HISTORY_EVENTS:,}, of which {HISTORY_RESERVE:,} are kept "
                "for throttled attempts.",
                subject=plan.pipeline,
                hint=_history_hint(plan, definition, allowed),
            )
        )
    return problems


def history_events(
    definition: bytes, plan: ExecutionPlan | None = None, items_of: Mapping[OutputRef, int] | None = None
) -> int:
    """Events of the longest history one execution can write when every solid uses all attempts its RetryPolicy gives
    and every dynamic output has as many items as ``plan`` allows (1,000 without a plan) or ``items_of`` says.

    That each of many items asks for another attempt although its solid has no RetryPolicy is left out of account.
    Repetitions for throttling and service errors are not in it; :data:`HISTORY_RESERVE` is for them.
    """
    steps = {step.name: step for step in plan.steps} if plan is not None else {}
    total = EXECUTION_EVENTS
    todo: list[tuple[dict[str, Any], int, bool]] = [(msgspec.json.decode(definition), 1, False)]
    while todo:
        machine, times, mapped = todo.pop()
        items: dict[str, int] = {}  # by the Map that the Task tells of them
        for state in machine["States"].values():
            asked = state.get("Parameters", {})
            if asked.get("kind") == "items":
                step, ref = steps.get(asked["step"]), OutputRef(asked["step"], asked["output"])
                limit = step.output(ref.output).max_items if step is not None else MAX_INLINE_ITEMS
                items[state["Next"]] = (items_of or {}).get(ref, limit)
        for name, state in machine["States"].items():
            total += times * _own_events(state, mapped=mapped)
            todo.extend((branch, times, mapped) for branch in state.get("Branches", ()))
            inline = state["Type"] == "Map" and state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "INLINE"
            if inline:
                count = times * items.get(name, MAX_INLINE_ITEMS)
                total += ITERATION_EVENTS * count
                todo.append((state["ItemProcessor"], count, True))
    return total


def _own_events(state: dict[str, Any], *, mapped: bool) -> int:
    if state["Type"] == "Task":
        return TASK_EVENTS + ATTEMPT_EVENTS * _planned_repetitions(state, mapped=mapped)
    return {"Parallel": PARALLEL_EVENTS, "Map": MAP_EVENTS, "Fail": 0}.get(state["Type"], OTHER_EVENTS)


def _history_hint(plan: ExecutionPlan, definition: bytes, allowed: int) -> str:
    over = {step.map_over for step in plan.steps if step.map_over is not None}
    outputs = {ref: plan.step(ref.step).output(ref.output).max_items for ref in sorted(over)}
    inline = {ref: count for ref, count in outputs.items() if count <= MAX_INLINE_ITEMS}
    if inline:
        most = max(inline, key=lambda ref: inline[ref])
        rest = history_events(definition, plan, {most: 0})
        fitting = (allowed - rest) // max(1, history_events(definition, plan, {most: 1}) - rest)
        lower = f", or to at most {fitting:,}" if fitting > 0 else ""
        return (
            f"set `max_items` of output `{most.output}` of `{most.step}` above {MAX_INLINE_ITEMS:,}, which gives each "
            f"item a history of its own{lower}"
        )
    return "split the pipeline, or lower `max_attempts` of the RetryPolicy of its most repeated solids"


def walk_states(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All states of a decoded definition, branches included."""
    todo = [machine]
    while todo:
        for state in todo.pop()["States"].values():
            yield state
            todo.extend(state.get("Branches", ()))
            todo.extend([state["ItemProcessor"]] if "ItemProcessor" in state else [])


def _planned_repetitions(task: dict[str, Any], *, mapped: bool) -> int:
    """Of all retriers but the one for service errors; a retrier without ``MaxAttempts`` repeats 3 times [ASL]."""
    left_out = [[RETRY_REQUESTED]] if mapped else []
    return sum(
        int(retrier.get("MaxAttempts", 3))
        for retrier in task.get("Retry", ())
        if SERVICE_ERRORS[0] not in retrier["ErrorEquals"] and retrier["ErrorEquals"] not in left_out
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
