"""From a failing run to a simpler one that fails alike: fewer faults, fewer detours. Deterministic, and bounded."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Fails = Callable[[Sequence[int]], bool]
_PARTICULAR = re.compile(r"`[^`]*`|\bs?\d+(\[\w*\])?")


def kind_of(problem: str) -> str:
    """A problem without what differs from run to run."""
    return _PARTICULAR.sub("_", problem)


def shrunk(decisions: Sequence[int], fails: Fails, *, tries: int = 1_500) -> list[int]:
    """The simplest list found for which ``fails`` is still true: shorter, and with less in it that is not zero."""
    best = _without_tail(decisions)
    size = max(1, len(best) // 2)
    while tries > 0:
        changed = False
        for begin in range(0, len(best), size):
            if tries > 0 and any(best[begin : begin + size]):
                tries -= 1
                simpler = _without_tail([*best[:begin], *[0] * len(best[begin : begin + size]), *best[begin + size :]])
                if fails(simpler):
                    best, changed = simpler, True
        for begin in range(0, len(best), size):  # what is left out shifts all that follows: sometimes that is simpler
            if tries > 0:
                tries -= 1
                simpler = _without_tail([*best[:begin], *best[begin + size :]])
                if len(simpler) < len(best) and fails(simpler):
                    best, changed = simpler, True
        if not changed:
            if size == 1:
                break
            size //= 2
    return best


def _without_tail(decisions: Sequence[int]) -> list[int]:
    """Without the zeros at the end, which go without saying."""
    found = list(decisions)
    while found and not found[-1]:
        found.pop()
    return found
