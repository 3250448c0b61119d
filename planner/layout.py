"""Where the boxes and lines of a drawn graph go: a layered layout in plain Python.

Boxes and links in, coordinates out, the same for the same input; nothing is drawn here. The passes are those of
Sugiyama, Tagawa and Toda (1981): layers, order within layers, coordinates; each has a module of its own. Parts that
hang together in no way are laid out one by one and packed like a page.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from solidstate.planner.layout_align import align
from solidstate.planner.layout_layers import Edge, Rows, rows_of
from solidstate.planner.layout_order import arrange

Direction = Literal["down", "right"]


class Box(msgspec.Struct, frozen=True):
    """A node to be placed; ``id`` is unique."""

    id: str
    width: float
    height: float


class Link(msgspec.Struct, frozen=True, order=True):
    """An edge from box to box. Links of one ``lane`` that leave the same box share their way as far as they can."""

    source: str
    target: str
    lane: str = ""


class Placed(msgspec.Struct, frozen=True):
    """A box with its centre, and the layer it is in, from 0."""

    id: str
    x: float
    y: float
    width: float
    height: float
    layer: int


class Bend(msgspec.Struct, frozen=True):
    """A piece of a route: a straight or a curve from one layer's edge to the next layer's. It leaves ``start`` and
    reaches ``end`` in the direction of the drawing."""

    start: tuple[float, float]
    end: tuple[float, float]


class Route(msgspec.Struct, frozen=True):
    """A link's way: from the edge of one box, along its bends, to the edge of the other, joined by straight lines."""

    link: Link
    start: tuple[float, float]
    bends: tuple[Bend, ...]
    end: tuple[float, float]


class Drawing(msgspec.Struct, frozen=True):
    """Everything placed; the corner at the top left is (0, 0)."""

    width: float
    height: float
    boxes: tuple[Placed, ...]
    routes: tuple[Route, ...]


class Spacing(msgspec.Struct, frozen=True):
    """Distances: between boxes of a layer, between a line and its neighbours, between layers (at least and at most,
    as lines that go far to the side need room to turn), between parts that do not hang together."""

    boxes: float = 18
    lines: float = 12
    layers: float = 44
    layers_most: float = 120
    parts: float = 36


def lay_out(
    boxes: Sequence[Box], links: Sequence[Link], direction: Direction = "down", spacing: Spacing | None = None
) -> Drawing:
    """Place ``boxes``, which come in an order that ``links`` agree with (a link leads from an earlier to a later box).

    Raises ValueError for a link that does not."""
    number = {box.id: index for index, box in enumerate(boxes)}
    for link in links:
        if not number[link.source] < number[link.target]:
            raise ValueError(f"boxes in topological order, but {link.source} comes after {link.target}")
    space = spacing or Spacing()
    parts = [_laid_out(part, inner, direction, space) for part, inner in _components(boxes, links, number)]
    placed, routes, width, height = _packed(parts, space.parts)
    placed.sort(key=lambda box: number[box.id])
    return Drawing(width, height, tuple(placed), tuple(routes))


def _components(
    boxes: Sequence[Box], links: Sequence[Link], number: dict[str, int]
) -> list[tuple[list[Box], list[Link]]]:
    """What hangs together, in the order of first boxes."""
    leader = list(range(len(boxes)))

    def find(node: int) -> int:
        while leader[node] != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    for link in links:
        one, other = find(number[link.source]), find(number[link.target])
        leader[max(one, other)] = min(one, other)
    groups: dict[int, tuple[list[Box], list[Link]]] = {}
    for index, box in enumerate(boxes):
        groups.setdefault(find(index), ([], []))[0].append(box)
    for link in links:
        groups[find(number[link.source])][1].append(link)
    return list(groups.values())


