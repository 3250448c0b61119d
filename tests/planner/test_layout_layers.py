"""Layers of a drawing: edges lead down, waypoints carry them past the layers between, as few as there can be."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from solidstate.planner.layout_layers import Edge, layers_of, rows_of


@st.composite
def numbered(draw: st.DrawFn) -> tuple[int, list[Edge]]:
    """A graph whose edges lead from lower to higher numbers, in lanes."""
    count = draw(st.integers(1, 14))
    pairs = [(a, b) for b in range(count) for a in range(b)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return count, [(a, b, draw(st.sampled_from(["", "x"]))) for a, b in chosen]


@given(numbered())
def test_edges_lead_to_a_lower_layer(graph: tuple[int, list[Edge]]) -> None:
    """And the layers are numbered from 0 without a gap."""
    nodes, edges = graph
    layer = layers_of(nodes, edges)
    assert all(layer[source] < layer[target] for source, target, _ in edges)
    rows = rows_of(nodes, edges)
    assert rows.layer[:nodes] == layer
    assert all(rows.order)


def test_a_node_is_where_its_edges_are_short() -> None:
    """A source that is needed late stands just above what needs it, and a step that ends early just below its input."""
    chain = [(0, 1, ""), (1, 2, ""), (2, 3, "")]
    assert layers_of(5, [*chain, (3, 4, "")]) == [0, 1, 2, 3, 4]
    # 4 is needed by the last of the chain alone, 5 needs the first alone.
    assert layers_of(4, [(0, 1, ""), (1, 3, ""), (2, 3, "")]) == [0, 1, 1, 2]
    assert layers_of(4, [(0, 1, ""), (1, 2, ""), (0, 3, "")]) == [0, 1, 2, 1]


@given(numbered())
def test_every_edge_has_a_way_from_layer_to_layer(graph: tuple[int, list[Edge]]) -> None:
    """From its source by waypoints alone to its target, by edges that are there, one layer at a time."""
    nodes, edges = graph
    rows = rows_of(nodes, edges)
    assert sorted(rows.ways) == sorted(edges)
    for (source, target, _), way in rows.ways.items():
        assert (way[0], way[-1]) == (source, target)
        assert all(rows.is_waypoint(node) for node in way[1:-1])
        for upper, lower in pairwise(way):
            assert rows.layer[lower] == rows.layer[upper] + 1
            assert lower in rows.below[upper]
            assert upper in rows.above[lower]


@given(numbered())
def test_a_lane_has_one_waypoint_a_layer(graph: tuple[int, list[Edge]]) -> None:
    """Edges of one lane that leave the same node share their waypoints, and nobody else has them."""
    nodes, edges = graph
    rows = rows_of(nodes, edges)
    owner: dict[int, tuple[int, str]] = {}
    for (source, _, lane), way in rows.ways.items():
        for node in way[1:-1]:
            assert owner.setdefault(node, (source, lane)) == (source, lane)
    places = [(owner[node], rows.layer[node]) for node in range(nodes, len(rows.layer))]
    assert len(set(places)) == len(places)
