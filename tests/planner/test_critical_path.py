"""The critical path: a chain of the graph, the longest by time, and never longer than a run of the compiled machine."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.planner.compile import compile_plan
from solidstate.planner.critical_path import CriticalPath, critical_path
from solidstate.planner.graph import dag_of
from solidstate.planner.shape import STEP_OVERHEAD_S
from solidstate.planner.simulate import simulate
from tests.planner.test_compile_run import plan_of, step
from tests.planner.test_shape import Edges, graphs
from tests.planner.thought import MAPPED, N_SHAPE


@given(graphs(), st.data())
def test_nothing_is_quicker_than_the_critical_path(graph: tuple[list[str], Edges], data: st.DataObject) -> None:
    """Whatever the durations, and whatever was expected of them when it was compiled."""
    names, edges = graph
    plan = plan_of(*(step(name, *(a for a, b in edges if b == name)) for name in dag_of(names, edges).names))
    seconds = {name: data.draw(st.integers(0, 20)) / 4 for name in names}
    found = critical_path(plan, seconds)
    assert found.seconds == pytest.approx(sum(STEP_OVERHEAD_S + seconds[name] for name in found.steps))
    assert all(pair in edges for pair in pairwise(found.steps))
    run = simulate(plan, compile_plan(plan).definition, seconds=seconds)
    assert found.seconds - 1e-9 <= run.ended_s - run.begun_s


def test_the_critical_path_is_the_longest_by_time() -> None:
    """Not the one with most steps."""
    plan = plan_of(step("a"), step("b", "a"), step("c", "b"), step("d"), step("e", "d", "c"))
    found = critical_path(plan, {"a": 1, "b": 1, "c": 1, "d": 9, "e": 1})
    assert found.seconds == pytest.approx(10 + 2 * STEP_OVERHEAD_S)
    assert found.steps == ("d", "e")


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
