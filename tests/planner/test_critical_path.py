"""The longest chain of steps."""

from __future__ import annotations

from solidstate.planner.critical_path import CriticalPath, critical_path
from tests.planner.thought import MAPPED, N_SHAPE, plan_of, step


def test_the_longest_chain_counts() -> None:
    """Every step with its overhead; a step of unknown duration takes a second."""
    assert critical_path(N_SHAPE, {"b": 3.0}, 0.5) == CriticalPath(1.5 + 3.5, ("b", "d"))


def test_of_equal_chains_the_first() -> None:
    """The same plan always gives the same path."""
    plan = plan_of(step("a"), step("b"), step("c", "b", "a"), step("d", "a"))
    assert critical_path(plan, {}, 0.0) == CriticalPath(2.0, ("b", "c"))


def test_mapped_steps_count_once_and_after_their_items() -> None:
    """All items at once take as long as one."""
    assert critical_path(MAPPED, {"work": 5.0}, 0.0) == CriticalPath(7.0, ("make", "work", "sum"))
