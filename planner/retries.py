"""What each error of a task means for its ``Retry``: user code, the service, a killed function, or never again.

Errors no retrier names are not repeated: refused results (``StepRefused``), a changed plan, an invalid request. There
is no ``States.ALL`` or ``States.TaskFailed`` retrier on purpose, it would repeat them too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec import UNSET, UnsetType

from solidstate.planner.contract import (
    RETRY_REQUESTED,
    SERVICE_ERRORS,
    STEP_FAILED,
    STORAGE_UNAVAILABLE,
    retry_for,
)
from solidstate.planner.plan import Retry, Step
from solidstate.planner.states import Retrier

_N = TypeVar("_N", int, float)

SERVICE = Retrier(error_equals=(*SERVICE_ERRORS, STORAGE_UNAVAILABLE), max_attempts=5, jitter_strategy="FULL")
"""Throttling and passing faults of Lambda and S3, after up to 1, 2, 4, 8 and 16 s (the service's own interval and
backoff); full jitter, so that the branches of a wide Parallel spread out."""

ENDED_SERVICE = Retrier(
    error_equals=SERVICE.error_equals, max_attempts=12, max_delay_seconds=60, jitter_strategy="FULL"
)
"""For the states that wake others, which nothing can stand in for: some ten minutes' patience."""

NESTED_SERVICE = Retrier(
    error_equals=("StepFunctions.AWSStepFunctionsException", "StepFunctions.SdkClientException"),
    max_attempts=5,
    jitter_strategy="FULL",
)
"""Throttling and passing faults when a nested execution is started (Step Functions developer guide, "Error handling",
names of service integrations)."""

PARK_AGAIN = Retrier(error_equals=("States.Timeout",), interval_seconds=1, max_attempts=9_999, backoff_rate=1.0)
"""A state that waits for its token is entered anew when its time is over and looks again, with a token of its own: a
wake-up that was lost costs time, never the run."""

KILLED_ERRORS = ("Sandbox.Timedout", "States.Timeout", "Runtime.ExitError", "Lambda.Unknown")
"""The function ran out of time or memory and no code of ours had the last word. Usually the same will happen again, at
the price of the whole timeout, so such an error is repeated once, and only for solids whose RetryPolicy says that
another attempt is safe and worth it. ``Lambda.Unknown`` is what older runtimes report for both."""


def step_retriers(step: Step) -> tuple[Retrier, ...]:
    """The retriers of a step, most specific first."""
    errors_of: dict[Retry, list[str]] = {}
    for error in (STEP_FAILED, RETRY_REQUESTED):
        policy = retry_for(step, error)
        if policy is not None and policy.max_attempts > 1:
            errors_of.setdefault(policy, []).append(error)
    retriers = [policy_retrier(policy, errors) for policy, errors in errors_of.items()]
    if step.retry is not None and step.retry.max_attempts > 1:
        killed = Retrier(error_equals=KILLED_ERRORS, interval_seconds=max(1, step.retry.delay_s), max_attempts=1)
        retriers.append(killed)
    return (*retriers, SERVICE)


def policy_retrier(policy: Retry, errors: Iterable[str]) -> Retrier:
    """A policy as the service understands it: whole seconds, at least one, and a ceiling above the first delay.

    ``max_attempts`` counts the first attempt, ``MaxAttempts`` does not.
    """
    delay = max(1, policy.delay_s)
    ceiling = policy.max_delay_s
    constant = ceiling is not None and ceiling <= delay
    return Retrier(
        error_equals=tuple(errors),
        interval_seconds=_unless(1, delay if ceiling is None else max(1, min(delay, ceiling))),
        max_attempts=policy.max_attempts - 1,
        backoff_rate=_unless(2.0, 1.0 if constant else policy.backoff),
        max_delay_seconds=UNSET if ceiling is None or constant else ceiling,
        jitter_strategy="FULL" if policy.jitter else UNSET,
    )


def _unless(default: _N, wanted: _N) -> _N | UnsetType:
    """Left out where the service has the same by itself: every step has a retrier, and definitions are bounded."""
    return UNSET if wanted == default else wanted


def policy_of(retrier: Retrier) -> Retry:
    """The reverse, for an engine that waits by itself; what a retrier leaves out is as the service has it."""
    return Retry(
        max_attempts=1 + (3 if retrier.max_attempts is UNSET else retrier.max_attempts),
        delay_s=1 if retrier.interval_seconds is UNSET else retrier.interval_seconds,
        backoff=2.0 if retrier.backoff_rate is UNSET else retrier.backoff_rate,
        max_delay_s=None if retrier.max_delay_seconds is UNSET else retrier.max_delay_seconds,
        jitter=retrier.jitter_strategy == "FULL",
    )
