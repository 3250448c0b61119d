"""Graphs to compile: read from a folder of sets, or drawn by a seeded generator.

A set is a JSON file: ``{"name", "family", "nodes": [{"id", "seconds"}], "edges": [["producer", "consumer"], ...]}``.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import msgspec

from solidstate.planner.graph import dag_of
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepInput, StepOutput


class Node(msgspec.Struct, frozen=True):
    """One step, and how long it takes."""

    id: str
    seconds: float


class Graph(msgspec.Struct, frozen=True):
    """A pipeline as a graph; edges lead from producers to consumers."""

    name: str
    family: str
    nodes: list[Node]
    edges: list[tuple[str, str]]

    def seconds(self) -> dict[str, float]:
        """The true duration of each step."""
        return {node.id: node.seconds for node in self.nodes}

    def misjudged(self, sigma: float) -> dict[str, float]:
        """Durations that are wrong log-normally, the same each time."""
        chance = random.Random(self.name)  # noqa: S311 - repeatable, not secret
        return {node.id: node.seconds * chance.lognormvariate(0, sigma) for node in self.nodes}

    def plan(self) -> ExecutionPlan:
        """A pipeline of plain steps with one output each."""
        before: dict[str, dict[str, None]] = {node.id: {} for node in self.nodes}
        for producer, consumer in self.edges:
            before[consumer][producer] = None
        steps = []
        for name in dag_of([node.id for node in self.nodes], self.edges).names:
            refs = [(OutputRef(upstream, "result"),) for upstream in before[name]]
            inputs = tuple(StepInput(f"in_{number}", "output", ref) for number, ref in enumerate(refs))
            steps.append(Step(name, "work", inputs=inputs, outputs=(StepOutput("result"),)))
        return ExecutionPlan("bench", tuple(steps))


def read_graph(path: Path) -> Graph:
    """One set."""
    return msgspec.json.decode(path.read_bytes(), type=Graph)


def drawn_graph(family: str, size: int, seed: int = 1) -> Graph:
    """A graph of one of the :data:`FAMILIES` with ``size`` steps; durations are log-normal around 2.4 s."""
    chance = random.Random(f"{family} {size} {seed}")  # noqa: S311 - repeatable, not secret
    names = [f"s{number:05}" for number in range(size)]
    edges = FAMILIES[family](size, chance)
    nodes = [Node(name, round(chance.lognormvariate(0.9, 0.8), 3)) for name in names]
    return Graph(f"{family}-{size}", family, nodes, [(names[a], names[b]) for a, b in edges])


Edges = list[tuple[int, int]]


def _chain(size: int, _: random.Random) -> Edges:
    return [(number, number + 1) for number in range(size - 1)]


def _fan(size: int, _: random.Random) -> Edges:
    middle = range(1, size - 1)
    return [(0, number) for number in middle] + [(number, size - 1) for number in middle]


def _pipelines(size: int, chance: random.Random) -> Edges:
    """Chains of twenty steps; one step in fifty also reads a step of another chain that comes no later in its own."""
    length = 20
    edges: Edges = []
    for number in range(size):
        place = number % length
        if place:
            edges.append((number - 1, number))
            if chance.random() < 0.02:
                other = chance.randrange(size // length) * length
                edges.append((other + chance.randrange(place), number))
    return [(a, b) for a, b in dict.fromkeys(edges) if a != b]


def _layered(size: int, chance: random.Random) -> Edges:
    """Some twenty layers of uneven width; a step reads one to three of the layer before, seldom of an earlier one."""
    layers: list[list[int]] = []
    count = 0
    while count < size:
        width = min(size - count, chance.randint(1, max(2, size // 10)))
        layers.append(list(range(count, count + width)))
        count += width
    edges: Edges = []
    for number, layer in enumerate(layers[1:], 1):
        for step in layer:
            for _ in range(chance.randint(1, 3)):
                source = layers[number - 1] if chance.random() < 0.9 else layers[chance.randrange(number)]
                edges.append((chance.choice(source), step))
    return list(dict.fromkeys(edges))


def _gnp(size: int, chance: random.Random) -> Edges:
    """Any pair may have an edge, equally likely: some 1.2 for each step."""
    edges = set[tuple[int, int]]()
    while len(edges) < 1.2 * size:
        a, b = sorted((chance.randrange(size), chance.randrange(size)))
        if a != b:
            edges.add((a, b))
    return sorted(edges)


FAMILIES: dict[str, Callable[[int, random.Random], Edges]] = {
    "chain": _chain,
    "fan": _fan,
    "pipelines": _pipelines,
    "layered random": _layered,
    "gnp": _gnp,
}