def _laid_out(boxes: list[Box], links: list[Link], direction: Direction, space: Spacing) -> Drawing:
    """One component."""
    number = {box.id: index for index, box in enumerate(boxes)}
    edges: list[Edge] = [(number[link.source], number[link.target], link.lane) for link in links]
    rows = rows_of(len(boxes), edges)
    arrange(rows)
    down = direction == "down"
    across = [box.width if down else box.height for box in boxes]
    along = [box.height if down else box.width for box in boxes]

    def apart(left: int, right: int) -> float:
        sides = [0.0 if rows.is_waypoint(node) else across[node] / 2 for node in (left, right)]
        return sum(sides) + (space.lines if rows.is_waypoint(left) or rows.is_waypoint(right) else space.boxes)

    centre = align(rows, apart)
    half = [across[node] / 2 if node < len(boxes) else 0.0 for node in range(len(centre))]
    lowest = min(place - side for place, side in zip(centre, half, strict=True))
    centre = [place - lowest for place in centre]
    breadth = max(place + side for place, side in zip(centre, half, strict=True))
    bands = _bands(rows, along, centre, space)
    placed = [
        Placed(box.id, *_turned(centre[node], sum(bands[rows.layer[node]]) / 2, down), box.width, box.height, row)
        for node, (box, row) in enumerate(zip(boxes, rows.layer, strict=False))
    ]
    by_id = {box.id: box for box in placed}
    routes = [
        Route(
            link,
            _edge(by_id[link.source], 1, down),
            _bends(rows, rows.ways[edge], centre, bands, down),
            _edge(by_id[link.target], -1, down),
        )
        for link, edge in zip(links, edges, strict=True)
    ]
    depth = bands[-1][1]
    return Drawing(*((breadth, depth) if down else (depth, breadth)), tuple(placed), tuple(routes))


def _bands(rows: Rows, along: list[float], centre: list[float], space: Spacing) -> list[tuple[float, float]]:
    """Beginning and end of each layer."""
    bands: list[tuple[float, float]] = []
    at = 0.0
    for layer in rows.order:
        thick = max((along[node] for node in layer if not rows.is_waypoint(node)), default=0.0)
        bands.append((at, at + thick))
        far = max((abs(centre[node] - centre[other]) for node in layer for other in rows.below[node]), default=0.0)
        at += thick + min(space.layers_most, space.layers + 0.08 * far)
    return bands


def _bends(
    rows: Rows, way: list[int], centre: list[float], bands: list[tuple[float, float]], down: bool
) -> tuple[Bend, ...]:
    return tuple(
        Bend(
            _turned(centre[node], bands[rows.layer[node]][1], down),
            _turned(centre[other], bands[rows.layer[other]][0], down),
        )
        for node, other in itertools.pairwise(way)
    )


def _edge(box: Placed, side: int, down: bool) -> tuple[float, float]:
    """The middle of the edge of a box that links leave from (1) or lead to (-1)."""
    return (box.x, box.y + side * box.height / 2) if down else (box.x + side * box.width / 2, box.y)


def _turned(across: float, along: float, down: bool) -> tuple[float, float]:
    return (across, along) if down else (along, across)


def _packed(parts: list[Drawing], gap: float) -> tuple[list[Placed], list[Route], float, float]:
    """Parts on shelves, the highest first; what is less high than its shelf is stacked while there is room. The page
    is rather wider than high."""
    area = sum((part.width + gap) * (part.height + gap) for part in parts)
    page = max([math.sqrt(area) * 1.6, *(part.width for part in parts)], default=0.0)
    placed: list[Placed] = []
    routes: list[Route] = []
    shelf = high = x = wide = y = width = 0.0  # the shelf's top and height; the stack's left and width; the next top
    for part in sorted(parts, key=lambda part: -part.height):
        if not (part.width <= wide and y + part.height <= shelf + high):
            x, wide, y = x + wide + (gap if wide else 0.0), part.width, shelf
            if x and x + part.width > page:
                shelf, x = shelf + high + gap, 0.0
                y, high = shelf, 0.0
            high = max(high, part.height)
        placed += [msgspec.structs.replace(box, x=box.x + x, y=box.y + y) for box in part.boxes]
        routes += [_shifted(route, x, y) for route in part.routes]
        width = max(width, x + part.width)
        y += part.height + gap
    return placed, routes, width, shelf + high


def _shifted(route: Route, x: float, y: float) -> Route:
    def moved(point: tuple[float, float]) -> tuple[float, float]:
        return point[0] + x, point[1] + y

    bends = tuple(Bend(moved(bend.start), moved(bend.end)) for bend in route.bends)
    return Route(route.link, moved(route.start), bends, moved(route.end))
