"""How long to wait before another attempt: what the policy says, and what a RetryRequested asks for beyond it."""

from __future__ import annotations

from solidstate.events import RetryRequested
from solidstate.planner.plan import Retry

SPARE_S = 2.0
"""Seconds of the function's time that a pause leaves for the answer."""


def delay_after(retry: Retry, attempt: int) -> float:
    """Seconds before the attempt after number ``attempt``, jitter aside."""
    delay = retry.delay_s * retry.backoff ** (attempt - 1)
    return min(delay, retry.max_delay_s) if retry.max_delay_s is not None else delay


def pauses(retry: Retry, attempt: int, cause: BaseException) -> tuple[float, float]:
    """Seconds before the attempt after number ``attempt``, and how many of these the function has to wait itself: a
    state machine cannot be told a pause, and with jitter its own may be none at all."""
    delay = delay_after(retry, attempt)
    asked = (cause.delay_s or 0.0) if isinstance(cause, RetryRequested) else 0.0
    return max(delay, asked), max(0.0, asked - (0.0 if retry.jitter else delay))
