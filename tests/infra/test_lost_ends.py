"""The ends that steps could not record themselves: put where they belong, and nothing else changed."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from solidstate.events import (
    AnyEvent,
    EngineEvent,
    ErrorInfo,
    RunFailure,
    RunStart,
    StepFailure,
    StepRetry,
    StepStart,
    StepSuccess,
)
from solidstate.infra.execution_history import Invocation, read_history
from solidstate.infra.lost_ends import REPAIRED, completed_events, ended_units, unit_events
from solidstate.planner.build import build_plan
from solidstate.planner.plan import Step
from solidstate.storage.records import RunRecord
from tests.infra import histories

RECORD = RunRecord(
    run="run-1", pipeline="killed", plan="p", mode="default", started_at=100.0, execution="arn:aws:states:x"
)
STEP = Step(name="s", solid="make_s")


def attempt(number: int, error: str = "Sandbox.Timedout", **more: Any) -> Invocation:
    """One that failed and was not repeated."""
    facts: dict[str, Any] = {
        "kind": "step",
        "step": "s",
        "item": "",
        "attempt": number,
        "state": "s",
        "number": number * 10,
        "began": 100.0 + number,
        "ended": 100.5 + number,
        "outcome": "failed" if error else "succeeded",
        "error": error,
        "settled": True,
    }
    return Invocation(**facts | more)


def event(kind: Any, number: int, seq: int, step: str = "s", **facts: Any) -> Any:
    """One that the step recorded itself."""
    return kind(run="run-1", pipeline="killed", step=step, attempt=number, seq=seq, time=100.0, elapsed_s=0.0, **facts)


def success(number: int) -> list[AnyEvent]:
    return [event(StepStart, number, 1, solid="make_s"), event(StepSuccess, number, 2, duration_s=0.1)]


def outline(events: list[AnyEvent]) -> list[tuple[str, int, int]]:
    return [(type(one).__name__, one.attempt, one.seq) for one in events]


def test_an_attempt_without_a_trace_gets_begin_and_end() -> None:
    """With the reason, the advice, the times of the history, and a word on where they are from."""
    start, note, end = unit_events(STEP, [], [attempt(1)], RECORD)
    assert isinstance(start, StepStart)
    assert (start.solid, start.time, start.state, start.execution) == ("make_s", 101.0, "s", "arn:aws:states:x")
    assert isinstance(note, EngineEvent)
    assert note.message == REPAIRED
    assert isinstance(end, StepFailure)
    assert (end.seq, end.time, end.duration_s, end.attempt) == (3, 101.5, 0.5, 1)
    assert end.error.hint == "split its work: 900 s is the longest a Lambda function may take"


def test_an_attempt_that_was_repeated_is_a_retry() -> None:
    """With the pause there really was; what the other attempts recorded stays, in order."""
    attempts = [attempt(1, followed=True), attempt(2, "")]
    found = unit_events(STEP, success(2), attempts, RECORD)
    assert outline(found) == [
        ("StepStart", 1, 1),
        ("EngineEvent", 1, 2),
        ("StepRetry", 1, 3),
        ("StepStart", 2, 1),
        ("StepSuccess", 2, 2),
    ]
    (retry,) = [one for one in found if isinstance(one, StepRetry)]
    assert retry.delay_s == 0.5


def test_an_attempt_that_may_be_repeated_has_not_failed_yet() -> None:
    """While the execution runs, and the state has not been left."""
    assert isinstance(unit_events(STEP, [], [attempt(1, settled=False)], RECORD)[-1], StepRetry)


def test_what_an_attempt_began_to_record_is_completed() -> None:
    """Its own events first; only the end is added."""
    found = unit_events(STEP, [event(StepStart, 1, 1, solid="make_s")], [attempt(1)], RECORD)
    assert outline(found) == [("StepStart", 1, 1), ("EngineEvent", 1, 2), ("StepFailure", 1, 3)]


def test_a_recorded_end_is_never_told_again() -> None:
    """An attempt that was believed to be dead and committed, one that recorded its failure: as they were."""
    failed = [event(StepFailure, 1, 1, duration_s=0.1, error=ErrorInfo(type="ValueError", message="no"))]
    assert unit_events(STEP, failed, [attempt(1, "StepFailed")], RECORD) == failed
    assert unit_events(STEP, success(1), [attempt(1, "States.Timeout")], RECORD) == success(1)


def test_the_result_has_the_last_word() -> None:
    """An attempt that was believed to be dead has committed, and the one after it was killed."""
    found = unit_events(STEP, success(1), [attempt(1, "States.Timeout", followed=True), attempt(2)], RECORD)
    assert outline(found)[-1] == ("StepSuccess", 1, 2)
    assert ("StepFailure", 2, 3) in outline(found)


def test_a_whole_run_is_in_the_order_of_its_plan() -> None:
    """The recorded history of killed steps with no events at all: every end, between those of the run."""
    plan = build_plan(histories.killed)
    begin = event(RunStart, 0, 1, step="", mode="default", plan="p", steps=6)
    end = event(RunFailure, 0, 2, step="", duration_s=1.0, steps={}, failed=[], message="")
    found = completed_events(plan, [begin, end], read_history(histories.first("killed")).invocations, RECORD)
    assert (found[0], found[-1]) == (begin, end)
    ends = [
        (one.step, one.attempt, type(one).__name__, one.error.type)
        for one in found
        if isinstance(one, (StepRetry, StepFailure))
    ]
    assert ends == [
        ("endless", 1, "StepRetry", "Sandbox.Timedout"),
        ("endless", 2, "StepFailure", "Sandbox.Timedout"),
        ("greedy", 1, "StepFailure", "Runtime.ExitError"),
        ("busy", 1, "StepRetry", "Lambda.TooManyRequestsException"),
        ("busy", 2, "StepRetry", "Lambda.TooManyRequestsException"),
        ("broken", 1, "StepFailure", "StepFailed"),
    ]
    assert ended_units(found) == {("endless", ""), ("greedy", ""), ("busy", ""), ("broken", "")}


def test_items_stay_apart() -> None:
    """Of a mapped step, the item that was killed gets its end; those that recorded theirs are left alone."""
    plan = build_plan(histories.mapped)
    recorded = [event(StepSuccess, 1, 1, "each", item=key, duration_s=0.1) for key in ("k0", "k2")]
    found = completed_events(plan, recorded, read_history(histories.first("mapped")).invocations, RECORD)
    assert [(one.item, type(one).__name__) for one in found] == [
        ("k0", "StepSuccess"),
        ("k2", "StepSuccess"),
        ("k1", "StepStart"),
        ("k1", "EngineEvent"),
        ("k1", "StepFailure"),
    ]


LIVES = st.lists(st.sampled_from(["recorded", "lost", "half"]), min_size=1, max_size=5)


@given(lives=LIVES, last_succeeds=st.booleans())
def test_recorded_events_are_never_changed(lives: list[str], last_succeeds: bool) -> None:
    """Whatever was recorded is there afterwards, in its order; every attempt has exactly one end."""
    recorded: list[AnyEvent] = []
    attempts: list[Invocation] = []
    for number, life in enumerate(lives, 1):
        last = number == len(lives)
        good = last and last_succeeds
        attempts.append(attempt(number, "" if good else "Runtime.ExitError", followed=not last, settled=last))
        if good:
            recorded += success(number)
        elif life != "lost":
            recorded.append(event(StepStart, number, 1, solid="make_s"))
            if life == "recorded":
                error = ErrorInfo(type="E", message="")
                kind: Any = StepFailure if last else StepRetry
                more: dict[str, Any] = {} if last else {"delay_s": 1.0}
                recorded.append(event(kind, number, 2, duration_s=0.1, error=error, **more))
    found = unit_events(STEP, recorded, attempts, RECORD)
    assert [one for one in found if one in recorded] == recorded
    ends = [one.attempt for one in found if isinstance(one, (StepSuccess, StepFailure, StepRetry))]
    assert ends == list(range(1, len(lives) + 1))
    assert [one.attempt for one in found] == sorted(one.attempt for one in found)
