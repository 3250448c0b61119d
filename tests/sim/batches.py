"""Many seeds, in several processes: how many of what, and which of them failed."""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor

import msgspec

from tests.sim.play import Played

BATCH = 200
OTHER = "anything else"
VIOLATIONS = {
    "no result": "lost outputs",
    "without a result": "lost outputs",
    "are lost": "lost outputs",
    "was overwritten": "results decided twice",
    "not what was committed": "results decided twice",
    "terminal event": "runs without a terminal event",
    "stuck": "stuck runs",
    "never ends": "stuck runs",
}
"""By what a problem says, what kind it is of."""


class Totals(msgspec.Struct):
    """What came of many seeds; ``failed`` are those with problems, without their traces."""

    injected: Counter[str] = msgspec.field(default_factory=Counter)
    figures: Counter[str] = msgspec.field(default_factory=Counter)
    failed: list[Played] = msgspec.field(default_factory=list)
    took_s: float = 0.0

    def add(self, other: Totals) -> None:
        self.injected += other.injected
        self.figures += other.figures
        self.failed += other.failed

    def violations(self) -> Counter[str]:
        """How many of the things that must never be, each run counted once for each kind."""
        found = Counter[str](dict.fromkeys([*VIOLATIONS.values(), OTHER], 0))
        for played in self.failed:
            kinds = (next((kind for said, kind in VIOLATIONS.items() if said in one), OTHER) for one in played.problems)
            found.update(set(kinds))
        return found

    def table(self) -> str:
        """For people."""
        seeds, took = self.figures["runs"], self.took_s
        lines = [
            f"{seeds:,} runs in {took:.1f} s ({1000 * took / max(1, seeds):.2f} ms each), {len(self.failed)} failed",
            "",
        ]
        lines += [f"  {name:<34}{count:>12,}" for name, count in self.violations().items()]
        for title, counts in (("what went wrong", self.injected), ("what came of it", self.figures)):
            lines.append(title)
            lines += [f"  {name:<34}{count:>12,}" for name, count in sorted(counts.items(), key=lambda one: -one[1])]
        return "\n".join(lines)


Player = Callable[[int], Played]


def play_all(seeds: Iterable[int], player: Player) -> Totals:
    """In this process. What simulations leave is plain: the garbage collector need not look at each."""
    totals = Totals()
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 100)
    try:
        for seed in seeds:
            played = player(seed)
            totals.injected.update(played.injected)
            totals.figures.update(played.figures)
            if played.problems:
                totals.failed.append(played)
    finally:
        gc.set_threshold(*before)
    return totals


def play_many(first: int, count: int, player: Player, *, processes: int) -> Totals:
    """``count`` seeds from ``first`` on, by several processes; ``player`` is a function of a module."""
    began = time.monotonic()
    totals = Totals()
    batches = list(_batches(first, count))
    if processes == 1 or len(batches) == 1:
        for batch in batches:
            totals.add(play_all(batch, player))
    else:
        with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
            for done in pool.map(play_all, batches, [player] * len(batches)):
                totals.add(done)
    totals.took_s = time.monotonic() - began
    return totals


def _batches(first: int, count: int) -> Iterator[range]:
    for begin in range(first, first + count, BATCH):
        yield range(begin, min(begin + BATCH, first + count))
