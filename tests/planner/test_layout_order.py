"""Order within the layers: counted crossings are real, and never more than in the order that was given."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given

from solidstate.planner.layout_layers import Edge, Rows, rows_of
from solidstate.planner.layout_order import arrange, crossings
from tests.planner.test_layout_layers import numbered


def counted(rows: Rows, order: list[list[int]]) -> int:
    """Crossings by the definition: every pair of edges between two layers whose ends are in opposite order."""
    total = 0
    for upper, lower in pairwise(order):
        edges = [(upper.index(node), lower.index(target)) for node in upper for target in rows.below[node]]
        total += sum((a - c) * (b - d) < 0 for a, b in edges for c, d in edges) // 2
    return total


@given(numbered())
def test_crossings_are_counted_as_they_are(graph: tuple[int, list[Edge]]) -> None:
    """The quick count is the plain one."""
    rows = rows_of(*graph)
    assert crossings(rows, rows.order) == counted(rows, rows.order)


@given(numbered())
def test_an_arranged_drawing_crosses_no_more_than_the_given_order(graph: tuple[int, list[Edge]]) -> None:
    """And every layer has the nodes it had."""
    rows = rows_of(*graph)
    before, nodes = counted(rows, rows.order), [sorted(layer) for layer in rows.order]
    arrange(rows)
    assert counted(rows, rows.order) <= before
    assert [sorted(layer) for layer in rows.order] == nodes


def test_a_tangle_that_can_be_drawn_without_crossings_is() -> None:
    """Six chains whose ends were given in the opposite order."""
    edges: list[Edge] = [(number, 11 - number, "") for number in range(6)]
    rows = rows_of(12, edges)
    assert crossings(rows, rows.order) == 15
    arrange(rows)
    assert crossings(rows, rows.order) == 0


def test_sweeps_alone_do_not_get_stuck() -> None:
    """A tree given in a bad order, whose leaves must follow their parents through two layers, has no crossing."""
    edges: list[Edge] = [(0, n, "") for n in (1, 2, 3)]
    leaves = [10, 4, 8, 5, 11, 6, 9, 7, 12]
    edges += [(1 + place // 3, leaf, "") for place, leaf in enumerate(leaves)]
    rows = rows_of(13, edges)
    arrange(rows)
    assert crossings(rows, rows.order) == 0
