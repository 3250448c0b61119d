"""Requests to S3 asked again until S3 has answered: the same rules through every client, whose own repeating is off.

Repeated is what may go better the next time: 5xx and throttling, no answer or half of one, and the 409 with which S3
asks for a conditional PUT once more. Never 403, 412 or any other decision. A conditional PUT whose answer was lost may
be asked again like any other: at worst S3 answers 412 for an object that is our own, and whoever reads it sees whose.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from solidstate.errors import StorageUnavailable
from solidstate.storage.s3_answers import Again
from solidstate.storage.store import Repeat

T = TypeVar("T")

TRIES = 6
FIRST_WAIT_S = 0.1
"""Before the second try, doubled before each other one, and shortened at random to as little as half: 1.5 to 3.1 s in
all. Longer troubles are for the state machine, which repeats the whole step."""
SILENCE_S = 20
"""Of an open connection, after which there is no answer. S3 itself answers within a second or says 503; what is left of
a function's time cannot be told to a request that is under way."""
SPARE_S = 2.0
"""Seconds of the function's time that repeating leaves, to put on record how the attempt ended."""


def _unlimited() -> float:
    return float("inf")


def _unheard(_: Repeat) -> bytes | None:
    return None


class Patience:
    """How long requests are repeated, and who hears of it: ``left_s`` tells the seconds that are left, ``told`` is
    called before each wait and may give what to write instead."""

    __slots__ = ("_left_s", "_told")

    def __init__(
        self, left_s: Callable[[], float] = _unlimited, told: Callable[[Repeat], bytes | None] = _unheard
    ) -> None:
        self._left_s = left_s
        self._told = told

    def answer(self, request: Callable[..., T], verb: str, key: str) -> T:
        """What ``request`` gives; it is called with what to write instead where ``told`` gave that. It raises
        :class:`Again` for what is worth another try; after the last one that is raised as the StorageUnavailable in it,
        with what came how often."""
        came: list[str] = []
        instead: bytes | None = None
        while True:
            try:
                return request() if instead is None else request(instead)
            except Again as again:
                came.append(again.came)
                wait = _wait_after(len(came))
                late = self._left_s() - wait < SPARE_S
                if late or len(came) == TRIES:
                    raise _gave_up(again.error, came, late=late) from again.__cause__
            instead = self._told(Repeat(key, verb, came[-1], len(came), wait)) or instead
            time.sleep(wait)

    def seconds(self, most: float) -> float:
        """For what repeats by itself: for how long it may, ``most`` at most."""
        return max(0.0, min(most, self._left_s() - SPARE_S))


def _wait_after(tries: int) -> float:
    from random import uniform  # costs a cold start, and most never repeat anything

    longest = FIRST_WAIT_S * 2 ** (tries - 1)
    return round(uniform(longest / 2, longest), 3)  # noqa: S311 - spreads the load, keeps no secret


def _gave_up(error: StorageUnavailable, came: list[str], *, late: bool) -> StorageUnavailable:
    counted = ", ".join(f"{answer} ({times})" for answer, times in Counter(came).items())
    tries = "1 try" if len(came) == 1 else f"{len(came)} tries"
    over = "; no time was left for more" if late else ""
    error.problem = f"{error.problem} {tries} failed: {counted}{over}."
    return error
