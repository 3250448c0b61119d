"""The states of single steps: their payloads are what the contract says, and their ways lead where they should."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from solidstate.planner import contract
from solidstate.planner.plan import OutputRef, Retry, Step
from solidstate.planner.states import CALLBACK, FUNCTION, Task, payload_of
from solidstate.planner.step_states import Meeting, StepNames, Way, gate_task, step_states

RUN = {"id": "r", "mode": "m"}
STEP = Step("join", "join", description="Joins the two.\n\nAt length.", retry=Retry(max_attempts=3))
NAMES = StepNames("join", "join (after wait)", "join failed")


def decoded(task: Task) -> Any:
    """The payload as the function decodes it, with paths filled in."""
    filled = {"run": RUN, "retry": 0, "token": "t-1", "item": "k"}
    given = {
        key.removesuffix(".$"): filled.get(key.removesuffix(".$"), value) for key, value in payload_of(task).items()
    }
    return msgspec.convert(given, contract.Payload)


def tasks(meeting: Meeting, way: Way, step: Step = STEP, names: StepNames = NAMES) -> dict[str, Task]:
    """The Tasks among the states."""
    return {name: state for name, state in step_states(step, names, meeting, way).items() if isinstance(state, Task)}


def test_a_plain_step_is_one_task() -> None:
    """Whatever it fails of, the machine goes on."""
    (task,) = tasks(Meeting(), Way("next"), names=StepNames("join")).values()
    assert decoded(task) == contract.StepPayload("join", contract.RunHandle("r", "m"))
    assert (task.resource, task.comment, task.next, task.catch[-1].next) == (FUNCTION, "Joins the two.", "next", "next")


def test_a_step_with_a_rendezvous_waits_by_its_token_and_is_run_once_woken() -> None:
    """Two states: one that parks, one that is entered when the token was answered with Ready."""
    waiting, woken = tasks(
        Meeting(waits=("a", "b")), Way("next"), names=StepNames("join", "join (after wait)")
    ).values()
    assert waiting.resource == CALLBACK
    assert decoded(waiting) == contract.StepPayload("join", contract.RunHandle("r", "m"), token="t-1", waits=["a", "b"])
    assert decoded(woken) == contract.StepPayload("join", contract.RunHandle("r", "m"), woken=True)
    assert waiting.comment == "Joins the two.; also waits for a, b"
    assert [(one.error_equals, one.next) for one in waiting.catch] == [
        (("Ready",), "join (after wait)"),
        (("States.ALL",), "next"),
    ]
    assert waiting.retry[0].error_equals == ("States.Timeout",)  # looks again, before any other rule about time-outs
    assert waiting.retry[1:] == woken.retry
    assert (waiting.next, woken.next) == ("next", "next")


def test_a_step_that_others_wait_for_tells_them_even_when_it_fails() -> None:
    """Its Catch leads to a Task that puts its end on record; nothing catches a failure of that."""
    states = tasks(Meeting(wakes=("c", "d")), Way("next"), names=StepNames("join", failed="join failed"))
    assert decoded(states["join"]).wakes == ["c", "d"]
    assert states["join"].catch[-1].next == "join failed"
    failed = states["join failed"]
    assert decoded(failed) == contract.EndedPayload("join", contract.RunHandle("r", "m"), ["c", "d"])
    assert (failed.next, failed.catch) == ("next", ())


def test_mapped_steps_pass_their_item_on() -> None:
    """In every payload, for keys of the protocol carry it."""
    step = msgspec.structs.replace(STEP, map_over=OutputRef("make", "items"))
    states = tasks(Meeting(("a",), ("c",)), Way("next"), step)
    assert {decoded(task).item for task in states.values()} == {"k"}


def test_the_last_step_of_a_branch_ends_it_either_way() -> None:
    """With its digest where branches are few, with nothing where they are many or it failed."""
    for joined, path in ((True, "$.result"), (False, None)):
        states = step_states(STEP, StepNames("join", failed="join failed"), Meeting(), Way(joined=joined))
        task = states["join"]
        assert isinstance(task, Task)
        assert (task.end, task.output_path) == (True, path)
        assert task.catch[-1].next == "join failed"


def test_a_gate_goes_on_to_what_it_holds_up() -> None:
    """Answered at once or woken later, the way is the same; its own failure is nobody's to catch."""
    gate = gate_task("first", ("a", "b"), Way("3 branches"), item=False)
    assert decoded(gate) == contract.GatePayload("first", contract.RunHandle("r", "m"), "t-1", ["a", "b"])
    assert (gate.next, [one.next for one in gate.catch]) == ("3 branches", ["3 branches"])
    with pytest.raises(ValueError, match="a gate stands before what it holds up"):
        gate_task("first", ("a",), Way(), item=False)
