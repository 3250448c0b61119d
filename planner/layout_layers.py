"""First pass of a layered drawing: which layer each node is in, and what carries an edge past the layers between.

Every edge leads from a lower to a higher layer and, once :func:`rows_of` has put waypoints in, from one layer to the
next. Edges of one lane that leave the same node share their waypoints: a bundle is drawn as one line that parts where
its targets are. So there are at most as many waypoints as lanes times layers, however many edges there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Edge = tuple[int, int, str]
"""Source and target by number, and the lane: edges that may share their way when they leave the same node."""

MAX_ROUNDS = 12
"""Rounds of moving nodes to where their edges are shorter; most graphs are done after two or three."""


@dataclass(slots=True)
class Rows:
    """A graph whose edges lead from one layer to the next. Nodes ``0..nodes-1`` are the caller's, those from ``nodes``
    on are waypoints. ``order[k]`` are the nodes of layer ``k`` from left to right."""

    nodes: int
    layer: list[int]
    below: list[list[int]]
    above: list[list[int]] = field(default_factory=list)
    order: list[list[int]] = field(default_factory=list)
    ways: dict[Edge, list[int]] = field(default_factory=dict)
    """Of each edge all nodes on its way, both ends included."""

    def is_waypoint(self, node: int) -> bool:
        return node >= self.nodes


def layers_of(nodes: int, edges: Sequence[Edge]) -> list[int]:
    """The layer of each node, from 0: as high as its predecessors allow, then moved to where its edges are shorter.

    Edges must lead from lower to higher numbers."""
    after: list[set[int]] = [set() for _ in range(nodes)]
    before: list[set[int]] = [set() for _ in range(nodes)]
    for source, target, _ in edges:
        after[source].add(target)
        before[target].add(source)
    layer = [0] * nodes
    for node in range(nodes):
        layer[node] = 1 + max((layer[p] for p in before[node]), default=-1)
    bottom = max(layer, default=0)
    for _ in range(MAX_ROUNDS):
        moved = _pull_down(layer, after, before)
        moved |= _pull_up(layer, after, before, bottom)
        if not moved:
            break
    return layer


def _pull_down(layer: list[int], after: list[set[int]], before: list[set[int]]) -> bool:
    """Nodes with more edges below than above, to just above the nearest of what is below them."""
    moved = False
    for node in range(len(layer) - 1, -1, -1):
        if len(after[node]) > len(before[node]):
            lowest = min(layer[b] for b in after[node]) - 1
            moved |= lowest > layer[node]
            layer[node] = lowest
    return moved


def _pull_up(layer: list[int], after: list[set[int]], before: list[set[int]], bottom: int) -> bool:
    """Nodes with more edges above than below, to just below the nearest of what is above them."""
    moved = False
    for node in range(len(layer)):
        if len(before[node]) > len(after[node]):
            highest = 1 + max(layer[p] for p in before[node])
            moved |= highest < layer[node]
            layer[node] = min(highest, bottom)
    return moved


def rows_of(nodes: int, edges: Sequence[Edge]) -> Rows:
    """Layers with waypoints wherever an edge passes a layer, in the order of the nodes as given."""
    layer = layers_of(nodes, edges)
    rows = Rows(nodes, layer, [[] for _ in range(nodes)])
    trunks: dict[tuple[int, str], list[int]] = {}
    for edge in sorted(set(edges)):  # so that their order does not matter
        source, target, lane = edge
        trunk = trunks.setdefault((source, lane), [source])
        while layer[source] + len(trunk) < layer[target]:
            waypoint = len(layer)
            layer.append(layer[source] + len(trunk))
            rows.below.append([])
            rows.below[trunk[-1]].append(waypoint)
            trunk.append(waypoint)
        way = [*trunk[: layer[target] - layer[source]], target]
        if target not in rows.below[way[-2]]:  # two lanes may join the same nodes
            rows.below[way[-2]].append(target)
        rows.ways[edge] = way
    rows.above = [[] for _ in layer]
    for node, targets in enumerate(rows.below):
        for target in targets:
            rows.above[target].append(node)
    rows.order = [[] for _ in range(1 + max(layer, default=-1))]
    for node in range(len(layer)):
        rows.order[layer[node]].append(node)
    return rows
