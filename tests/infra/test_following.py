"""An execution that is followed: each event once, as a local run would tell it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.events import AnyEvent, RunStart, StepFailure, StepRetry, StepStart, StepSuccess, kind_of, step_label
from solidstate.infra.deployed import Deployed, Place, find_deployed
from solidstate.infra.executions import parse_machine_arn
from solidstate.infra.following import QUICK_LOOKS, QUICK_S, SLOW_S, Follower, pauses
from tests.infra import histories
from tests.stacks import Stack, deployed


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with deployed("followed", histories.PIPELINES) as found:
        yield found


@pytest.fixture(scope="module")
def place(stack: Stack) -> Deployed:
    return find_deployed(Place(stack="followed"), Path())


def follower(place: Deployed, stack: Stack, pipeline: str, run: str, seen: list[AnyEvent]) -> Follower:
    arn = parse_machine_arn(stack.machines[pipeline]).execution(run)
    return Follower(place.executions, place.store, pipeline, run, arn, seen.append)


def outline(seen: list[AnyEvent]) -> list[str]:
    """Begins and ends, in the order in which they were told."""
    kinds = (RunStart, StepStart, StepSuccess, StepRetry, StepFailure)
    return [f"{kind_of(one)} {step_label(one)}#{one.attempt}".strip() for one in seen if isinstance(one, kinds)]


def test_a_run_is_told_as_it_goes(stack: Stack, place: Deployed) -> None:
    """The begin of the run first; each attempt's begin before its end; retries as retries; nothing twice."""
    histories.prepare(stack)
    place.executions.start(place.machine_of("killed").arn, "told", "{}")
    seen: list[AnyEvent] = []
    ended = follower(place, stack, "killed", "told", seen).follow(itertools.repeat(0.05))
    stack.invoker.reset()
    assert (ended.status, ended.error) == ("FAILED", "RunFailed")
    told = outline(seen)
    assert told[0] == "run_start #0"
    assert sorted(told) == sorted(
        [
            "run_start #0",
            *(f"step_start {name}#1" for name in ("fine", "endless", "greedy", "busy", "broken")),
            *("step_start endless#2", "step_start after#1", "step_start busy#2", "step_start busy#3"),
            *("step_success fine#1", "step_success busy#3"),
            *("step_up_for_retry endless#1", "step_up_for_retry busy#1", "step_up_for_retry busy#2"),
            *("step_failure endless#2", "step_failure greedy#1", "step_failure broken#1"),
        ]
    )
    for line in told[1:]:
        kind, _, attempt = line.partition(" ")
        assert kind == "step_start" or told.index(f"step_start {attempt}") < told.index(line)


def test_the_items_of_a_distributed_map_are_told(stack: Stack, place: Deployed) -> None:
    """By what they leave in S3; a killed one leaves nothing, and is told by the summary."""
    histories.prepare(stack)
    place.executions.start(place.machine_of("listed").arn, "items", "{}")
    seen: list[AnyEvent] = []
    follower(place, stack, "listed", "items", seen).follow(itertools.repeat(0.05))
    stack.invoker.reset()
    assert sorted(one for one in outline(seen) if "each" in one) == [
        "step_start each[k0]#1",
        "step_start each[k2]#1",
        "step_success each[k0]#1",
        "step_success each[k2]#1",
    ]


def test_a_refused_run_tells_nothing(stack: Stack, place: Deployed) -> None:
    """It ends; why is for the caller to say. Neither does one whose name another run has."""
    seen: list[AnyEvent] = []
    place.executions.start(place.machine_of("killed").arn, "refused", '{"solid": {}}')
    assert follower(place, stack, "killed", "refused", seen).follow(itertools.repeat(0.05)).error == "RunRefused"
    stack.run("killed", {}, "other")
    arn = parse_machine_arn(stack.machines["killed"]).execution("refused")
    again = Follower(place.executions, place.store, "killed", "other", arn, seen.append)
    assert again.follow(itertools.repeat(0.05)).error == "RunRefused"
    assert seen == []


def test_looking_stops_when_there_are_no_more_pauses(stack: Stack, place: Deployed) -> None:
    """The execution is left as it is."""
    stack.invoker.reset()
    stack.invoker.hold("greedy")
    stack.begin("killed", {}, "held", "greedy")
    seen: list[AnyEvent] = []
    assert follower(place, stack, "killed", "held", seen).follow([0.0, 0.0]).running
    stack.invoker.reset()
    assert "step_start greedy#1" in outline(seen)
    assert "step_success greedy#1" not in outline(seen)


def test_pauses_grow() -> None:
    """Short runs are told soon, long ones cost few requests."""
    found = list(itertools.islice(pauses(), QUICK_LOOKS + 3))
    assert found == [QUICK_S] * QUICK_LOOKS + [SLOW_S] * 3
