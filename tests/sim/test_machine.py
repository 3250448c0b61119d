"""The service in small does what the service does: retriers, Catch, branches that fail, tokens, stopping, redrive."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from solidstate.planner.states import CALLBACK
from tests.sim.machine import Execution
from tests.sim.tasks import Asking


class Function:
    """A service whose function answers when the test wants it to."""

    def __init__(self, definition: dict[str, Any]) -> None:
        self.queue: deque[Callable[[], None]] = deque()
        self.asked: list[Asking] = []
        self.gone: list[str] = []
        self.execution = Execution(self, definition, {})
        self.execution.start("r", {"x": 1})
        self.on()

    def on(self) -> None:
        while self.queue:
            self.queue.popleft()()

    def open(self) -> dict[str, Asking]:
        """The attempts that somebody listens to, by what they are called with."""
        return {asking.payload["step"]: asking for asking in self.asked if asking.open}

    def returns(self, step: str, value: Any = "done") -> None:
        self.open()[step].returned(value)
        self.on()

    def fails(self, step: str, error: str) -> None:
        self.open()[step].raised(error, "because")
        self.on()

    def ask(self, asking: Asking) -> None:
        self.asked.append(asking)

    def close(self, asking: Asking) -> None:
        pass

    def gave_up(self, asking: Asking, error: str) -> None:
        self.gone.append(error)

    def listed(self, key: str) -> list[Any]:
        raise NotImplementedError(key)


def task(step: str, **more: Any) -> dict[str, Any]:
    following = {} if "Next" in more else {"End": True}
    return {
        "Type": "Task",
        "Resource": "f",
        "Parameters": {"step": step},
        "ResultPath": "$.result",
        **following,
        **more,
    }


def machine(first: str, **states: Any) -> dict[str, Any]:
    return {"StartAt": first, "States": states}


BROKEN = {"ErrorEquals": ["Broken"], "MaxAttempts": 1}


def test_a_retrier_grants_so_many_attempts() -> None:
    """Then, and for other errors at once, the state has failed."""
    function = Function(machine("a", a=task("a", Retry=[BROKEN])))
    function.fails("a", "Broken")
    assert (len(function.asked), function.execution.status) == (2, "RUNNING")
    function.fails("a", "Broken")
    assert (function.execution.status, function.gone) == ("FAILED", ["Broken"])
    function = Function(machine("a", a=task("a", Retry=[BROKEN])))
    function.fails("a", "Other")
    assert (len(function.asked), function.execution.status) == (1, "FAILED")


def test_what_is_caught_goes_on() -> None:
    """With the error at the path that the catcher names."""
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "b", "ResultPath": "$.result"}]
    caught = task("b", Parameters={"step": "b", "said.$": "$.result.Error"})
    function = Function(machine("a", a=task("a", Catch=catch, Next="b"), b=caught))
    function.fails("a", "Broken")
    assert function.open()["b"].payload == {"step": "b", "said": "Broken"}
    function.returns("b")
    assert function.execution.status == "SUCCEEDED"


def test_a_branch_that_fails_stops_the_others() -> None:
    """Nobody listens to them any more, and a late answer changes nothing."""
    branches = [{"StartAt": name, "States": {name: task(name)}} for name in "ab"]
    function = Function(machine("p", p={"Type": "Parallel", "Branches": branches, "End": True}))
    other = function.open()["b"]
    function.fails("a", "Broken")
    assert (function.execution.status, function.open()) == ("FAILED", {})
    other.returned("late")
    function.on()
    assert function.execution.status == "FAILED"


def test_a_redrive_keeps_what_has_succeeded() -> None:
    """The other branch, and the state before, are not run again; what failed begins with its attempts anew."""
    branches = [{"StartAt": name, "States": {name: task(name)}} for name in "ab"]
    parallel = {"Type": "Parallel", "Branches": branches, "End": True}
    function = Function(machine("before", before=task("before", Next="p"), p=parallel))
    function.returns("before")
    function.returns("b")
    function.execution.stop()
    assert (function.execution.status, function.open()) == ("ABORTED", {})
    function.execution.redrive()
    function.on()
    assert list(function.open()) == ["a"]
    function.returns("a")
    assert function.execution.status == "SUCCEEDED"


def test_a_state_that_waits_goes_on_when_its_token_is_answered() -> None:
    """Not when its invocation returns; and only once."""
    waiting = task("a", Resource=CALLBACK, Parameters={"Payload": {"step": "a", "token.$": "$$.Task.Token"}})
    function = Function(machine("a", a=waiting))
    asking = function.open()["a"]
    assert asking.payload["token"] == asking.token != ""
    function.returns("a", "parked")
    assert function.execution.status == "RUNNING"
    assert asking.succeeded("done")
    function.on()
    assert function.execution.status == "SUCCEEDED"
    assert not asking.succeeded("again")


def test_every_attempt_has_a_token_of_its_own() -> None:
    """A timed-out one cannot be answered any more."""
    again = {"ErrorEquals": ["States.Timeout"], "MaxAttempts": 9}
    waiting = task(
        "a", Resource=CALLBACK, Parameters={"Payload": {"step": "a", "token.$": "$$.Task.Token"}}, Retry=[again]
    )
    function = Function(machine("a", a=waiting))
    first = function.open()["a"]
    function.fails("a", "States.Timeout")
    second = function.open()["a"]
    assert first.token != second.token
    assert not first.succeeded("late")
    assert second.succeeded("done")
