"""Drawn graphs: nothing overlaps, layers respect edges, lines meet their boxes, the same input gives the same again."""

from __future__ import annotations

import random
import time
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.planner.graph import dag_of
from solidstate.planner.layout import Box, Direction, Drawing, Link, Placed, Spacing, lay_out
from tests.planner.test_shape import Edges, graphs

DIRECTIONS: tuple[Direction, ...] = ("down", "right")


@st.composite
def pictures(draw: st.DrawFn) -> tuple[list[Box], list[Link], Direction]:
    """Boxes of any size, links of any lane, either direction."""
    names, edges = draw(graphs(most=14))
    sizes = st.integers(10, 300)
    boxes = [Box(name, draw(sizes), draw(sizes)) for name in names]
    lanes = st.sampled_from(["", "dashed"])
    links = [Link(source, target, draw(lanes)) for source, target in edges]
    return boxes, links, draw(st.sampled_from(DIRECTIONS))


def sides(box: Placed) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    return box.x - box.width / 2, box.y - box.height / 2, box.x + box.width / 2, box.y + box.height / 2


def apart(one: Placed, other: Placed, gap: float) -> bool:
    """Whether two boxes keep a distance, to the right or below."""
    left, top, right, bottom = sides(one)
    left2, top2, right2, bottom2 = sides(other)
    return max(left2 - right, left - right2, top2 - bottom, top - bottom2) >= gap - 1e-6


@given(pictures())
def test_boxes_keep_their_distance_and_their_size(picture: tuple[list[Box], list[Link], Direction]) -> None:
    """Every box is inside of the drawing, as large as it was given, and apart from every other."""
    boxes, links, direction = picture
    drawing = lay_out(boxes, links, direction)
    assert [(box.id, box.width, box.height) for box in drawing.boxes] == [(b.id, b.width, b.height) for b in boxes]
    for box in drawing.boxes:
        left, top, right, bottom = sides(box)
        assert left >= -1e-6
        assert top >= -1e-6
        assert right <= drawing.width + 1e-6
        assert bottom <= drawing.height + 1e-6
    assert all(apart(one, other, Spacing().boxes) for one, other in combinations(drawing.boxes, 2))


@given(pictures())
def test_links_lead_onward_from_box_to_box(picture: tuple[list[Box], list[Link], Direction]) -> None:
    """From the edge of the source, layer by layer in the direction of the drawing, to the edge of the target."""
    boxes, links, direction = picture
    drawing = lay_out(boxes, links, direction)
    placed = {box.id: box for box in drawing.boxes}
    assert sorted(route.link for route in drawing.routes) == sorted(links)
    for route in drawing.routes:
        source, target = placed[route.link.source], placed[route.link.target]
        assert len(route.bends) == target.layer - source.layer > 0
        if direction == "down":
            assert route.start == (source.x, sides(source)[3])
            assert route.end == (target.x, sides(target)[1])
        else:
            assert route.start == (sides(source)[2], source.y)
            assert route.end == (sides(target)[0], target.y)
        points = [route.start, *(point for bend in route.bends for point in (bend.start, bend.end)), route.end]
        along = [point[1 if direction == "down" else 0] for point in points]
        across = [point[0 if direction == "down" else 1] for point in points]
        assert all(later >= earlier - 1e-6 for earlier, later in pairwise(along))
        assert across[0::2] == across[1::2]  # straight within a layer, and where a box ends


def crossed(drawing: Drawing, direction: Direction) -> list[tuple[Link, str]]:
    """Lines that run through a box. Within a layer a line is straight, and between layers there are no boxes."""
    found: list[tuple[Link, str]] = []
    for route in drawing.routes:
        stops = [route.start, *(point for bend in route.bends for point in (bend.start, bend.end)), route.end]
        for (x1, y1), (x2, y2) in zip(stops[0::2], stops[1::2], strict=True):
            for box in drawing.boxes:
                left, top, right, bottom = sides(box)
                if direction == "right":
                    left, top, right, bottom = top, left, bottom, right
                    (a1, b1), (_, b2) = (y1, x1), (y2, x2)
                else:
                    (a1, b1), (_, b2) = (x1, y1), (x2, y2)
                if left < a1 < right and max(top, b1) < min(bottom, b2) - 1e-6:
                    found.append((route.link, box.id))
    return found


