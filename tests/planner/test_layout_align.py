"""Places within the layers: distances kept, order kept, neighbours near."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from solidstate.planner.layout_align import align
from solidstate.planner.layout_layers import Edge, rows_of
from solidstate.planner.layout_order import arrange
from tests.planner.test_layout_layers import numbered


@given(numbered(), st.lists(st.integers(1, 50), min_size=200, max_size=200))
def test_neighbours_keep_their_order_and_their_distance(graph: tuple[int, list[Edge]], sizes: list[int]) -> None:
    """However wide nodes are."""
    rows = rows_of(*graph)
    arrange(rows)

    def apart(left: int, right: int) -> float:
        return (sizes[left % 200] + sizes[right % 200]) / 2

    at = align(rows, apart)
    assert min(at) == 0
    for layer in rows.order:
        assert all(at[right] - at[left] >= apart(left, right) - 1e-6 for left, right in pairwise(layer))


def test_a_node_stands_in_the_middle_of_what_it_leads_to() -> None:
    """A fork above three, a join below them."""
    rows = rows_of(5, [(0, n, "") for n in (1, 2, 3)] + [(n, 4, "") for n in (1, 2, 3)])
    at = [round(place, 3) for place in align(rows, lambda left, right: 10.0)]
    assert at == [10, 0, 10, 20, 10]


def test_what_has_room_is_straight() -> None:
    """A long edge beside a chain, and the chain itself, are two straight lines."""
    rows = rows_of(5, [(0, 1, ""), (1, 2, ""), (2, 3, ""), (3, 4, ""), (0, 4, "")])
    arrange(rows)
    at = align(rows, lambda left, right: 10.0)
    waypoints = {round(at[node], 6) for node in range(5, 8)}
    chain = {round(at[node], 6) for node in (1, 2, 3)}
    assert (len(waypoints), len(chain)) == (1, 1)
    assert abs(waypoints.pop() - chain.pop()) >= 10


def test_long_edges_turn_at_their_ends_only() -> None:
    """Not a little in every layer: wherever there is room, all waypoints of an edge have one place."""
    pairs = [(0, 1), (2, 4), (3, 4), (3, 5), (4, 6), (5, 6), (3, 7), (5, 7), (4, 8), (7, 8), (3, 9), (6, 9)]
    rows = rows_of(10, [(source, target, "") for source, target in pairs])
    arrange(rows)
    at = align(rows, lambda left, right: 10.0)
    assert max(len(way) for way in rows.ways.values()) > 3
    assert all(len({round(at[node], 4) for node in way[1:-1]}) <= 1 for way in rows.ways.values())
