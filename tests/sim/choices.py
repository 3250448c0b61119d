"""Every decision of a simulation, drawn from a seed or read from a list: the list alone makes a run happen again.

Zero is always the dull choice (the invocation that has waited longest goes on, nothing goes wrong), so a list that is
cut short, or in which numbers were set to zero, is a simpler run: that is all that shrinking needs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence


class Choices:
    """Decisions from ``seed``, or from ``script`` and then nothing but zeros. ``made`` are those so far."""

    def __init__(self, seed: int, script: Sequence[int] | None = None) -> None:
        self.made: list[int] = []
        self._random = random.Random(seed)
        self._script = script

    def pick(self, count: int) -> int:
        """A number below ``count``."""
        if count < 2:
            return 0
        if self._script is None:
            made = int(self._random.random() * count)
        else:
            made = min(self._scripted(), count - 1)
        self.made.append(made)
        return made

    def happens(self, rate: float) -> bool:
        """Whether something that happens at that rate does."""
        made = int(self._random.random() < rate) if self._script is None else min(self._scripted(), 1)
        self.made.append(made)
        return made == 1

    def _scripted(self) -> int:
        script, place = self._script or (), len(self.made)
        return script[place] if place < len(script) else 0
