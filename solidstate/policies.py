"""How often a solid is tried and what machine it wants: declarations, checked where they are written."""

from __future__ import annotations

import math

import msgspec

from solidstate.errors import DefinitionError, shown

# AWS Lambda quotas (developer guide, "Lambda quotas"), MiB and seconds.
MEMORY_MB = (128, 10_240)
EPHEMERAL_MB = (512, 10_240)
TIMEOUT_S = (1, 900)


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Repeat a failed attempt. ``max_attempts`` counts the first one; ``delay_s`` (whole seconds, as Step Functions
    wants them) is multiplied by ``backoff`` after each attempt, up to ``max_delay_s``; ``jitter`` draws each wait
    between 0 and its full length.

    Raises DefinitionError for values Step Functions would refuse (Amazon States Language, "Retrier fields").
    """

    max_attempts: int = 3
    delay_s: int = 1
    backoff: float = 2.0
    max_delay_s: int | None = None
    jitter: bool = False

    def __post_init__(self) -> None:
        _within("RetryPolicy.max_attempts", self.max_attempts, (1, 100))
        _within("RetryPolicy.delay_s", self.delay_s, (1, 99_999_999))
        if (
            isinstance(self.backoff, bool)
            or not isinstance(self.backoff, (int, float))
            or not 1 <= self.backoff < math.inf
        ):
            raise DefinitionError(
                f"`RetryPolicy.backoff` must be a number, 1.0 or more, got {shown(self.backoff)}.",
                subject="RetryPolicy",
                hint="use `backoff=1.0` for a constant delay",
            )
        if not isinstance(self.jitter, bool):
            raise DefinitionError(
                f"`RetryPolicy.jitter` must be True or False, got {shown(self.jitter)}.",
                subject="RetryPolicy",
                hint="use `jitter=True` to spread retries in time",
            )
        if self.max_delay_s is None:
            return
        whole = isinstance(self.max_delay_s, int) and not isinstance(self.max_delay_s, bool)
        if not whole or not self.delay_s < self.max_delay_s <= 31_622_400:
            raise DefinitionError(
                f"`RetryPolicy.max_delay_s` must be a whole number greater than `delay_s` ({self.delay_s}) and at most "
                f"31622400, got {shown(self.max_delay_s)}.",
                subject="RetryPolicy",
                hint="leave it out for no ceiling",
            )


class Compute(msgspec.Struct, frozen=True, kw_only=True):
    """The Lambda function a solid wants: memory and ephemeral storage in MiB, time in seconds."""

    memory_mb: int = 1024
    timeout_s: int = 900
    ephemeral_mb: int = 512

    def __post_init__(self) -> None:
        _within("Compute.memory_mb", self.memory_mb, MEMORY_MB)
        _within("Compute.timeout_s", self.timeout_s, TIMEOUT_S)
        _within("Compute.ephemeral_mb", self.ephemeral_mb, EPHEMERAL_MB)


def _within(subject: str, value: object, bounds: tuple[int, int]) -> None:
    low, high = bounds
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DefinitionError(
            f"`{subject}` must be a whole number from {low} to {high}, got {shown(value)}.",
            subject=subject,
            hint=f"choose a value between {low} and {high}",
        )
