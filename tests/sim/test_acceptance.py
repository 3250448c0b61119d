"""A thousand runs of a pipeline of 30 steps under a mix of all faults."""

from __future__ import annotations

import pytest

from tests.sim.acceptance import play_thirty
from tests.sim.batches import OTHER, VIOLATIONS, play_many
from tests.sim.faults import EVERY


@pytest.mark.slow
def test_nothing_is_lost_in_a_thousand_runs() -> None:
    """No output is lost, no result decided twice, nobody is stuck, and every run ends with its terminal event."""
    totals = play_many(0, 1_000, play_thirty, processes=2)
    print(f"\n{totals.table()}")
    assert [(one.seed, one.problems) for one in totals.failed] == []
    assert totals.violations() == dict.fromkeys([*VIOLATIONS.values(), OTHER], 0)
    begun = totals.figures["runs begun"]  # the others were cancelled, or given up, before Start run had recorded them
    assert totals.figures["runs ended with a terminal event"] == begun >= 950
    assert all(totals.injected[kind] for kind in EVERY)
