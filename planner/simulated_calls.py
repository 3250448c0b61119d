"""A simulated Task that calls the function: its payload, its attempts, and the ways in which each of them ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from solidstate.planner import contract
from solidstate.planner.history import ATTEMPT_EVENTS
from solidstate.planner.simulated_data import SimulationError, fill_in
from solidstate.planner.simulated_steps import SimulatedSteps
from solidstate.planner.simulated_time import Agenda
from solidstate.planner.states import CALLBACK, STATES_ALL

DEFAULT_ATTEMPTS = 3
DEFAULT_INTERVAL_S = 1
DEFAULT_BACKOFF = 2.0
"""What a retrier that says nothing means (Amazon States Language)."""


class Caller(msgspec.Struct, frozen=True):
    """What becomes of the state: it succeeds with a result, it fails with an error and a cause, or an attempt of so
    many events is repeated."""

    succeed: Callable[[Any], None]
    fault: Callable[[str, str], None]
    count_retry: Callable[[int], None]


class Attempt:
    """One attempt; it makes the next one itself. ``used`` counts how often each retrier was."""

    def __init__(
        self,
        agenda: Agenda,
        steps: SimulatedSteps,
        caller: Caller,
        asking: tuple[str, Mapping[str, Any], Any, Mapping[str, Any]],
        used: list[int] | None = None,
    ) -> None:
        """``asking``: the state's name, the state, its input, and what ``$$`` means."""
        self._agenda = agenda
        self._steps = steps
        self._caller = caller
        self._asking = asking
        name, state, data, context = asking
        self._retry: list[dict[str, Any]] = state.get("Retry", [])
        self._used = used if used is not None else [0] * len(self._retry)
        self._callback = state["Resource"] == CALLBACK
        about = {"State": {"Name": name, "RetryCount": sum(self._used)}, "Task": {"Token": name}}
        if not self._callback:
            del about["Task"]
        self._payload = _payload(name, fill_in(state["Parameters"], data, {**context, **about}), self._callback)

    def start(self) -> None:
        self._agenda.call(lambda: self._steps.handle(self._payload, self))

    def answer(self, value: Any) -> None:
        self._agenda.hang_up()
        self._caller.succeed(value)

    def park(self) -> None:
        self._agenda.hang_up()

    def wake(self) -> None:
        self._caller.fault(contract.READY, "")

    def fail(self, error: str, cause: str) -> None:
        self._agenda.hang_up()
        for number, retrier in enumerate(self._retry):
            if error in retrier["ErrorEquals"] or STATES_ALL in retrier["ErrorEquals"]:
                if self._used[number] < retrier.get("MaxAttempts", DEFAULT_ATTEMPTS):
                    self._again(number, retrier)
                    return
                break  # only the first retrier that names an error counts
        self._steps.gave_up(self._payload)
        self._caller.fault(error, cause)

    def _again(self, number: int, retrier: Mapping[str, Any]) -> None:
        backoff = retrier.get("BackoffRate", DEFAULT_BACKOFF) ** self._used[number]
        delay = retrier.get("IntervalSeconds", DEFAULT_INTERVAL_S) * backoff
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        if retrier.get("JitterStrategy") == "FULL":
            delay = self._agenda.spread(delay)
        self._used[number] += 1
        self._caller.count_retry(ATTEMPT_EVENTS + self._callback)
        self._agenda.after(delay, Attempt(self._agenda, self._steps, self._caller, self._asking, self._used).start)


def _payload(name: str, asked: Any, callback: bool) -> contract.Payload:
    """What the function is called with. Raises SimulationError for what the contract does not know."""
    try:
        payload: contract.Payload = msgspec.convert(asked["Payload"] if callback else asked, contract.Payload)
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise SimulationError(f"`{name}` calls the function wrongly: {error}.", subject=name) from error
    if callback and getattr(payload, "token", None) is None:
        raise SimulationError(f"`{name}` waits for a token that it does not hand over.", subject=name)
    return payload
