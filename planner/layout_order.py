"""Second pass of a layered drawing: the order of the nodes within each layer, with few crossings of edges.

Sweeps down and up put each node at the mean place of its neighbours in the layer before (barycentre method of
Sugiyama, Tagawa and Toda, 1981); then neighbours change places where that helps. The best order seen is kept, and the
given one counts as seen: the result never has more crossings.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right, insort

from solidstate.planner.layout_layers import Rows

MAX_SWEEPS = 48
PATIENCE = 8
"""Sweeps without any gain before it is given up."""
MAX_EXCHANGES = 24
"""Rounds of exchanging neighbours."""
WORK = 2_500_000
"""Nodes and edges that all sweeps of one start may look at: what bounds the time large graphs take."""

Order = list[list[int]]


def arrange(rows: Rows) -> None:
    """Set ``rows.order``. The same rows give the same order."""
    size = len(rows.layer) + sum(len(targets) for targets in rows.below)
    effort = min(1.0, WORK / (MAX_SWEEPS * max(1, size)))
    sweeps, exchanges = max(4, round(MAX_SWEEPS * effort)), round(MAX_EXCHANGES * effort)
    best = rows.order
    fewest = crossings(rows, best)
    for start in (_depth_first(rows), rows.order):
        order = _swept(rows, start, sweeps)
        _exchange(rows, order, exchanges)
        order = _swept(rows, order, sweeps // 2)
        _exchange(rows, order, exchanges)
        found = crossings(rows, order)
        if found < fewest:
            fewest, best = found, order
    rows.order = best


def _swept(rows: Rows, start: Order, sweeps: int) -> Order:
    """The best order met while sweeping from ``start``, which counts as met."""
    order = [list(layer) for layer in start]
    best, fewest, idle = start, crossings(rows, start), 0
    for sweep in range(sweeps):
        if not fewest or idle > PATIENCE:
            break
        _sweep(rows, order, down=sweep % 2 == 0, turned=sweep % 4 > 1)
        found = crossings(rows, order)
        idle += 1
        if found < fewest:
            best, fewest, idle = [list(layer) for layer in order], found, 0
    return [list(layer) for layer in best]


def crossings(rows: Rows, order: Order) -> int:
    """How many pairs of edges between neighbouring layers cross."""
    return sum(_between(rows, upper, lower) for upper, lower in itertools.pairwise(order))


def _between(rows: Rows, upper: list[int], lower: list[int]) -> int:
    place = {node: number for number, node in enumerate(lower)}
    seen: list[int] = []
    total = 0
    for node in upper:
        targets = sorted(place[target] for target in rows.below[node])
        for target in targets:
            total += len(seen) - bisect_right(seen, target)
        for target in targets:
            insort(seen, target)
    return total


def _depth_first(rows: Rows) -> Order:
    """Nodes in the order a walk from the sources meets them: what belongs together begins together."""
    order: Order = [[] for _ in rows.order]
    seen = [False] * len(rows.layer)
    for source in (node for layer in rows.order for node in layer):
        todo = [source]
        while todo:
            node = todo.pop()
            if seen[node]:
                continue
            seen[node] = True
            order[rows.layer[node]].append(node)
            todo.extend(reversed(rows.below[node]))
    return order


def _sweep(rows: Rows, order: Order, *, down: bool, turned: bool) -> None:
    """Every layer once, sorted by the mean place of its neighbours in the layer before it. ``turned`` puts nodes that
    have the same mean into the opposite order, which is how a sweep gets out of a dead end."""
    towards = rows.above if down else rows.below
    layers = range(1, len(order)) if down else range(len(order) - 2, -1, -1)
    for number in layers:
        fixed = order[number - 1 if down else number + 1]
        place = {node: index for index, node in enumerate(fixed)}
        layer = order[number]
        share = (len(fixed) - 1) / max(1, len(layer) - 1)
        means: dict[int, float] = {}
        for index, node in enumerate(layer):
            near = towards[node]
            means[node] = sum(place[other] for other in near) / len(near) if near else index * share
        if turned:
            layer.reverse()
        layer.sort(key=means.__getitem__)


def _exchange(rows: Rows, order: Order, rounds: int) -> None:
    """Let neighbours within a layer change places while that saves crossings, with the layers on both sides."""
    place = [0] * len(rows.layer)
    for layer in order:
        for index, node in enumerate(layer):
            place[node] = index
    for _ in range(rounds):
        gained = False
        for layer in order:
            for index in range(len(layer) - 1):
                left, right = layer[index], layer[index + 1]
                if _saved(rows, place, left, right) > 0:
                    layer[index], layer[index + 1] = right, left
                    place[left], place[right] = index + 1, index
                    gained = True
        if not gained:
            return


def _saved(rows: Rows, place: list[int], left: int, right: int) -> int:
    """Crossings saved when two neighbours change places."""
    total = 0
    for side in (rows.above, rows.below):
        if side[left] and side[right]:
            mine = sorted(place[other] for other in side[left])
            theirs = sorted(place[other] for other in side[right])
            total += _pairs(mine, theirs) - _pairs(theirs, mine)
    return total


def _pairs(left: list[int], right: list[int]) -> int:
    """How many pairs cross: an end of ``left`` beyond an end of ``right``. Both ascending."""
    return sum(bisect_left(right, end) for end in left)
