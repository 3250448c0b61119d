"""A pipeline is judged as a whole: all problems, in a fixed order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from solidstate import Mode, Preset, solid
from solidstate.composition import Binding, Node, Source
from solidstate.pipeline_checks import definition_problems


@solid(resources={"clock"})
def add(left: int = 0, right: int = 0) -> int:
    return left + right


@solid
def join(left: Any = None) -> int:
    return len(left)


class Opaque:
    """Config cannot give it."""


@solid
def show(thing: Opaque) -> None: ...


def test_problems_come_in_order() -> None:
    """Graph, inputs, edges, modes, presets."""
    nodes = [Node("add", add, {"left": Binding((Source("add", "result"),))}), Node("show", show, {})]
    found = definition_problems("p", nodes, [Mode("m"), Mode("m", {"clock": 1})], [Preset("s", mode="x")])
    assert [problem.path for problem in found] == ["p", "p.show.thing", "p", "p.modes.m", "p.presets.s"]


@st.composite
def wirings(draw: st.DrawFn) -> list[tuple[int, int]]:
    size = draw(st.integers(2, 7))
    return draw(st.lists(st.tuples(st.integers(0, size), st.integers(0, size)), min_size=1, max_size=8, unique=True))


@given(wirings())
def test_cycles_are_found_exactly_when_there_are_any(edges: list[tuple[int, int]]) -> None:
    """Peeling off what waits for nothing leaves something over if and only if a cycle is reported."""
    names = sorted({end for edge in edges for end in edge})
    nodes: list[Any] = [
        Node(f"n{name}", join, {"left": Binding(tuple(Source(f"n{a}", "result") for a, b in edges if b == name), True)})
        for name in names
    ]
    left, waiting = set(names), list(edges)
    while free := {name for name in left if not any(b == name for _, b in waiting)}:
        left -= free
        waiting = [(a, b) for a, b in waiting if a not in free]
    found = definition_problems("p", nodes, [Mode("m", {"clock": 1})], [])
    assert bool(found) == bool(left)
    assert all("has a cycle: " in problem.problem for problem in found)
