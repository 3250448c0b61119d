"""The nested form of whole plans: regions are one place each, and rendezvous have two ends."""

from __future__ import annotations

from hypothesis import given

from solidstate.planner.nest import meetings_in, nest_of
from solidstate.planner.plan import ExecutionPlan
from solidstate.planner.regions import dag_inside, units_of
from solidstate.planner.tree import leaves
from tests.planner.drawing import on_one_line
from tests.planner.test_regions import collect, item, mapped, plans, source
from tests.planner.test_shape import ordered_by, ordered_by_graph, waits_in


@given(plans())
def test_units_and_regions_are_ordered_as_their_graphs(plan: ExecutionPlan) -> None:
    """Outside and inside: what is ordered is ordered in the graph, and every edge is ordered or a rendezvous."""
    nest, units = nest_of(plan), units_of(plan)
    pairs = [(nest.tree, units.dag), *((nest.inside[name], dag_inside(one)) for name, one in units.regions.items())]
    for tree, dag in pairs:
        assert sorted(leaves(tree)) == sorted(dag.names)
        assert ordered_by(tree) <= ordered_by_graph(dag)
        assert set(dag.edges()) <= ordered_by_graph(dag)
        assert all(pair in ordered_by_graph(dag) for pair in waits_in(tree))


@given(plans())
def test_who_waits_is_woken(plan: ExecutionPlan) -> None:
    """Every wait has its wake-up and every wake-up its wait, under the names partners know each other by."""
    nest = nest_of(plan)
    for tree in (nest.tree, *nest.inside.values()):
        meetings = meetings_in(tree, nest)
        waits = {(one, nest.known(unit)) for unit, meeting in meetings.items() for one in meeting.waits}
        wakes = {(nest.known(unit), one) for unit, meeting in meetings.items() for one in meeting.wakes}
        assert waits <= wakes  # a gate waits too, and is no step's meeting
        assert len({nest.known(name) for name in leaves(tree)}) == len(list(leaves(tree)))


def test_a_region_waits_as_a_whole_and_is_waited_for_as_a_whole() -> None:
    """Under the name of its first step; what does not need it does not wait for it."""
    plan = ExecutionPlan(
        "demo",
        (
            source("x"),
            source("y"),
            mapped("a", "x", item("x", "items")),
            mapped("b", "x", item("a")),
            mapped("c", "y", item("y", "items"), collect("b")),
            mapped("d", "y", item("y", "items")),
        ),
    )
    assert on_one_line(nest_of(plan).tree) == ("(x > a for each items > c for each items[y] | y > d for each items)")
