"""``python -m tests.sim``: play seeds, or one with all that happens in it, or runs of the larger pipeline.

--seeds 20000 [--first 0]   what came of them; a seed that fails is shrunk, shown, and how to keep it is told
--seed 123                  one seed, and its trace
--runs 1000                 the pipeline of 30 steps, under a mix of all faults
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tests.sim.acceptance import play_thirty
from tests.sim.batches import Player, Totals, play_many
from tests.sim.kept import KEPT
from tests.sim.play import Played, play
from tests.sim.shrink import kind_of, shrunk

SHOWN = 3
"""Failing seeds that are shrunk and shown; the others are only named."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20_000, metavar="N", help="how many (20000)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="which comes first (0)")
    parser.add_argument("--seed", type=int, help="play this one alone and show what happens")
    parser.add_argument("--runs", type=int, metavar="N", help="play so many runs of the larger pipeline instead")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    asked = parser.parse_args(arguments)
    if asked.seed is not None:
        return _one(asked.seed)
    player: Player = play if asked.runs is None else play_thirty
    totals = play_many(asked.first, asked.seeds if asked.runs is None else asked.runs, player, processes=asked.jobs)
    print(totals.table())
    _show(totals, asked.runs is None)
    return 1 if totals.failed else 0


def _one(seed: int) -> int:
    played = play(seed, trace=True)
    print(
        "\n".join([f"seed {seed}, pipeline {played.pipeline}", *played.trace, "", *(played.problems or ["all holds"])])
    )
    if played.problems:
        print(_simplest(played))
    return 1 if played.problems else 0


def _show(totals: Totals, small: bool) -> None:
    for played in totals.failed[:SHOWN] if small else ():
        print(f"\nseed {played.seed}, pipeline {played.pipeline}: {'; '.join(played.problems)}\n{_simplest(played)}")
    for played in totals.failed[SHOWN if small else 0 :]:
        print(f"seed {played.seed}: {played.problems[0]}")
    if totals.failed and small:
        print(f"\nAdd the seeds to {KEPT.name}; `make sim SEED={totals.failed[0].seed}` plays one.")


def _simplest(played: Played) -> str:
    """The trace of the simplest run found that goes wrong in the same way."""
    kinds = {kind_of(problem) for problem in played.problems}

    def fails(script: Sequence[int]) -> bool:
        return not kinds.isdisjoint(map(kind_of, play(played.seed, script).problems))

    script = shrunk(played.decisions, fails)
    simplest = play(played.seed, script, trace=True)
    faults = sum(simplest.injected.values())
    return "\n".join([f"\nits simplest form, with {faults} faults:", *simplest.trace, "", *simplest.problems])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
