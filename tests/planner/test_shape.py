"""The nested form of a graph: complete, exact for every graph, without rendezvous for series-parallel ones."""

from __future__ import annotations

import random
import time
from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solidstate.planner.graph import Dag, closure, dag_of, transitive_reduction
from solidstate.planner.shape import shape
from solidstate.planner.split import MAX_DEPTH
from solidstate.planner.tree import Gate, Leaf, Parallel, Sequence, Tree, children, entries, height, leaves, nodes

Edges = list[tuple[str, str]]


@st.composite
def graphs(draw: st.DrawFn, most: int = 12) -> tuple[list[str], Edges]:
    """Any graph without cycles."""
    names = [f"s{number}" for number in range(draw(st.integers(1, most)))]
    pairs = [(a, b) for number, b in enumerate(names) for a in names[:number]]
    return names, draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []


@st.composite
def series_parallel(draw: st.DrawFn, most: int = 14) -> tuple[list[str], Edges]:
    """The closure of a random nest of series and parallel compositions."""
    names = [f"s{number}" for number in range(draw(st.integers(1, most)))]
    groups = [[name] for name in names]
    edges: Edges = []
    while len(groups) > 1:
        at = draw(st.integers(0, len(groups) - 2))
        first, second = groups[at], groups.pop(at + 1)
        if draw(st.booleans()):
            edges.extend((a, b) for a in first for b in second)
        groups[at] = first + second
    return names, edges


def ordered_by(tree: Tree) -> set[tuple[str, str]]:
    """All pairs of steps of which the tree runs the first before the second."""
    if isinstance(tree, Leaf):
        return set()
    inside = [ordered_by(child) for child in children(tree)]
    pairs = set[tuple[str, str]]().union(*inside)
    if isinstance(tree, Sequence):
        steps = [list(leaves(part)) for part in tree.parts]
        pairs.update(
            (a, b) for number, later in enumerate(steps) for b in later for part in steps[:number] for a in part
        )
    return pairs


def ordered_by_graph(dag: Dag) -> set[tuple[str, str]]:
    """All pairs of which the second step waits for the first, directly or not."""
    after = closure(dag)
    return {(a, b) for i, a in enumerate(dag.names) for j, b in enumerate(dag.names) if after[i] >> j & 1}


def waits_in(tree: Tree) -> set[tuple[str, str]]:
    """(producer, consumer) of every rendezvous; a gate stands for all steps that come right after it."""
    found: set[tuple[str, str]] = set()
    for node in nodes(tree):
        if isinstance(node, Leaf):
            found.update((producer, node.step) for producer in node.waits)
        if isinstance(node, Sequence):
            for gate, held in pairwise(node.parts):
                if isinstance(gate, Gate):
                    found.update((producer, step) for producer in gate.waits for step in entries(held))
    return found


def edges_of(dag: Dag) -> set[tuple[str, str]]:
    return set(dag.edges())


@given(graphs())
def test_the_order_is_that_of_the_graph(graph: tuple[list[str], Edges]) -> None:
    """Every step has one place. What the tree orders, the graph orders; every edge that others do not imply is ordered
    by the tree or is a rendezvous, never both; and every rendezvous is such an edge."""
    dag = dag_of(*graph)
    tree = shape(dag)
    assert sorted(leaves(tree)) == sorted(dag.names)
    ordered, waits = ordered_by(tree), waits_in(tree)
    assert ordered <= ordered_by_graph(dag)
    kept = edges_of(transitive_reduction(dag))
    assert not ordered & waits
    assert waits <= kept
    assert kept <= ordered | waits


@given(series_parallel())
def test_a_series_parallel_graph_has_no_rendezvous(graph: tuple[list[str], Edges]) -> None:
    """Then the tree orders two steps if and only if the graph does."""
    dag = dag_of(*graph)
    tree = shape(dag)
    assert waits_in(tree) == set()
    assert ordered_by(tree) == ordered_by_graph(dag)


def has_n(dag: Dag) -> bool:
    """Whether four steps are ordered as the letter N: a before c and d, b before d, and nothing else."""
    after = ordered_by_graph(dag)
    return any(
        {(a, c), (a, d), (b, d)} <= after
        and not any(pair in after or pair[::-1] in after for pair in ((a, b), (b, c), (c, d)))
        for a, b, c, d in permutations(dag.names, 4)
    )


@settings(max_examples=150)
@given(graphs(most=7))
def test_rendezvous_are_where_there_is_an_n_and_only_there(graph: tuple[list[str], Edges]) -> None:
    """By the definition of series-parallel orders, tried on all quadruples of steps."""
    dag = dag_of(*graph)
    assert bool(waits_in(shape(dag))) == has_n(dag)


@given(graphs(), st.data())
def test_estimates_change_who_waits_and_nothing_else(graph: tuple[list[str], Edges], data: st.DataObject) -> None:
    """Whatever a step is believed to take, the order is that of the graph."""
    dag = dag_of(*graph)
    seconds = {name: data.draw(st.floats(0, 900), label=name) for name in dag.names}
    tree = shape(dag, seconds)
    assert ordered_by(tree) <= ordered_by_graph(dag)
    assert edges_of(transitive_reduction(dag)) <= ordered_by(tree) | waits_in(tree)


@given(graphs(), st.randoms())
def test_the_order_of_edges_does_not_matter(graph: tuple[list[str], Edges], chance: random.Random) -> None:
    """The same steps and edges give the same tree."""
    names, edges = graph
    shuffled = list(edges)
    chance.shuffle(shuffled)
    assert shape(dag_of(names, shuffled)) == shape(dag_of(names, edges))


