"""Time in a simulation: what each piece of machinery takes, what happens next, how many functions run at once."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec

Action = Callable[[], None]


class Latencies(msgspec.Struct, frozen=True):
    """Seconds that the services take, beside the work itself. Assumptions, to be settled on AWS.

    ``jitter`` is the part of itself by which each may be longer or shorter, drawn from the simulation's chance.
    """

    transition_s: float = 0.020
    """Entering a state."""
    invocation_s: float = 0.030
    """Calling a warm Lambda function."""
    wake_s: float = 0.060
    """From the end of the last step that is waited for to the error ``Ready`` in the state that waits."""
    skip_s: float = 0.005
    """A step that only records that it is skipped."""
    nested_start_s: float = 0.150
    nested_end_s: float = 0.500
    """Until the machine above notices that a nested execution has ended."""
    jitter: float = 0.0

    @property
    def per_step_s(self) -> float:
        """What no machine can do without: one state entered, one function called."""
        return self.transition_s + self.invocation_s


class Chance(Protocol):
    """A ``random.Random``: planning itself has no chance, it is handed some."""

    def uniform(self, a: float, b: float, /) -> float: ...


class Agenda:
    """What is still to happen, in order of time; what falls on the same moment, in the order it was asked for."""

    def __init__(self, latencies: Latencies, cap: int | None = None, chance: Chance | None = None) -> None:
        self.latencies = latencies
        self.now = 0.0
        self.calls = 0
        self.peak = 0
        self._running = 0
        self._cap = cap
        self._chance = chance
        self._heap: list[tuple[float, int, Action]] = []
        self._count = 0
        self._queue: deque[Action] = deque()

    def after(self, seconds: float, action: Action) -> None:
        """``action`` in exactly so many seconds: the work of a step, the delay of a retry."""
        self._count += 1
        heapq.heappush(self._heap, (self.now + seconds, self._count, action))

    def soon(self, latency: float, action: Action) -> None:
        """``action`` after a latency, which is subject to jitter."""
        jitter = self.latencies.jitter
        if jitter and self._chance is not None:
            latency *= self._chance.uniform(1 - jitter, 1 + jitter)
        self.after(latency, action)

    def spread(self, seconds: float) -> float:
        """A delay with full jitter: any time up to it where there is chance, all of it otherwise."""
        return self._chance.uniform(0, seconds) if self._chance is not None else seconds

    def call(self, action: Action) -> None:
        """``action`` in a function of its own, once one more may run and is warm. It ends with :meth:`hang_up`."""
        self.calls += 1
        self._queue.append(action)
        self._answer_next()

    def hang_up(self) -> None:
        """One function has ended."""
        self._running -= 1
        self._answer_next()

    def _answer_next(self) -> None:
        if self._queue and (self._cap is None or self._running < self._cap):
            self._running += 1
            self.peak = max(self.peak, self._running)
            self.soon(self.latencies.invocation_s, self._queue.popleft())

    def run(self) -> None:
        """Until nothing is left to happen."""
        while self._heap:
            self.now, _, action = heapq.heappop(self._heap)
            action()
