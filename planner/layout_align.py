"""Third pass of a layered drawing: coordinates within the layers, near the neighbours and with long edges straight.

A priority method: sweeps down and up give every node the place it would like best, the weighted mean of its neighbours,
as far as the order and the distances within its layer allow. What is allowed is an isotonic regression, so each layer
is solved exactly and at once (pool adjacent violators). Pieces of long edges weigh most; in the end the waypoints of an
edge, and chains of nodes, are put on one line wherever their neighbours leave room for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from solidstate.planner.layout_layers import Rows

Apart = Callable[[int, int], float]
"""How far the centres of two neighbours must be from each other, the left one first."""

SWEEPS = 24
BOTH_SIDES = 8
"""How many of the last sweeps look at the neighbours above and below at once."""
INNER, OUTER, SHORT = 8.0, 2.0, 1.0
"""What a piece weighs that lies between two waypoints, at the end of a long edge, or is a whole edge."""
_LOOSE = 0.01
"""What a node without neighbours on the side that counts weighs: it gives way, but does not run."""


def align(rows: Rows, apart: Apart) -> list[float]:
    """The centre of each node within its layer, the leftmost of all at 0."""
    offsets = [_offsets(layer, apart) for layer in rows.order]
    at = _centred(rows, offsets)
    for sweep in range(SWEEPS):
        down, both = sweep % 2 == 0, sweep >= SWEEPS - BOTH_SIDES
        numbers = range(len(rows.order)) if down else range(len(rows.order) - 1, -1, -1)
        for number in numbers:
            layer = rows.order[number]
            wishes = [_wish(rows, node, at, above=down or both, below=both or not down) for node in layer]
            _settle(layer, offsets[number], wishes, at)
    for _ in range(2):
        _straighten(rows, apart, at)
    lowest = min(at, default=0.0)
    return [place - lowest for place in at]


def _offsets(layer: Sequence[int], apart: Apart) -> list[float]:
    """The places of a layer's nodes when they stand as close as they may."""
    places = [0.0]
    for left, right in itertools.pairwise(layer):
        places.append(places[-1] + apart(left, right))
    return places


def _centred(rows: Rows, offsets: list[list[float]]) -> list[float]:
    at = [0.0] * len(rows.layer)
    for layer, places in zip(rows.order, offsets, strict=True):
        for node, place in zip(layer, places, strict=False):
            at[node] = place - places[-1] / 2
    return at


def _wish(rows: Rows, node: int, at: list[float], *, above: bool, below: bool) -> tuple[float, float]:
    """Where a node would like to be, and how much it wants that."""
    total = weight = 0.0
    for others in ((rows.above[node] if above else ()), (rows.below[node] if below else ())):
        for other in others:
            inner = rows.is_waypoint(node) + rows.is_waypoint(other)
            share = (SHORT, OUTER, INNER)[inner]
            total += share * at[other]
            weight += share
    return (total / weight, weight) if weight else (at[node], _LOOSE)


def _settle(
    layer: Sequence[int], offsets: Sequence[float], wishes: Sequence[tuple[float, float]], at: list[float]
) -> None:
    """The places nearest to the wishes (least squares) that keep order and distances. Measured from where each node is
    when all stand close, places must not decrease: blocks of nodes whose wishes collide get their common mean."""
    blocks: list[tuple[float, float, int]] = []
    for (wish, weight), offset in zip(wishes, offsets, strict=True):
        mean, total, count = wish - offset, weight, 1
        while blocks and blocks[-1][0] > mean:
            other, more, nodes = blocks.pop()
            mean = (mean * total + other * more) / (total + more)
            total, count = total + more, count + nodes
        blocks.append((mean, total, count))
    number = 0
    for mean, _, count in blocks:
        for _ in range(count):
            at[layer[number]] = mean + offsets[number]
            number += 1


def _straighten(rows: Rows, apart: Apart, at: list[float]) -> None:
    """Put each run onto one line, or as long parts of it as there is room for."""
    beside = _neighbours(rows)
    for run in _runs(rows):
        begin = 0
        while begin < len(run):
            low, high = _room(run[begin], beside, apart, at)
            end = begin + 1
            while end < len(run):
                left, right = _room(run[end], beside, apart, at)
                if max(low, left) > min(high, right):
                    break
                low, high, end = max(low, left), min(high, right), end + 1
            mean = sum(at[node] for node in run[begin:end]) / (end - begin)
            for node in run[begin:end]:
                at[node] = min(max(mean, low), high)
            begin = end


def _runs(rows: Rows) -> list[list[int]]:
    """Nodes that should be below each other: waypoints of one edge, and nodes that have only each other; longest
    first."""
    following: dict[int, int] = {}
    for node, targets in enumerate(rows.below):
        way = [target for target in targets if rows.is_waypoint(target)] if rows.is_waypoint(node) else []
        if way:
            following[node] = way[0]
        elif len(targets) == 1 and len(rows.above[targets[0]]) == 1:
            following[node] = targets[0]
    inside = set(following.values())
    runs: list[list[int]] = []
    for node in following:
        if node not in inside:
            run = [node]
            while run[-1] in following:
                run.append(following[run[-1]])
            runs.append(run)
    return sorted(runs, key=lambda run: (-len(run), run[0]))


def _neighbours(rows: Rows) -> list[tuple[int | None, int | None]]:
    beside: list[tuple[int | None, int | None]] = [(None, None)] * len(rows.layer)
    for layer in rows.order:
        for number, node in enumerate(layer):
            left = layer[number - 1] if number else None
            right = layer[number + 1] if number + 1 < len(layer) else None
            beside[node] = left, right
    return beside


def _room(node: int, beside: list[tuple[int | None, int | None]], apart: Apart, at: list[float]) -> tuple[float, float]:
    """How far a node may move to the left and to the right."""
    left, right = beside[node]
    low = at[left] + apart(left, node) if left is not None else float("-inf")
    high = at[right] - apart(node, right) if right is not None else float("inf")
    return min(low, at[node]), max(high, at[node])
