"""Estimated times: steps begin when their inputs are there, waiting costs what it costs, nothing beats the floor."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.planner.graph import dag_of
from solidstate.planner.makespan import (
    ENTER_S,
    NESTED_END_S,
    NESTED_START_S,
    STEP_S,
    WAKE_S,
    Span,
    critical_path,
    estimated_makespan,
)
from solidstate.planner.shape import shape
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence
from tests.planner.test_compile_run import plan_of, step
from tests.planner.test_shape import Edges, graphs


@given(graphs(), st.data())
def test_every_step_begins_after_its_inputs_and_soon_after(graph: tuple[list[str], Edges], data: st.DataObject) -> None:
    """Never before the last of them ends; later only by latencies."""
    dag = dag_of(*graph)
    seconds = {name: data.draw(st.integers(0, 20)) / 4 for name in dag.names}
    made = estimated_makespan(shape(dag, seconds), seconds)
    assert sorted(made.spans) == sorted(dag.names)
    for number, name in enumerate(dag.names):
        span = made.spans[name]
        inputs = max((made.spans[dag.names[p]].ends_s for p in dag.before[number]), default=0.0)
        forks = ENTER_S * len(dag.names)
        assert inputs + STEP_S - 1e-9 <= span.begins_s <= inputs + WAKE_S + STEP_S + forks + 1e-9
        assert span.ends_s == pytest.approx(span.begins_s + seconds[name])
        assert span.parked == (span.begins_s > span.entered_s)
    assert made.seconds == pytest.approx(max(span.ends_s for span in made.spans.values()))


@given(graphs(), st.data())
def test_nothing_is_quicker_than_the_critical_path(graph: tuple[list[str], Edges], data: st.DataObject) -> None:
    """Whatever the durations, and whatever was expected of them."""
    names, edges = graph
    plan = plan_of(*(step(name, *(a for a, b in edges if b == name)) for name in dag_of(names, edges).names))
    seconds = {name: data.draw(st.integers(0, 20)) / 4 for name in names}
    longest, path = critical_path(plan, seconds)
    assert estimated_makespan(shape(dag_of(names, edges)), seconds).seconds >= longest - 1e-9
    assert longest == pytest.approx(sum(STEP_S + seconds[name] for name in path))
    assert all(pair in edges for pair in pairwise(path))


def test_a_step_that_finds_its_inputs_runs_at_once() -> None:
    """And one that does not pays for being woken and for the state in which it goes on."""
    tree = Parallel((Leaf("a"), Sequence((Leaf("b"), Leaf("d", ("a",))))))
    quick = estimated_makespan(tree, {"a": 1.0, "b": 2.0, "d": 1.0})
    begins = ENTER_S + STEP_S + 2.0 + STEP_S
    assert quick.spans["d"] == Span(begins, begins, begins + 1.0)
    assert quick.parked == []
    slow = estimated_makespan(tree, {"a": 3.0, "b": 2.0, "d": 1.0})
    woken = ENTER_S + STEP_S + 3.0 + WAKE_S + STEP_S
    parked = slow.spans["d"]
    assert (parked.entered_s, parked.begins_s, parked.ends_s) == pytest.approx((begins, woken, woken + 1.0))
    assert parked.parked
    assert slow.parked == ["d"]
    assert slow.seconds == pytest.approx(woken + 1.0)


def test_a_gate_opens_when_all_it_waits_for_has_ended() -> None:
    """It is a state of its own; what is behind it is entered then."""
    tree = Parallel((Leaf("a"), Sequence((Leaf("b"), Gate("x", ("a",)), Parallel((Leaf("x"), Leaf("y")))))))
    made = estimated_makespan(tree, {"a": 5.0, "b": 1.0, "x": 1.0, "y": 2.0})
    opens = ENTER_S + STEP_S + 5.0 + WAKE_S
    assert made.parked == ["gate x"]
    assert made.spans["x"].begins_s == made.spans["y"].begins_s == pytest.approx(opens + ENTER_S + STEP_S)
    assert made.seconds == pytest.approx(opens + ENTER_S + STEP_S + 2.0)


def test_a_nested_execution_takes_its_time_to_start_and_to_end() -> None:
    """Around what it holds."""
    made = estimated_makespan(Sequence((Nested("Part1", Leaf("a")), Leaf("b"))), {"a": 1.0, "b": 1.0})
    assert made.spans["a"].begins_s == pytest.approx(ENTER_S + NESTED_START_S + STEP_S)
    assert made.spans["b"].begins_s == pytest.approx(made.spans["a"].ends_s + NESTED_END_S + STEP_S)


def test_the_critical_path_names_its_steps() -> None:
    """The longest chain by time, not by steps."""
    plan = plan_of(step("a"), step("b", "a"), step("c", "b"), step("d"), step("e", "d", "c"))
    longest, path = critical_path(plan, {"a": 1, "b": 1, "c": 1, "d": 9, "e": 1})
    assert longest == pytest.approx(10 + 2 * STEP_S)
    assert path == ["d", "e"]
