"""Runs in which things go wrong, by the thousand: whatever happens, in whatever order, every promise holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.batches import play_all, play_many
from tests.sim.faults import EVERY, REDRIVE
from tests.sim.kept import kept_seeds
from tests.sim.play import play

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 1_000, 20_000
EVENTFUL = 167
"""A seed of which much is told: crashes, duplicates, a redrive."""


def test_a_thousand_seeds_hold() -> None:
    """No promise is broken, and every kind of fault has struck."""
    totals = play_all(range(FEW), play)
    assert [(one.seed, one.problems) for one in totals.failed] == []
    assert {kind for kind in (*EVERY, REDRIVE) if not totals.injected[kind]} == set()
    assert totals.figures["executions succeeded"] > FEW / 2


@pytest.mark.slow
def test_twenty_thousand_seeds_hold() -> None:
    """The same, for as many as `make sim` plays."""
    totals = play_many(FEW, MANY - FEW, play, processes=2)
    print(f"\n{totals.table()}")
    assert [(one.seed, one.problems) for one in totals.failed] == []


@pytest.mark.parametrize("seed", kept_seeds())
def test_a_seed_that_failed_once_holds(seed: int) -> None:
    """Whatever it was, it is corrected."""
    assert play(seed).problems == []


def test_a_seed_is_one_run() -> None:
    """The seed, or the decisions that it made, give the same run to the last operation."""
    first = play(EVENTFUL, trace=True)
    assert sum(first.injected.values()) > 3
    assert play(EVENTFUL, trace=True) == first
    assert play(EVENTFUL, first.decisions, trace=True) == first


def test_a_seed_is_the_same_everywhere() -> None:
    """Nothing depends on the order of sets or on the process: another one tells the same story."""

    def told(hashing: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hashing}
        asked = [sys.executable, "-m", "tests.sim", "--seed", str(EVENTFUL)]
        return subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, check=True, text=True).stdout

    assert told("1") == told("2")
    assert "** crash" in told("3")
