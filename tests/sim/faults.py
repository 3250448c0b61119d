"""What can go wrong in a simulation, how often, and what a step may fail of because of it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from solidstate import RetryRequested

CRASH_BEFORE, CRASH_AFTER = "crash before", "crash after"
ERROR_BEFORE, ERROR_AFTER = "error before", "error after"
CRASH_DELAYED = "crash, delayed write"
RETRIED = "answer lost, client asks again"
TRUNCATED = "truncated read"
DUPLICATE = "duplicate"
ZOMBIE = "believed dead, goes on"
TIMEOUT = "token timed out"
CANCEL = "cancelled"
RAISES = "solid raises"
ASKS = "solid asks for another attempt"
THROTTLED = "throttled"
REDRIVE = "redrive"
EVERY = (
    *(CRASH_BEFORE, CRASH_AFTER, CRASH_DELAYED, ERROR_BEFORE, ERROR_AFTER, RETRIED, TRUNCATED),
    *(DUPLICATE, ZOMBIE, TIMEOUT, CANCEL, RAISES, ASKS, THROTTLED),
)
TO_OPERATIONS = (ERROR_BEFORE, ERROR_AFTER, RETRIED, TRUNCATED)
WRITES = ("create", "put", "delete", "ok", "ready")
CRASHES = (CRASH_BEFORE, CRASH_AFTER, CRASH_DELAYED)
SERVICE, EXIT, TIMED_OUT = "Lambda.ServiceException", "Runtime.ExitError", "Sandbox.Timedout"
DEATHS = (SERVICE, EXIT, TIMED_OUT)
"""What the service says of an invocation that has died: the first is repeated always, the others if a solid allows."""
LOST = "Lambda.SdkClientException"
"""What it says of one that it has lost sight of."""
REFUSED = "Lambda.TooManyRequestsException"
MAY_FAIL_OF = {
    **dict.fromkeys(DEATHS, CRASHES),
    LOST: (ZOMBIE,),
    REFUSED: (THROTTLED,),
    "StorageUnavailable": (ERROR_BEFORE, ERROR_AFTER),
    "StepRefused": (TRUNCATED,),
    "StepFailed": (RAISES,),
    "RetryRequested": (ASKS,),
}
"""By error, the faults one of which must have struck a step that failed so."""


class Profile(msgspec.Struct, frozen=True):
    """``kinds`` of faults that may strike, ``most`` of them in all, at each operation with the chance ``rate``.
    ``restless``: how likely another invocation goes on after each operation."""

    kinds: Sequence[str] = ()
    rate: float = 0.0
    most: int = 0
    restless: float = 1.0


def profile_of(chance: random.Random) -> Profile:
    """Now few kinds and now all, now seldom and now often: each mix finds what others hide."""
    if chance.random() < 0.05:
        return Profile(restless=chance.choice((0.2, 1.0)))
    kinds = EVERY if chance.random() < 0.4 else tuple(chance.sample(EVERY, chance.randint(1, 4)))
    return Profile(kinds, chance.choice((0.05, 0.15, 0.3)), chance.randint(1, 12), chance.choice((0.1, 0.3, 1.0)))


def can_strike(kind: str, verb: str) -> bool:
    """Whether that can happen to an operation, or to an invocation that has not begun."""
    if kind in (CRASH_DELAYED, ERROR_AFTER):
        return verb in WRITES
    if kind == RETRIED:
        return verb in ("create", "ok", "ready")
    return kind in CRASHES or (kind in TO_OPERATIONS and verb != "start")


def raised(kind: str) -> Exception:
    """What a body is made to raise."""
    return ValueError("the solid raises") if kind == RAISES else RetryRequested("the solid asks")
