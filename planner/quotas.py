"""The quotas of ``planner.limits`` as proofs: what the services would refuse or break at, said before they do.

Everything is counted on the definitions that are deployed, ARNs at their full length, all retries used, all waits
parked. What does not fit was moved into nested executions before (``planner.fit``); what is still too large cannot be
cut, and is refused with the reason and the fix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from solidstate.errors import CompileError
from solidstate.planner.contract import MAX_INLINE_REQUEST_BYTES
from solidstate.planner.history import EXECUTION_EVENTS, events_of
from solidstate.planner.limits import (
    EPHEMERAL_MB,
    HISTORY_RESERVE,
    MAX_DEFINITION_BYTES,
    MAX_HISTORY_EVENTS,
    MAX_LAMBDA_TIMEOUT_S,
    MAX_PAYLOAD_BYTES,
    MAX_RETRY_ATTEMPTS,
    MAX_RETRY_DELAY_S,
    MEMORY_MB,
)
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step
from solidstate.planner.states import Map, Parallel, State, Task, deployed_bytes, payload_of

MANY_NAMES = 500
"""Fewer names, of at most 255 characters, cannot fill a payload."""
_HANDLE_BYTES = MAX_INLINE_REQUEST_BYTES + 4_096
"""What ``$.run`` adds to a payload: the run request as far as it travels, and the names around it."""


class Sized(msgspec.Struct, frozen=True):
    """One machine: its definition, and ``item`` when it is run for one item of a Map."""

    name: str
    definition: bytes
    states: Mapping[str, State]
    item: bool = False


def check_quotas(plan: ExecutionPlan, machines: list[Sized]) -> list[CompileError]:
    """Everything for which the services would refuse ``plan`` or one of its ``machines``, or break a run of it."""
    problems = [problem for step in plan.steps for problem in _check_step(step)]
    items_of = {
        OutputRef(step.name, out.name): out.max_items for step in plan.steps for out in step.outputs if out.dynamic
    }
    for machine in machines:
        problems += _check_machine(plan, machine, items_of)
    return problems


def _check_machine(plan: ExecutionPlan, machine: Sized, items_of: Mapping[OutputRef, int]) -> Iterator[CompileError]:
    size = deployed_bytes(machine.definition)
    if size > MAX_DEFINITION_BYTES:
        yield CompileError(
            f"The definition of {machine.name} has {size:,} bytes; Step Functions accepts at most "
            f"{MAX_DEFINITION_BYTES:,}, and what it holds cannot be divided further.",
            subject=plan.pipeline,
            hint="divide the pipeline in two",
        )
    allowed = MAX_HISTORY_EVENTS - HISTORY_RESERVE
    histories = {machine.name: events_of(machine.states, items_of, mapped=machine.item)}
    for name, state in _states(machine.states):
        if isinstance(state, Map) and state.item_processor.processor_config.mode == "DISTRIBUTED":
            histories[f"`{name}` for one item"] = events_of(state.item_processor.states, items_of)
    for name, counted in histories.items():
        if (events := EXECUTION_EVENTS + counted) <= allowed:
            continue
        yield CompileError(
            f"An execution of {name} may write {events:,} history events when all its retries are used; "
            f"Step Functions ends an execution at {MAX_HISTORY_EVENTS:,}, of which {HISTORY_RESERVE:,} are kept "
            "for throttled attempts.",
            subject=plan.pipeline,
            hint="lower `max_attempts` of the RetryPolicy of its most repeated solids",
        )
    for name, state in _states(machine.states):
        payload = payload_of(state) if isinstance(state, Task) else {}
        if len(payload.get("waits", ())) + len(payload.get("wakes", ())) < MANY_NAMES:
            continue
        size = len(msgspec.json.encode(payload)) + _HANDLE_BYTES
        if size > MAX_PAYLOAD_BYTES and payload.get("kind") != "ended":  # which names no more than its step does
            yield CompileError(
                f"State `{name}` would hand {size:,} bytes to its function; Step Functions allows "
                f"{MAX_PAYLOAD_BYTES:,}. It names the {len(payload.get('waits', ())):,} steps it waits for and the "
                f"{len(payload.get('wakes', ())):,} it wakes.",
                subject=name,
                path=f"steps.{name}",
                hint="put solids between that gather a thousand of them each",
            )


def _states(states: Mapping[str, State]) -> Iterator[tuple[str, State]]:
    todo = [states]
    while todo:
        for name, state in todo.pop().items():
            yield name, state
            if isinstance(state, Parallel):
                todo.extend(branch.states for branch in state.branches)
            elif isinstance(state, Map):
                todo.append(state.item_processor.states)


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
