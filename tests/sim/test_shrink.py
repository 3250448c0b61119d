"""From a failing run to its simplest form."""

from __future__ import annotations

from collections.abc import Sequence

from tests.sim.mistakes import planted, wakes_before_its_result_is_there
from tests.sim.play import play
from tests.sim.shrink import kind_of, shrunk


def test_only_what_matters_is_left() -> None:
    """Of a list of decisions, those without which nothing fails; the same each time."""

    def fails(script: Sequence[int]) -> bool:
        return len(script) > 5 and script[2] >= 1 and script[5] >= 3

    found = shrunk([4, 0, 2, 9, 9, 7, 1, 1, 0, 3], fails)
    assert found == [0, 0, 2, 0, 0, 7]
    assert shrunk([4, 0, 2, 9, 9, 7, 1, 1, 0, 3], fails) == found


def test_a_run_that_fails_becomes_simpler() -> None:
    """It fails in the same way, with no more faults and in fewer operations."""
    with planted(wakes_before_its_result_is_there):
        played = next(one for one in map(play, range(1_000)) if one.problems and sum(one.injected.values()) > 2)
        kind = kind_of(played.problems[0])

        def fails(script: Sequence[int]) -> bool:
            return kind in map(kind_of, play(played.seed, script).problems)

        simplest = play(played.seed, shrunk(played.decisions, fails, tries=300))
    assert kind in map(kind_of, simplest.problems)
    assert sum(simplest.injected.values()) < sum(played.injected.values())
    assert sum(map(bool, simplest.decisions)) < sum(map(bool, played.decisions))


def test_problems_of_one_kind_are_known_as_such() -> None:
    """Names and numbers make no difference."""
    assert kind_of("the body of s2[k1] ran 3 times") == kind_of("the body of s7 ran 2 times")
    assert kind_of("`v1/a` was overwritten") != kind_of("the run is stuck; parked: s4")
