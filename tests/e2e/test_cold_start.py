"""What a cold start costs, as a ratio to a function written by hand with boto3 and measured in the same minute."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

import pytest

from bench.cold.measure import cold

ROUNDS = 5
MOST = 0.45
MOST_IMPORT_S = 0.120


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="asks the kernel what a process has cost")
@pytest.mark.parametrize("tls", [False, True], ids=["http", "tls"])
def test_a_cold_step_costs_less_than_half_of_boto3_by_hand(tmp_path: Path, tls: bool) -> None:
    """Import, GET 1 MB, add up, commit: CPU of the whole process, medians of alternating pairs after a warm-up."""
    with cold(tmp_path, tls=tls) as fresh:
        pairs = [(fresh.step("obstore"), fresh.by_hand()) for _ in range(ROUNDS + 1)][1:]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    print(f"\n{ratio:.3f} of boto3 by hand; {[(round(a, 3), round(b, 3)) for a, b in pairs]}")
    assert ratio <= MOST


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="asks the kernel what a process has cost")
def test_importing_the_handler_is_quick(tmp_path: Path) -> None:
    """Handler, deployment and the user's module, no client: CPU of the whole process, the interpreter's start included.
    The least of a few runs, so that a busy machine does not count."""
    with cold(tmp_path) as fresh:
        fresh.imports()
        least = min(fresh.imports() for _ in range(ROUNDS))
    print(f"\n{least:.3f} s")
    assert least <= MOST_IMPORT_S
