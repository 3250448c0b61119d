"""The nested form of a graph: complete, correct for every graph, exact for series-parallel ones, and bounded."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.planner.graph import Dag, closure, dag_of
from solidstate.planner.shape import MAX_NESTING, shape
from solidstate.planner.tree import Leaf, Parallel, Sequence, Tree, children, height, leaves

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


@given(graphs())
def test_every_step_has_one_place_and_every_dependency_holds(graph: tuple[list[str], Edges]) -> None:
    """The tree may add order but never loses or reverses any."""
    dag = dag_of(*graph)
    tree = shape(dag)
    assert sorted(leaves(tree)) == sorted(dag.names)
    pairs = ordered_by(tree)
    assert ordered_by_graph(dag) <= pairs
    assert not any((b, a) in pairs for a, b in pairs)


@given(series_parallel())
def test_a_series_parallel_graph_gets_no_added_order(graph: tuple[list[str], Edges]) -> None:
    """Then the tree orders two steps if and only if the graph does."""
    dag = dag_of(*graph)
    tree = shape(dag)
    assert ordered_by(tree) == ordered_by_graph(dag)


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


def test_an_n_gets_a_barrier() -> None:
    """The smallest graph that is not series-parallel runs its sources first."""
    tree = shape(dag_of("abcd", [("a", "c"), ("a", "d"), ("b", "d")]))
    assert tree == Sequence((Parallel((Leaf("a"), Leaf("b"))), Parallel((Leaf("c"), Leaf("d")))))


def test_a_barrier_does_not_reach_beyond_its_block() -> None:
    """A branch beside an N keeps its own pace."""
    tree = shape(dag_of("abcdxyz", [("a", "c"), ("a", "d"), ("b", "d"), ("x", "y"), *((s, "z") for s in "cdy")]))
    assert tree == Sequence(
        (
            Parallel(
                (
                    Sequence((Parallel((Leaf("a"), Leaf("b"))), Parallel((Leaf("c"), Leaf("d"))))),
                    Sequence((Leaf("x"), Leaf("y"))),
                )
            ),
            Leaf("z"),
        )
    )


def _comb(teeth: int) -> tuple[list[str], Edges]:
    """Each step of a chain has a side step: as many nested Parallels as teeth."""
    names = [f"{kind}{number}" for number in range(teeth) for kind in "ab"]
    edges = [(f"a{number}", f"b{number}") for number in range(teeth)]
    return names, edges + [(f"a{number}", f"a{number + 1}") for number in range(teeth - 1)]


@pytest.mark.parametrize("teeth", [MAX_NESTING, MAX_NESTING + 2, 60, 300])
def test_nesting_is_bounded(teeth: int) -> None:
    """What would lie too deep is run level by level, and every dependency still holds."""
    dag = dag_of(*_comb(teeth))
    tree = shape(dag)
    assert height(tree) == min(teeth - 1, MAX_NESTING)
    assert ordered_by_graph(dag) <= ordered_by(tree)


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
        ("comb", _comb(1_500)),
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
    place = {step: number for number, step in enumerate(leaves(tree))}
    assert len(place) == len(dag.names)
    assert all(place[a] < place[b] for a, b in dag.edges())
    assert took < 15, f"{name}: {len(dag.names)} steps took {took:.1f} s"
