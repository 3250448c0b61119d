"""Invocations of the function that can be held up before every operation on the store or on a task token.

Each runs in a greenlet: it goes on when it is told to, and stops where it would touch what others can see. What is to
happen to the operation is told with it: nothing, an error, or death before or after it has taken effect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from greenlet import getcurrent, greenlet

from solidstate.errors import StorageUnavailable
from tests.sim.faults import CRASH_AFTER, CRASH_BEFORE, CRASH_DELAYED, ERROR_AFTER, ERROR_BEFORE, RETRIED


class Killed(BaseException):
    """The process is gone."""


class Ending(NamedTuple):
    """How an invocation ended: "returned" with an answer, "raised" an exception, or "died"."""

    how: str
    value: Any = None


class Invocation:
    """One call of the function. ``verb`` and ``key`` are of the operation that it is held up before; ``listener`` hears
    how it ends, None when nobody does any more."""

    __slots__ = (
        "_glet",
        "alive",
        "began",
        "key",
        "kind",
        "listener",
        "number",
        "payload",
        "repeat",
        "started",
        "unit",
        "verb",
    )

    def __init__(self, number: int, payload: dict[str, Any], listener: Any) -> None:
        self.number = number
        self.payload = payload
        self.kind: str = payload["kind"]
        self.unit: tuple[str, str] = (payload.get("step", ""), payload.get("item") or "")
        self.listener = listener
        self.alive = True
        self.started = False
        self.began = 0
        self.verb = "start"
        self.key = ""
        self.repeat = False
        self._glet: Any = None

    @property
    def aws_request_id(self) -> str:
        return f"q{self.number}"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000

    def __repr__(self) -> str:
        return f"#{self.number} {self.kind} {label(self.unit)}".rstrip()

    def go_on(self, handler: Callable[[dict[str, Any], Any], Any], fault: str) -> Ending | None:
        """To the next operation, with what happens to this one; its ending when there is none."""
        if self.started:
            return self._glet.switch(fault)  # type: ignore[no-any-return]  # greenlet has no types
        self.started = True
        self._glet = greenlet(self._run)
        self._glet.invocation = self
        return self._glet.switch(handler)  # type: ignore[no-any-return]  # greenlet has no types

    def forget(self) -> None:
        """It has ended: nothing of it is needed any more."""
        self._glet = None

    def _run(self, handler: Callable[[dict[str, Any], Any], Any]) -> Ending:
        try:
            return Ending("returned", handler(self.payload, self))
        except Killed:
            return Ending("died")
        except Exception as error:
            return Ending("died") if not self.alive else Ending("raised", error)


def hold_up(verb: str, key: str, effect: Callable[[], Any], *, late: Callable[[Callable[[], Any]], None]) -> Any:
    """Stop before an operation of the invocation that runs, then let happen what is decided. ``late`` takes an effect
    that is to come after the death of whoever asked for it."""
    mine: Any = getcurrent()
    invocation: Invocation = mine.invocation
    if not invocation.alive:
        raise Killed
    invocation.verb, invocation.key = verb, key
    fault = mine.parent.switch(None)
    if not fault:
        return effect()
    if fault == ERROR_BEFORE:
        raise StorageUnavailable(f"The store did not answer for `{key}`.", subject=key)
    if fault in (CRASH_BEFORE, CRASH_DELAYED):
        if fault == CRASH_DELAYED:
            late(effect)
        invocation.alive = False
        raise Killed
    answer = effect()
    if fault == CRASH_AFTER:
        invocation.alive = False
        raise Killed
    if fault == ERROR_AFTER:
        raise StorageUnavailable(f"The answer of the store for `{key}` got lost.", subject=key)
    return effect() if fault == RETRIED else answer[: len(answer) // 2]  # TRUNCATED


def writing() -> int:
    """The number of the invocation that runs; 0 when none does."""
    invocation: Invocation | None = getattr(getcurrent(), "invocation", None)
    return invocation.number if invocation is not None else 0


def label(unit: tuple[str, str]) -> str:
    """A step, or an item of a mapped one."""
    return f"{unit[0]}[{unit[1]}]" if unit[1] else unit[0]
