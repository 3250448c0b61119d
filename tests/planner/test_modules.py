"""Contraction: it draws together what is series-parallel, and only that, in a time that grows with the graph."""

from __future__ import annotations

import sys

from hypothesis import given

from solidstate.planner.graph import dag_of
from solidstate.planner.shape import contract, reduce
from solidstate.planner.tree import entries, exits, leaves
from tests.planner.drawing import drawn_net
from tests.planner.test_shape import Edges, comb, graphs, ordered_by, ordered_by_graph, series_parallel


@given(series_parallel())
def test_a_series_parallel_component_becomes_one_module(graph: tuple[list[str], Edges]) -> None:
    """Nothing is left to embed."""
    net = contract(reduce(dag_of(*graph)))
    assert not any(net.after.values())


@given(graphs())
def test_modules_look_the_same_from_outside(graph: tuple[list[str], Edges]) -> None:
    """Inside a module the order is the graph's; outside, every exit has the same successors and every entry the same
    predecessors."""
    dag = reduce(dag_of(*graph))
    net = contract(dag)
    number = {name: one for one, name in enumerate(dag.names)}
    every = ordered_by_graph(dag)
    assert sorted(name for part in net.part.values() for name in leaves(part)) == sorted(dag.names)
    for node, part in net.part.items():
        inside = set(leaves(part))
        assert ordered_by(part) == {(a, b) for a, b in every if a in inside and b in inside}
        assert min(number[name] for name in inside) == node
        after = {frozenset(dag.names[n] for n in dag.after[number[name]]) - inside for name in exits(part)}
        before = {frozenset(dag.names[n] for n in dag.before[number[name]]) - inside for name in entries(part)}
        assert len(after) == len(before) == 1
        (reached,) = after
        assert reached == {name for later in net.after[node] for name in entries(net.part[later])}


def test_a_letter_n_stays() -> None:
    """Four modules with three edges, and the diamond beside it is one."""
    net = contract(reduce(dag_of("abcdwxyz", [*("ac", "ad", "bd"), *("wx", "wy", "xz", "yz")])))  # type: ignore[list-item] # pairs of letters
    assert drawn_net(net) == ["0: a -> 2, 3", "1: b -> 3", "2: c", "3: d", "4: w > (x | y) > z"]


def test_deep_nests_take_no_more_work_than_flat_ones() -> None:
    """A comb needs as many rounds as it has teeth, each of which looks at what has changed only: counted in calls."""
    calls = []
    for teeth in (1_000, 4_000):
        dag = reduce(dag_of(*comb(teeth)))
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(counted)
        try:
            contract(dag)
        finally:
            sys.setprofile(None)
        calls.append(count)
    assert calls[1] < 4.2 * calls[0]
