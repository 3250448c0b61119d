"""The ends that steps could not record themselves, told from the history of the execution.

A step that was killed, throttled or never invoked has no event of its own. Pure functions from events and invocations
to events; nothing that was recorded is changed or left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from solidstate.events import (
    AnyEvent,
    EngineEvent,
    RunStart,
    StepFailure,
    StepRetry,
    StepSkipped,
    StepStart,
    StepSuccess,
)
from solidstate.infra.execution_advice import explained
from solidstate.infra.execution_history import Invocation
from solidstate.planner.plan import ExecutionPlan, Step
from solidstate.storage.records import RunRecord

REPAIRED = "the step could not record this end itself; the history of the execution tells it"
ENDS = (StepSuccess, StepFailure, StepRetry, StepSkipped)

Unit = tuple[str, str]
"""A step, and the item of a mapped one or an empty text."""


def ended_units(events: Sequence[AnyEvent]) -> set[Unit]:
    """The steps, or items of them, of which an end is on record."""
    return {(event.step, event.item) for event in events if isinstance(event, ENDS)}


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
    ended = {event.attempt for event in recorded if isinstance(event, ENDS)}
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
            groups.insert(_place(groups, attempt.attempt), (attempt.attempt, group))
        following = next((one for one in attempts if one.number > attempt.number), None) if attempt.followed else None
        group += _repaired(step, group, attempt, scope, following)
    return [event for _, events in groups for event in events]


def _place(groups: list[tuple[int, list[AnyEvent]]], number: int) -> int:
    """Where an attempt belongs: before later ones, and before the one that has the result, which has the last word."""
    for at, (other, events) in enumerate(groups):
        if other > number or any(isinstance(event, (StepSuccess, StepSkipped)) for event in events):
            return at
    return len(groups)


def _repaired(
    step: Step | None,
    group: Sequence[AnyEvent],
    attempt: Invocation,
    scope: RunRecord,
    following: Invocation | None,
) -> list[AnyEvent]:
    """What an attempt would have written had it lived."""
    common = _common(attempt, scope)
    when = attempt.ended if attempt.ended is not None else attempt.began
    duration = round(max(0.0, when - attempt.began), 3)
    found: list[AnyEvent] = [] if group else [attempt_start(step, attempt, scope)]
    seq = max((event.seq for event in [*group, *found]), default=0)
    error = explained(attempt.error, attempt.cause, step)
    found.append(EngineEvent(message=REPAIRED, seq=seq + 1, time=when, elapsed_s=duration, **common))
    end: dict[str, Any] = {
        "error": error,
        "duration_s": duration,
        "seq": seq + 2,
        "time": when,
        "elapsed_s": duration,
        **common,
    }
    if attempt.followed or not attempt.settled:
        pause = following.began - when if following is not None else 0.0
        found.append(StepRetry(delay_s=round(max(0.0, pause), 3), **end))
    else:
        found.append(StepFailure(**end))
    return found


def attempt_start(step: Step | None, attempt: Invocation, scope: RunRecord) -> StepStart:
    """The begin of an attempt of which only the history tells."""
    solid = step.solid if step is not None else attempt.step
    return StepStart(solid=solid, seq=1, time=attempt.began, elapsed_s=0.0, **_common(attempt, scope))


def _common(attempt: Invocation, scope: RunRecord) -> dict[str, Any]:
    return {
        "run": scope.run,
        "pipeline": scope.pipeline,
        "execution": scope.execution,
        "step": attempt.step,
        "item": attempt.item,
        "attempt": attempt.attempt,
        "state": attempt.state,
    }
