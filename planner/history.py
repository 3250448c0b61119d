"""How many events an execution writes to its history at the very most: all retries used, all waits parked.

Counted on the definition itself, so that what is proved is what is deployed.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from solidstate.planner.contract import RETRY_REQUESTED, SERVICE_ERRORS
from solidstate.planner.plan import ExecutionPlan, OutputRef
from solidstate.planner.retries import NESTED_SERVICE, PARK_AGAIN
from solidstate.planner.states import CALLBACK, START_EXECUTION, Fail, Machine, Map, Parallel, State, Task, payload_of

EXECUTION_EVENTS = 2
TASK_EVENTS = 5
"""Entered, scheduled, started, ended, exited: counted in the histories of an interpreter, and documented (developer
guide, "Viewing execution history")."""
CALLBACK_EVENTS = 6
"""One more, submitted; a nested execution has as many in its parent."""
ATTEMPT_EVENTS = 3
"""Each repetition: scheduled, started, failed; of a callback one more."""
PARALLEL_EVENTS = 4
MAP_EVENTS = 4
"""Entered, started, succeeded, exited; as many for a distributed one, whose items have histories of their own."""
ITERATION_EVENTS = 2
"""Each item of an inline Map: iteration started, succeeded."""
OTHER_EVENTS = 2
"""A Pass or Succeed: entered, exited."""
UNPLANNED = (SERVICE_ERRORS[0], NESTED_SERVICE.error_equals[0], PARK_AGAIN.error_equals[0])
"""First names of retriers for faults of a service, which no plan can bound; a reserve is kept for them."""


def history_events(
    definition: bytes,
    plan: ExecutionPlan | None = None,
    items_of: Mapping[OutputRef, int] | None = None,
    *,
    item: bool = False,
) -> int:
    """Events of the longest history one execution of ``definition`` can write when every solid uses all attempts its
    RetryPolicy gives and every dynamic output has as many items as ``plan`` allows (1,000 without a plan) or
    ``items_of`` says. ``item``: the machine is a part that is run for one item of a Map.

    That each of many items asks for another attempt although its solid has no RetryPolicy is left out of account.
    Repetitions for throttling and service errors are not in it.
    """
    machine = msgspec.json.decode(definition, type=Machine)
    most = {
        OutputRef(step.name, out.name): out.max_items
        for step in (plan.steps if plan is not None else ())
        for out in step.outputs
        if out.dynamic
    }
    return EXECUTION_EVENTS + events_of(machine.states, {**most, **(items_of or {})}, mapped=item)


def events_of(states: Mapping[str, State], items_of: Mapping[OutputRef, int], *, mapped: bool = False) -> int:
    """Events of these states and all inside them, each entered once. ``mapped``: they are run for one item of many.
    Recursion is bounded by the nesting of Parallels and Maps."""
    total = 0
    asked: dict[str, OutputRef] = {}  # by the Map that the Task tells of them
    for state in states.values():
        if isinstance(state, Task):
            payload = payload_of(state)
            if payload.get("kind") == "items" and isinstance(state.next, str):
                asked[state.next] = OutputRef(payload["step"], payload["output"])
    for name, state in states.items():
        if isinstance(state, Task):
            total += _task_events(state, mapped=mapped)
        elif isinstance(state, Parallel):
            total += PARALLEL_EVENTS + sum(events_of(one.states, items_of, mapped=mapped) for one in state.branches)
        elif isinstance(state, Map):
            total += MAP_EVENTS
            if state.item_processor.processor_config.mode == "INLINE":
                count = items_of.get(asked[name], MAX_ITEMS_UNKNOWN) if name in asked else MAX_ITEMS_UNKNOWN
                total += count * (ITERATION_EVENTS + events_of(state.item_processor.states, items_of, mapped=True))
        else:
            total += 0 if isinstance(state, Fail) else OTHER_EVENTS
    return total


MAX_ITEMS_UNKNOWN = 1_000
"""Items of an inline Map when no plan tells: as many as one ever has."""


def _task_events(task: Task, *, mapped: bool) -> int:
    waits = task.resource in (CALLBACK, START_EXECUTION)
    attempt = ATTEMPT_EVENTS + (task.resource == CALLBACK)
    return (CALLBACK_EVENTS if waits else TASK_EVENTS) + attempt * _planned_repetitions(task, mapped=mapped)


def _planned_repetitions(task: Task, *, mapped: bool) -> int:
    """Of all retriers but those for faults of a service; one without ``MaxAttempts`` repeats 3 times (Amazon States
    Language)."""
    total = 0
    for retrier in task.retry:
        if retrier.error_equals[0] in UNPLANNED or (mapped and retrier.error_equals == (RETRY_REQUESTED,)):
            continue
        total += 3 if isinstance(retrier.max_attempts, msgspec.UnsetType) else retrier.max_attempts
    return total
