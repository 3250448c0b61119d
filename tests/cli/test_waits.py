"""What a nested machine adds to the order of the data, checked against plain counting."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from solidstate.cli.waits import waits_of
from solidstate.planner.graph import Dag, dag_of
from solidstate.planner.shape import shape
from solidstate.planner.tree import Leaf, Sequence, Tree, children, leaves


@st.composite
def dags(draw: st.DrawFn) -> Dag:
    """Graphs of up to nine steps."""
    count = draw(st.integers(1, 9))
    names = [f"s{number}" for number in range(count)]
    pairs = [(a, b) for index, a in enumerate(names) for b in names[index + 1 :]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return dag_of(names, chosen)


def machine_order(tree: Tree) -> set[tuple[str, str]]:
    """All (earlier, later) pairs, by looking at every sequence."""
    pairs: set[tuple[str, str]] = set()
    if isinstance(tree, Leaf):
        return pairs
    if isinstance(tree, Sequence):
        for number, part in enumerate(tree.parts):
            for other in tree.parts[number + 1 :]:
                pairs |= {(a, b) for a in leaves(part) for b in leaves(other)}
    for child in children(tree):
        pairs |= machine_order(child)
    return pairs


@given(dags())
def test_added_orderings_are_those_the_data_lacks(dag: Dag) -> None:
    """The count is the difference of two orders; the steps named imply all of it, and no more are named."""
    tree = shape(dag)
    waits = waits_of(dag, tree)
    machine = machine_order(tree)
    data = {(a, b) for b in dag.names for a in dag.ancestors(b)}
    assert waits.pairs == len(machine - data)
    named = {(earlier, step) for step, added in waits.added.items() for earlier in added}
    assert named <= machine - data
    implied = {(a, d) for a, b in machine for c, d in machine if b == c}
    assert not named & implied
    closed = set(data | named)
    while more := {(a, d) for a, b in closed for c, d in closed if b == c} - closed:
        closed |= more
    assert closed >= machine


def test_a_letter_n_costs_a_wait() -> None:
    """The smallest graph that is no nesting: one step has to wait for another's input."""
    dag = dag_of(["a", "b", "c", "d"], [("a", "c"), ("b", "c"), ("b", "d")])
    waits = waits_of(dag, shape(dag))
    assert waits.added == {"a": (), "b": (), "c": (), "d": ("a",)}
    assert (waits.pairs, waits.machine_depth, waits.data_depth) == (1, 2, 2)


def test_a_nesting_costs_nothing() -> None:
    """Where the graph is sequences and parallels, the machine adds no order."""
    dag = dag_of(["a", "b", "c", "d"], [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
    waits = waits_of(dag, shape(dag))
    assert (waits.pairs, waits.machine_depth, waits.data_depth) == (0, 3, 3)
