"""A state that calls the function: its attempts, its token, its retriers, and who listens to which invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from solidstate.planner.contract import READY
from solidstate.planner.simulated_data import fill_in
from solidstate.planner.states import CALLBACK, STATES_ALL

if TYPE_CHECKING:
    from tests.sim.machine import Execution, Scope

TIMEOUT = "States.Timeout"


class Asking:
    """One attempt: the payload that the function is called with, and the token, if it waits for one. ``answered`` is
    whether its invocation has returned, which for one that waits is not the end."""

    __slots__ = ("answered", "open", "payload", "task", "token")

    def __init__(self, task: TaskRun, payload: dict[str, Any], token: str) -> None:
        self.task = task
        self.payload = payload
        self.token = token
        self.open = True
        self.answered = False

    def returned(self, value: Any) -> None:
        """Its invocation has returned."""
        self.answered = True
        if self.open and not self.token:
            self.task.succeed(self, value)

    def raised(self, error: str, cause: str) -> None:
        """Its invocation has failed, died, or is believed to have; or its token or its time says so."""
        if self.open:
            self.task.fail(self, error, cause)

    def succeeded(self, answer: Any) -> bool:
        """Its token is answered. False when nobody waits for that any more."""
        if not self.open:
            return False
        self.task.succeed(self, answer)
        return True


class TaskRun:
    """A state, from when it is entered until it is left."""

    __slots__ = ("_attempts", "_data", "_execution", "_name", "_state", "_used", "asking", "scope")

    def __init__(self, execution: Execution, scope: Scope, name: str, data: Any) -> None:
        self._execution = execution
        self.scope = scope
        self._name = name
        self._data = data
        self._state: dict[str, Any] = scope.states[name]
        self._used = [0] * len(self._state.get("Retry", ()))
        self._attempts = 0
        self.asking: Asking | None = None

    def start(self) -> None:
        """One attempt."""
        self._attempts += 1
        callback = self._state["Resource"] == CALLBACK
        token = f"{self.scope.path}/{self._name}!{self._execution.entered}.{self._attempts}" if callback else ""
        about = {"State": {"RetryCount": sum(self._used)}, "Task": {"Token": token}}
        asked = fill_in(self._state["Parameters"], self._data, {**self.scope.context, **about})
        self.asking = Asking(self, asked["Payload"] if callback else asked, token)
        self._execution.tasks[id(self)] = self
        self._execution.service.ask(self.asking)

    def abandon(self) -> None:
        """Nobody waits for it any more."""
        self._execution.tasks.pop(id(self), None)
        if self.asking is not None:
            self.asking.open = False
            self._execution.service.close(self.asking)

    def succeed(self, asking: Asking, value: Any) -> None:
        self.abandon()
        self._execution.leave(self.scope, self._name, self._data, value)

    def fail(self, asking: Asking, error: str, cause: str) -> None:
        self.abandon()
        for number, retrier in enumerate(self._state.get("Retry", ())):
            if error in retrier["ErrorEquals"] or STATES_ALL in retrier["ErrorEquals"]:
                if self._used[number] < retrier.get("MaxAttempts", 3):
                    self._used[number] += 1
                    self._execution.service.queue.append(self._again)
                    return
                break  # only the first retrier that names an error counts
        if error != READY:
            self._execution.service.gave_up(asking, error)
        self._execution.fault(self.scope, self._name, self._data, error, cause)

    def _again(self) -> None:
        if not self.scope.is_over():
            self.start()
