"""Where steps are: what is placed before a step and what it has a rendezvous with are all it waits for."""

from __future__ import annotations

from hypothesis import given

from solidstate.planner.compile import machine_nest
from solidstate.planner.graph import Dag, dag_of, dag_of_plan, transitive_reduction
from solidstate.planner.nest import Nest, nest_of
from solidstate.planner.placement import Fork, Place, last_steps, places, regions_of, rendezvous, step_places
from solidstate.planner.plan import ExecutionPlan
from solidstate.planner.shape import shape
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence
from tests.planner.test_compile_run import plan_of, step
from tests.planner.test_regions import collect, item, mapped, plans, source
from tests.planner.test_shape import Edges, graphs, ordered_by_graph

N_SHAPE = plan_of(step("a"), step("b"), step("c", "a"), step("d", "a", "b"))


def nested(dag: Dag) -> Nest:
    """The nest of a graph without mapped steps."""
    return Nest(shape(dag), {}, {})


@given(graphs())
def test_places_and_rendezvous_are_the_order_of_the_graph(graph: tuple[list[str], Edges]) -> None:
    """No step waits for more than its inputs, directly or not, and none for less."""
    dag = dag_of(*graph)
    found = step_places(nested(dag))
    assert sorted(found) == sorted(dag.names)
    direct = [(other, name) for name, place in found.items() for other in (*place.after, *place.waits)]
    assert ordered_by_graph(dag_of(dag.names, direct)) == ordered_by_graph(dag)


@given(graphs())
def test_rendezvous_are_needed_edges(graph: tuple[list[str], Edges]) -> None:
    """Every pair is an edge that no others imply."""
    dag = dag_of(*graph)
    assert rendezvous(nested(dag)) <= set(transitive_reduction(dag).edges())


@given(plans())
def test_mapped_steps_have_their_places_too(plan: ExecutionPlan) -> None:
    """Every step once, and what it waits for are steps that its own order has before it."""
    found = step_places(nest_of(plan))
    assert sorted(found) == sorted(one.name for one in plan.steps)
    order = {name: number for number, name in enumerate(dag_of_plan(plan).names)}
    assert all(other in order for place in found.values() for other in (*place.after, *place.waits))
    assert all(place.step not in (*place.after, *place.waits) for place in found.values())


def test_an_n_has_one_rendezvous_and_one_fork() -> None:
    """`d` hangs under one of its inputs and waits for the other."""
    nest = machine_nest(N_SHAPE)
    assert rendezvous(nest) == {("a", "d")}
    found = step_places(nest)
    assert (found["d"].after, found["d"].waits) == (("b",), ("a",))
    assert [place for place in places(nest) if isinstance(place, Fork)] == [Fork((), ("a", "b"))]


def test_a_gate_waits_for_all_that_begins_behind_it() -> None:
    """And for nothing further on; a nested execution is named at the steps in it."""
    behind = Parallel((Sequence((Leaf("x"), Leaf("z"))), Leaf("y")))
    tree = Sequence((Leaf("a"), Gate("x", ("b",)), Nested("Part1", behind), Leaf("end", ("c",))))
    found = step_places(Nest(tree, {}, {}))
    assert found == {
        "a": Place("a"),
        "x": Place("x", ("a",), ("b",), gate="x", machine="Part1"),
        "y": Place("y", ("a",), ("b",), gate="x", machine="Part1"),
        "z": Place("z", ("x",), machine="Part1"),
        "end": Place("end", ("z", "y"), ("c",)),
    }
    assert rendezvous(Nest(tree, {}, {})) == {("b", "x"), ("b", "y"), ("c", "end")}


def test_a_region_is_held_up_as_a_whole() -> None:
    """Its first steps stand for it where it waits, its last steps where it is waited for."""
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
    nest = nest_of(plan)
    assert regions_of(nest)["b"] == "a for each items"
    assert last_steps(nest, "a for each items") == ["b"]
    found = step_places(nest)
    assert found["a"].after == ("x",)
    assert (found["c"].after, found["c"].waits) == (("b",), ("y",))
    assert rendezvous(nest) == {("y", "c for each items")}