@given(graphs())
def test_trees_are_normal(graph: tuple[list[str], Edges]) -> None:
    """No node has a single child or a child of its own kind, and branches are in the order of their first steps."""
    dag = dag_of(*graph)
    rank = {name: number for number, name in enumerate(dag.names)}
    todo: list[Tree] = [shape(dag)]
    while todo:
        node = todo.pop()
        below = children(node)
        assert len(below) != 1
        assert not any(type(child) is type(node) for child in below)
        if isinstance(node, Parallel):
            firsts = [min(rank[step] for step in leaves(branch)) for branch in node.branches]
            assert firsts == sorted(firsts)
        todo.extend(below)


def test_a_diamond() -> None:
    """A fork and a join are one Parallel between two steps."""
    tree = shape(dag_of("abcd", [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]))
    assert tree == Sequence((Leaf("a"), Parallel((Leaf("b"), Leaf("c"))), Leaf("d")))


def test_an_edge_others_imply_changes_nothing() -> None:
    """A shortcut past a step orders nothing new."""
    assert shape(dag_of("abc", [("a", "b"), ("b", "c"), ("a", "c")])) == Sequence((Leaf("a"), Leaf("b"), Leaf("c")))


def test_an_n_has_one_rendezvous() -> None:
    """The smallest graph that is not series-parallel: the step with two inputs hangs under one and meets the other."""
    tree = shape(dag_of("abcd", [("a", "c"), ("a", "d"), ("b", "d")]))
    assert tree == Parallel((Sequence((Leaf("a"), Leaf("c"))), Sequence((Leaf("b"), Leaf("d", ("a",))))))


def test_a_step_hangs_under_the_input_that_is_expected_last() -> None:
    """So that with right estimates nobody parks."""
    tree = shape(dag_of("abcd", [("a", "c"), ("a", "d"), ("b", "d")]), {"a": 9.0, "b": 1.0})
    assert tree == Parallel((Sequence((Leaf("a"), Parallel((Leaf("c"), Leaf("d", ("b",)))))), Leaf("b")))


def test_a_block_of_many_entries_gets_a_gate() -> None:
    """One wait for all of them, where a rendezvous for each would be many words."""
    many = [f"m{n}" for n in range(9)]
    edges = [("a", "c"), *(("a", m) for m in many), *(("b", m) for m in many)]
    tree = shape(dag_of(["a", "b", "c", *many], edges))
    fork = Parallel(tuple(Leaf(m) for m in many))
    assert tree == Parallel((Sequence((Leaf("a"), Leaf("c"))), Sequence((Leaf("b"), Gate("m0", ("a",)), fork))))


def comb(teeth: int) -> tuple[list[str], Edges]:
    """Each step of a chain has a side step: as many nested Parallels as teeth."""
    names = [f"{kind}{number}" for number in range(teeth) for kind in "ab"]
    edges = [(f"a{number}", f"b{number}") for number in range(teeth)]
    return names, edges + [(f"a{number}", f"a{number + 1}") for number in range(teeth - 1)]


def test_series_parallel_parts_nest_as_deep_as_they_must() -> None:
    """Exactness comes first; what is too deep for one machine is cut later."""
    dag = dag_of(*comb(300))
    tree = shape(dag)
    assert (height(tree), waits_in(tree)) == (299, set())


def test_embedded_parts_do_not_nest_too_deep() -> None:
    """What would lie too deep waits for its parent like for the others."""
    rows = [[f"r{row}_{column}" for column in range(10)] for row in range(30)]
    near = [(above[n], below[m]) for above, below in pairwise(rows) for n in range(10) for m in (n, (n + 1) % 10)]
    dag = dag_of([name for row in rows for name in row], near)
    chance = random.Random(1)
    tree = shape(dag, {name: chance.uniform(1, 9) for name in dag.names})
    assert height(tree) == MAX_DEPTH
    assert edges_of(transitive_reduction(dag)) <= ordered_by(tree) | waits_in(tree)


def _layered(width: int, layers: int) -> tuple[list[str], Edges]:
    chance = random.Random(1)
    rows = [[f"l{row}_{column}" for column in range(width)] for row in range(layers)]
    edges = [(chance.choice(above), step) for above, row in pairwise(rows) for step in row for _ in "123"]
    return [step for row in rows for step in row], edges


def _chain(steps: int) -> tuple[list[str], Edges]:
    names = [f"s{number}" for number in range(steps)]
    return names, list(pairwise(names))


def _fan(steps: int) -> tuple[list[str], Edges]:
    names = [f"s{number}" for number in range(steps)]
    inner = names[1:-1]
    return names, [(names[0], step) for step in inner] + [(step, names[-1]) for step in inner]


def _ladder(rungs: int) -> tuple[list[str], Edges]:
    """Two chains with a rung from each step to the next of the other: one irreducible block, two steps wide."""
    names = [f"{side}{number}" for number in range(rungs) for side in "ab"]
    ways = [("a", "a"), ("b", "b"), ("a", "b")]
    return names, [(f"{one}{n}", f"{other}{n + 1}") for n in range(rungs - 1) for one, other in ways]


@pytest.mark.parametrize(
    ("name", "graph"),
    [
        ("chain", _chain(10_000)),
        ("fan", _fan(10_000)),
        ("layered", _layered(60, 50)),
        ("comb", comb(1_500)),
        ("ladder", _ladder(1_500)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_large_graphs_take_seconds_at_most(name: str, graph: tuple[list[str], Edges]) -> None:
    """Time grows about linearly with size, in the regular and in the worst shapes."""
    start = time.perf_counter()
    dag = dag_of(*graph)
    tree = shape(dag)
    took = time.perf_counter() - start
    assert sorted(leaves(tree)) == sorted(dag.names)
    assert took < 15, f"{name}: {len(dag.names)} steps took {took:.1f} s"
