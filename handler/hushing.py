"""The last net under an event: whatever a sink before it let through, no known secret is in what an event tells."""

from __future__ import annotations

import traceback
from typing import Any, TypeVar

import msgspec

from solidstate.redaction import anything_to_hide, redact, redacted

E = TypeVar("E", bound=Any)

OURS = frozenset(
    {
        *("run", "pipeline", "seq", "time", "elapsed_s", "step", "attempt", "item", "execution", "state", "request"),
        *("kind", "level", "severity", "solid", "sources", "because", "codec", "sha256", "key"),
    }
)
"""Fields that hold what we ourselves made: ids, names of the definition, one of a few words. They stay as they are, or
a secret that reads ``info`` would cost the run its history."""


def hushed(event: E) -> E:
    """The event, or, when it tells a secret, the same with ``[secret]`` in its place."""
    if not anything_to_hide():
        return event
    plain: dict[str, Any] = msgspec.to_builtins(event)
    clean = {name: fact if name in OURS else redacted(fact) for name, fact in plain.items()}
    if clean == plain:
        return event
    said: E = msgspec.convert(clean, type(event))
    return said


def tellable(error: BaseException | None, instead: BaseException) -> BaseException | None:
    """An exception as the cause of another: ``instead`` when its text, or that of one of its own causes, tells a
    secret. Exceptions are printed by whoever meets them, long after they have left us."""
    if error is None or not anything_to_hide():
        return error
    text = "".join(traceback.format_exception(error))
    return instead if redact(text) != text else error
