"""Histories read as invocations: recorded ones from the local AWS, whole and piece by piece."""

from __future__ import annotations

import datetime
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from solidstate.infra.execution_history import Invocation, Timeline, moment, read_history
from tests.infra import histories

Seen = tuple[str, str, int, str, str, bool]


def seen(invocations: list[Invocation]) -> list[Seen]:
    """Step, item, attempt, outcome, error, whether another attempt followed; of steps alone."""
    return sorted(
        (one.step, one.item, one.attempt, one.outcome, one.error, one.followed)
        for one in invocations
        if one.kind == "step"
    )


def test_every_end_of_a_step_is_told() -> None:
    """Time-outs, a kill, throttling, an exception: each attempt with its error, and whether it was the last."""
    timeline = read_history(histories.first("killed"))
    assert seen(timeline.invocations) == [
        ("after", "", 1, "succeeded", "", False),
        ("broken", "", 1, "failed", "StepFailed", False),
        ("busy", "", 1, "failed", "Lambda.TooManyRequestsException", True),
        ("busy", "", 2, "failed", "Lambda.TooManyRequestsException", True),
        ("busy", "", 3, "succeeded", "", False),
        ("endless", "", 1, "failed", "Sandbox.Timedout", True),
        ("endless", "", 2, "failed", "Sandbox.Timedout", False),
        ("fine", "", 1, "succeeded", "", False),
        ("greedy", "", 1, "failed", "Runtime.ExitError", False),
    ]
    assert timeline.over
    assert not any(one.open for one in timeline.invocations)
    assert [one.kind for one in timeline.invocations if one.kind != "step"] == ["start", "end"]


def test_states_and_times_are_known() -> None:
    """The name of the state, and how long the attempt took, in seconds since 1970."""
    (greedy,) = [one for one in read_history(histories.first("killed")).invocations if one.step == "greedy"]
    assert greedy.state == "greedy"
    assert greedy.ended is not None
    assert 0 <= greedy.ended - greedy.began < 5
    assert greedy.began > 1.7e9


def test_items_of_an_inline_map_are_told_apart() -> None:
    """By the key in the payload."""
    timeline = read_history(histories.first("mapped"))
    assert seen(timeline.invocations) == [
        ("each", "k0", 1, "succeeded", "", False),
        ("each", "k1", 1, "failed", "Runtime.ExitError", False),
        ("each", "k2", 1, "succeeded", "", False),
        ("few", "", 1, "succeeded", "", False),
    ]
    assert timeline.map_runs == []


def test_items_of_a_distributed_map_are_elsewhere() -> None:
    """The execution itself knows its map run only; each child has one invocation."""
    main, *children = histories.stored("listed").values()
    timeline = read_history(main)
    assert seen(timeline.invocations) == [("thousands", "", 1, "succeeded", "", False)]
    assert (len(timeline.map_runs), timeline.open_map_runs) == (1, 0)
    assert sorted(one for child in children for one in seen(read_history(child).invocations)) == [
        ("each", "k0", 1, "succeeded", "", False),
        ("each", "k1", 1, "failed", "Runtime.ExitError", False),
        ("each", "k2", 1, "succeeded", "", False),
    ]


def test_a_nested_execution_is_named() -> None:
    """By the ARN with which the service answered."""
    arns = list(histories.stored("nested"))
    timeline = read_history(histories.first("nested"))
    assert (timeline.nested, timeline.invocations) == (arns[1:], [])


def test_a_step_that_parks_has_not_failed() -> None:
    """It is woken by an error of its task, and goes on in another state."""
    timeline = read_history(histories.first("parked"))
    assert [(one.step, one.callback, one.outcome, one.error, one.state) for one in timeline.invocations] == [
        ("parked", True, "parked", "", "parked"),
        ("parked", False, "succeeded", "", "parked (after wait)"),
    ]


def test_what_runs_is_open() -> None:
    """Until its end is told; what is still running when the execution is stopped is left alone."""
    (greedy,) = [one for one in read_history(histories.first("running")).invocations if one.step == "greedy"]
    assert (greedy.outcome, greedy.open, greedy.ended) == ("running", True, None)
    (greedy,) = [one for one in read_history(histories.stopped()).invocations if one.step == "greedy"]
    assert (greedy.outcome, greedy.open) == ("running", False)
    assert greedy.ended is not None


def test_a_refused_request_has_one_invocation() -> None:
    """The gate's."""
    (gate,) = read_history(histories.first("refused")).invocations
    assert (gate.kind, gate.outcome, gate.error) == ("start", "failed", "RunRefused")


@given(cuts=st.lists(st.integers(0, 120), max_size=5), name=st.sampled_from(["killed", "mapped", "listed", "parked"]))
def test_a_history_may_come_in_pieces(cuts: list[int], name: str) -> None:
    """What is known after the last of them does not depend on where they were cut; each piece tells what it changed."""
    events = histories.first(name)
    timeline = Timeline()
    changed: set[int] = set()
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(events)], strict=True):
        changed |= {one.number for one in timeline.take(events[begin:end])}
    whole = read_history(events)
    assert timeline.invocations == whole.invocations
    assert timeline.last == events[-1]["id"]
    assert changed == {one.number for one in whole.invocations}


def test_other_ends_are_ends_too() -> None:
    """A function that could not be scheduled or started, a task that timed out; without a name, a time-out has one."""

    def event(number: int, kind: str, **details: Any) -> dict[str, Any]:
        key = f"{kind[0].lower()}{kind[1:]}EventDetails"
        return {"id": number, "previousEventId": number - 1, "type": kind, "timestamp": 1.0 * number, key: details}

    def after(kind: str, **details: Any) -> tuple[str, str]:
        payload = '{"kind": "step", "step": "s"}'
        events = [event(1, "LambdaFunctionScheduled", input=payload), event(2, kind, **details)]
        (one,) = read_history(events).invocations
        return one.outcome, one.error

    assert after("LambdaFunctionScheduleFailed", error="Lambda.TooManyRequestsException") == (
        "failed",
        "Lambda.TooManyRequestsException",
    )
    assert after("LambdaFunctionStartFailed", error="E") == ("failed", "E")
    assert after("LambdaFunctionTimedOut") == ("failed", "States.Timeout")
    assert after("TaskTimedOut", error="States.Timeout") == ("failed", "States.Timeout")


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", '{"kind": 3}'])
def test_a_payload_that_says_nothing_is_no_step(text: str) -> None:
    """Tasks of others, and data that may not be seen, are told from steps."""
    scheduled = {"id": 1, "previousEventId": 0, "type": "LambdaFunctionScheduled", "timestamp": 1.0}
    (one,) = read_history([scheduled | {"lambdaFunctionScheduledEventDetails": {"input": text}}]).invocations
    assert (one.kind, one.step) == ("", "")


def test_a_moment_has_several_forms() -> None:
    """As boto3 gives it, as kept in a file, as a number."""
    when = datetime.datetime(2026, 11, 28, 12, 0, 0, 500_000, tzinfo=datetime.UTC)
    assert moment(when) == moment("2026-11-28T12:00:00.500000+00:00") == moment(when.timestamp())
