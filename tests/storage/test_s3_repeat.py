"""What is asked again, for how long, and who is told."""

from __future__ import annotations

import random

import pytest

from solidstate.errors import StorageError, StorageUnavailable
from solidstate.storage.s3_answers import Again, Refused, answered, unanswered
from solidstate.storage.s3_repeat import FIRST_WAIT_S, SPARE_S, TRIES, Patience
from solidstate.storage.store import Repeat


def came(status: int, code: str) -> Exception:
    return answered(code, status, "write", "b", "k", "text")


BUSY, LATE, CONFLICT, LOST = came(503, "SlowDown"), came(500, ""), came(409, "ConditionalRequestConflict"), None
THERE, DENIED = came(412, "PreconditionFailed"), came(403, "AccessDenied")


class Clock:
    """Time that passes by waiting alone."""

    def __init__(self, left_s: float) -> None:
        self.left_s = left_s
        self.waits: list[float] = []

    def left(self) -> float:
        return self.left_s

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.left_s -= seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock(900.0)
    monkeypatch.setattr("solidstate.storage.s3_repeat.time.sleep", made.sleep)
    return made


class Asked:
    """A request that S3 answers so, one after the other, and what came of it."""

    def __init__(self, clock: Clock, *answers: Exception | None) -> None:
        self.left = list(answers)
        self.told: list[Repeat] = []
        self._patience = Patience(clock.left, self.told.append)

    def __call__(self) -> str:
        return self._patience.answer(self._request, "write", "k")

    def _request(self) -> str:
        if not self.left:
            return "done"
        answer = self.left.pop(0)
        raise answer if answer is not None else unanswered("Connection was closed", "write", "b", "k")


@pytest.mark.parametrize("answer", [BUSY, LATE, CONFLICT, LOST], ids=["503", "500", "409", "lost"])
def test_what_may_go_better_is_asked_again(clock: Clock, answer: Exception | None) -> None:
    """As often as it takes, up to five times."""
    asked = Asked(clock, *[answer] * (TRIES - 1))
    assert asked() == "done"
    assert len(clock.waits) == TRIES - 1


@pytest.mark.parametrize("answer", [THERE, DENIED, ZeroDivisionError()], ids=["412", "403", "bug"])
def test_a_decision_is_never_asked_again(clock: Clock, answer: Exception) -> None:
    """Nor is a bug. Also not after others were."""
    asked = Asked(clock, BUSY, LOST, answer, BUSY)
    with pytest.raises(type(answer)) as caught:
        asked()
    assert caught.value is answer
    assert len(asked.left) == 1
    assert isinstance(THERE, Refused)
    assert isinstance(DENIED, StorageError)


def test_each_repetition_is_told_before_it_is_waited_for(clock: Clock) -> None:
    """Which object, what came, the number of the try that failed, how long until the next."""
    asked = Asked(clock, BUSY, LATE, CONFLICT, LOST)
    asked()
    assert [(one.key, one.verb, one.came, one.tries) for one in asked.told] == [
        ("k", "write", "503 SlowDown", 1),
        ("k", "write", "500", 2),
        ("k", "write", "409 ConditionalRequestConflict", 3),
        ("k", "write", "no answer", 4),
    ]
    assert [one.wait_s for one in asked.told] == clock.waits


def test_waits_grow_and_differ(clock: Clock) -> None:
    """Each at most twice the one before, and at random between half of that and all of it."""
    random.seed(1)
    firsts = set()
    for _ in range(50):
        clock.waits.clear()
        Asked(clock, *[BUSY] * (TRIES - 1))()
        firsts.add(clock.waits[0])
        for number, wait in enumerate(clock.waits):
            assert FIRST_WAIT_S * 2**number / 2 <= wait <= FIRST_WAIT_S * 2**number
    assert len(firsts) > 25


def test_six_tries_are_enough(clock: Clock) -> None:
    """The error is the last one's, and counts what came of all."""
    asked = Asked(clock, BUSY, BUSY, LOST, LATE, BUSY, BUSY, BUSY)
    with pytest.raises(StorageUnavailable) as caught:
        asked()
    assert len(asked.left) == 1
    assert len(asked.told) == TRIES - 1
    assert str(caught.value) == (
        "Could not write the object `k` in the bucket `b`: S3 answered 503 SlowDown. 6 tries failed: 503 SlowDown (4), "
        "no answer (1), 500 (1).\n  at: s3://b/k\n"
        "  fix: try again; if it persists, spread keys or lower the concurrency"
    )


@pytest.mark.parametrize(("left_s", "tries"), [(0.0, 1), (SPARE_S, 1), (SPARE_S + 0.1, 2), (SPARE_S + 1.0, 4)])
def test_the_time_that_is_left_bounds_them(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, left_s: float, tries: int
) -> None:
    """Nothing is waited for that would take the two seconds in which an attempt puts on record how it ended."""
    monkeypatch.setattr(random, "uniform", lambda _, longest: longest)
    clock.left_s = left_s
    asked = Asked(clock, *[LOST] * TRIES)
    with pytest.raises(StorageUnavailable) as caught:
        asked()
    assert clock.left_s >= min(left_s, SPARE_S) - 1e-9
    worded = "1 try" if tries == 1 else f"{tries} tries"
    assert str(caught.value) == (
        "Could not write the object `k` in the bucket `b`: Connection was closed. "
        f"{worded} failed: no answer ({tries}); no time was left for more.\n  at: s3://b/k\n"
        "  fix: check the network and the endpoint, then try again"
    )


@pytest.mark.parametrize(("left_s", "seconds"), [(900.0, 180.0), (30.0, 28.0), (1.0, 0.0)])
def test_others_are_given_the_same_time(clock: Clock, left_s: float, seconds: float) -> None:
    """For a client that repeats by itself."""
    clock.left_s = left_s
    assert Patience(clock.left).seconds(180.0) == seconds
    assert Patience().seconds(180.0) == 180.0


def test_an_answer_costs_nothing_more(clock: Clock) -> None:
    """No wait, nobody is told."""
    asked = Asked(clock)
    assert asked() == "done"
    assert (asked.told, clock.waits) == ([], [])
    assert isinstance(BUSY, Again)
