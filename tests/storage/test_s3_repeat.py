"""What is asked again, and for how long."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from solidstate.errors import StorageError, StorageUnavailable
from solidstate.storage import s3_repeat
from solidstate.storage.s3_answers import Refused
from solidstate.storage.s3_repeat import until_decided

CONFLICT, THERE = Refused(conflict=True), Refused(conflict=False)
LOST, DOWN, DENIED = StorageUnavailable("lost"), StorageUnavailable("down"), StorageError("denied")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_repeat, "DELAY_S", 0.0)


def answering(*answers: Exception | None) -> tuple[Callable[[], bool], list[Exception | None]]:
    """A conditional PUT that S3 answers so, and the answers that are left afterwards."""
    left = list(answers)

    def write() -> None:
        answer = left.pop(0)
        if answer is not None:
            raise answer

    return lambda: until_decided(write, "bucket", "k", lost=lambda error: error is LOST), left


@pytest.mark.parametrize(
    ("answers", "created"),
    [
        ([None], True),
        ([THERE], False),
        ([CONFLICT, CONFLICT, None], True),
        ([CONFLICT, THERE], False),
        ([LOST, None], True),
        ([LOST, THERE], False),
        ([CONFLICT, LOST, CONFLICT, LOST, CONFLICT, None], True),
    ],
)
def test_it_ends_with_the_first_decision(answers: list[Exception | None], created: bool) -> None:
    """Conflicts and lost answers are none; each is followed by another request."""
    put, left = answering(*answers)
    assert put() is created
    assert left == []


@pytest.mark.parametrize("error", [DOWN, DENIED])
def test_other_errors_are_not_repeated(error: Exception) -> None:
    """The client has done that already where it helps."""
    put, left = answering(CONFLICT, error, None)
    with pytest.raises(type(error)) as caught:
        put()
    assert caught.value is error
    assert left == [None]


@pytest.mark.parametrize("answer", [LOST, CONFLICT])
def test_six_requests_without_a_decision_are_enough(answer: Exception) -> None:
    """Then the store is unavailable."""
    put, left = answering(*[answer] * 7)
    with pytest.raises(StorageUnavailable):
        put()
    assert left == [answer]
