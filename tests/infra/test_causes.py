"""The exceptions that steps ended with, by step."""

from __future__ import annotations

from solidstate.events import ErrorInfo
from solidstate.handler.outcome import StepFailed
from solidstate.infra.causes import Causes


def failed(step: str, cause: BaseException) -> StepFailed:
    """An attempt that failed for that cause."""
    error = StepFailed(ErrorInfo(type="ValueError", message=str(cause)), step)
    error.__cause__ = cause
    return error


def test_the_last_attempts_exception_is_the_steps() -> None:
    """Itself, not a copy."""
    causes, last = Causes(), ValueError("second")
    causes.remember(failed("load", ValueError("first")))
    causes.remember(failed("load", last))
    assert causes.by_step == {"load": last}


def test_of_items_the_first_ones_is_the_steps() -> None:
    """Under the step's own name."""
    causes, first = Causes(), ValueError("one")
    causes.remember(failed("load[a]", first))
    causes.remember(failed("load[b]", ValueError("two")))
    assert causes.by_step == {"load": first}