@given(pictures())
def test_no_line_runs_through_a_box(picture: tuple[list[Box], list[Link], Direction]) -> None:
    """A long link goes around the boxes of the layers it passes."""
    boxes, links, direction = picture
    assert crossed(lay_out(boxes, links, direction), direction) == []


@given(pictures(), st.randoms())
def test_the_same_graph_gives_the_same_drawing(
    picture: tuple[list[Box], list[Link], Direction], chance: random.Random
) -> None:
    """Whatever the order of its links."""
    boxes, links, direction = picture
    drawing = lay_out(boxes, links, direction)
    chance.shuffle(links)
    again = lay_out(boxes, links, direction)
    assert again.boxes == drawing.boxes
    assert {route.link: route for route in again.routes} == {route.link: route for route in drawing.routes}


def test_links_of_one_lane_share_their_way() -> None:
    """Two long links that leave a box run together until their targets part them; one of another lane does not."""
    boxes = [Box(name, 40, 20) for name in "abcdef"]
    chain = [Link(one, other) for one, other in pairwise("abcd")]
    links = [*chain, Link("a", "e"), Link("c", "e"), Link("c", "f"), Link("a", "f"), Link("a", "d", "dashed")]
    routes = {
        (route.link.target, route.link.lane): route
        for route in lay_out(boxes, links).routes
        if route.link.source == "a"
    }
    assert routes["e", ""].bends[:2] == routes["f", ""].bends[:2]
    assert routes["d", "dashed"].bends[0] != routes["e", ""].bends[0]


def test_a_long_link_is_straight_between_its_ends() -> None:
    """Past a chain of boxes the line keeps to one place."""
    boxes = [Box(name, 60, 20) for name in "abcdef"]
    links = [*(Link(one, other) for one, other in pairwise("abcdef")), Link("a", "f")]
    (route,) = (route for route in lay_out(boxes, links).routes if route.link == Link("a", "f"))
    assert len({round(bend.end[0], 6) for bend in route.bends[:-1]}) == 1


def test_a_chain_is_one_straight_line() -> None:
    """Boxes of different widths have their centres below each other."""
    boxes = [Box(name, width, 20) for name, width in zip("abcd", (30, 200, 80, 55), strict=True)]
    drawing = lay_out(boxes, [Link(one, other) for one, other in pairwise("abcd")])
    assert {box.x for box in drawing.boxes} == {100.0}
    assert drawing.width == 200


def test_parts_that_do_not_hang_together_are_side_by_side() -> None:
    """Each begins at the top; what is lower is stacked beside what is higher."""
    boxes = [Box(name, 100, 40) for name in ("a1", "a2", "a3", "b1", "c1")]
    placed = {box.id: box for box in lay_out(boxes, [Link("a1", "a2"), Link("a2", "a3")]).boxes}
    assert placed["a1"].y == placed["b1"].y == 20
    assert placed["b1"].x == placed["c1"].x > placed["a1"].x + 100
    assert placed["c1"].y > placed["b1"].y + 40


def test_nothing_is_drawn_of_nothing() -> None:
    """No boxes give an empty drawing."""
    assert lay_out([], []) == Drawing(0.0, 0.0, (), ())


def test_a_link_against_the_order_is_refused() -> None:
    """The order of the boxes is to be topological; a cycle has none."""
    boxes = [Box("a", 10, 10), Box("b", 10, 10)]
    with pytest.raises(ValueError, match="b comes after a"):
        lay_out(boxes, [Link("b", "a")])


def layered(steps: int, width: int) -> tuple[list[str], Edges]:
    """Layers in which every step needs two of the layer above, drawn by lot."""
    chance = random.Random(steps)
    names = [f"s{number}" for number in range(steps)]
    edges = [
        (names[above], names[step])
        for step in range(width, steps)
        for above in chance.sample(range((step // width - 1) * width, step // width * width), 2)
    ]
    return names, edges


def test_a_large_drawing_is_not_quadratic() -> None:
    """A layered random graph, the worst there is for crossings: four times the steps take less than sixteen times as
    long, in CPU time of one run."""

    def cpu_s(steps: int) -> float:
        names, edges = layered(steps, 100)
        dag = dag_of(names, edges)
        began = time.thread_time()
        drawing = lay_out([Box(name, 120, 46) for name in dag.names], [Link(a, b) for a, b in dag.edges()])
        spent = time.thread_time() - began
        assert len(drawing.routes) == len(edges)
        return spent

    assert cpu_s(2_000) < 10 * cpu_s(500)
