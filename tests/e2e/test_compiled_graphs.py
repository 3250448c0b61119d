"""Whole graphs, compiled and run on the local AWS by the real handler: each step once, after its inputs, and as a plain
walk through the graph says it must end, whatever fails or stays out."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.graphs import Graph, Node, drawn_graph, read_graph
from solidstate import Out, Output, PipelineDefinition, pipeline_from_dependencies, solid
from solidstate.infra.home import Home
from solidstate.infra.local_run import run_local
from solidstate.planner import fit
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan
from solidstate.planner.graph import dag_of
from tests.planner.graph_sets import FOLDER

LARGEST = 300
SEEDS = (1, 2)


class Doings(msgspec.Struct):
    """What each step is to do, and what was seen of it: (moment, begin or end, step)."""

    seconds: dict[str, float] = {}
    failing: set[str] = set()
    withholding: set[str] = set()
    seen: list[tuple[str, str]] = []


NOW = Doings()
_LOCK = threading.Lock()


def _note(what: str, step: str) -> None:
    with _LOCK:
        NOW.seen.append((what, step))


def _work(context: Any) -> Any:
    """One step: takes its time, and fails, withholds its output or gives it."""
    step = context.step_key
    _note("begin", step)
    time.sleep(NOW.seconds.get(step, 0))
    _note("end", step)
    if step in NOW.failing:
        raise ValueError("told to fail")
    if step not in NOW.withholding:
        yield Output(1)


@solid(outs={"result": Out(int, optional=True)})
def source(context: Any) -> Any:
    yield from _work(context)


@solid(outs={"result": Out(int, optional=True)})
def joined(context: Any, values: list[int]) -> Any:
    yield from _work(context)


def pipeline_of(graph: Graph) -> PipelineDefinition:
    """The graph with names that solids may have."""
    short = {node.id: f"s{number}" for number, node in enumerate(graph.nodes)}
    before: dict[str, list[str]] = {}
    for producer, consumer in dict.fromkeys(graph.edges):
        before.setdefault(short[consumer], []).append(short[producer])
    solids = [(joined if name in before else source).alias(name) for name in short.values()]
    return pipeline_from_dependencies("graph", solids, {name: {"values": many} for name, many in before.items()})


def expected_ends(names: Iterable[str], edges: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By walking through the graph once: a step is skipped when an input will not come."""
    before: dict[str, list[str]] = {}
    for producer, consumer in edges:
        before.setdefault(consumer, []).append(producer)
    ends: dict[str, str] = {}
    for name in names:
        lacking = any(ends[one] != "success" or one in NOW.withholding for one in before.get(name, ()))
        ends[name] = "skipped" if lacking else "failed" if name in NOW.failing else "success"
    return ends


def check(graph: Graph, seed: int, folder: Path) -> None:
    """One run with random durations, failures and outputs that stay out."""
    chance = random.Random(f"{graph.name} {seed}")
    built = pipeline_of(graph)
    plan = build_plan(built)
    edges = [(upstream, step.name) for step in plan.steps for upstream in step.upstream()]
    names = dag_of([step.name for step in plan.steps], edges).names
    share = 0.03 if seed % 2 else 0.0
    NOW.seen.clear()
    NOW.seconds = {name: chance.choice([0, 0, 0, 0.002, 0.01]) for name in names}
    NOW.failing = {name for name in names if chance.random() < share}
    NOW.withholding = {name for name in names if chance.random() < share}
    summary = run_local(built, {}, engine="moto", home=Home(folder), run_id=f"seed-{seed}")
    ends = expected_ends(names, edges)
    assert {step.step: step.status for step in summary.steps} == ends
    assert Counter(step for what, step in NOW.seen if what == "begin") == Counter(
        name for name, end in ends.items() if end != "skipped"
    )
    at = {moment: number for number, moment in enumerate(NOW.seen)}
    for producer, consumer in edges:
        if ends[consumer] != "skipped":
            assert at["end", producer] < at["begin", consumer]


def grid(width: int, height: int) -> Graph:
    """A stencil: each step needs two of the row above."""
    name = "g{}x{}".format
    nodes = [Node(name(row, column), 1.0) for row in range(height) for column in range(width)]
    edges = [
        (name(row - 1, near % width), name(row, column))
        for row in range(1, height)
        for column in range(width)
        for near in (column, column + 1)
    ]
    return Graph(f"grid-{width}x{height}", "grid", nodes, edges)


N_SHAPE = Graph("n", "tiny", [Node(name, 1.0) for name in "abcd"], [("a", "c"), ("a", "d"), ("b", "d")])
DRAWN = [N_SHAPE, grid(4, 5), *(drawn_graph(family, 40) for family in ("chain", "fan", "pipelines", "gnp"))]
DRAWN.append(drawn_graph("layered random", 60))


@pytest.mark.slow
@pytest.mark.parametrize("graph", DRAWN, ids=lambda graph: graph.name)
def test_drawn_graphs_end_as_they_must(graph: Graph, tmp_path: Path) -> None:
    """Two runs each, one of them with failures and outputs that stay out."""
    for seed in SEEDS:
        check(graph, seed, tmp_path)


def real_graphs() -> list[Any]:
    """Those of the folder beside the checkout that are small enough, when there is one."""
    graphs = [graph for graph in map(read_graph, sorted(FOLDER.glob("*.json"))) if len(graph.nodes) <= LARGEST]
    if not graphs:
        return [pytest.param(N_SHAPE, marks=pytest.mark.skip(reason="no folder of graphs beside the checkout"))]
    return [pytest.param(graph, id=graph.name) for graph in graphs]


@pytest.mark.slow
@pytest.mark.parametrize("graph", real_graphs())
def test_real_graphs_end_as_they_must(graph: Graph, tmp_path: Path) -> None:
    """Of warehouses, genomics, astronomy: with failures and outputs that stay out."""
    check(graph, 1, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("graph", [grid(6, 10), drawn_graph("layered random", 120)], ids=lambda graph: graph.name)
def test_rendezvous_cross_nested_executions(graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With machines that hold a few dozen states each, who waits and who wakes are often in different ones."""
    monkeypatch.setattr(fit, "MAX_DEFINITION_BYTES", 60_000)
    assert len(compile_plan(build_plan(pipeline_of(graph))).parts) >= 2
    for seed in SEEDS:
        check(graph, seed, tmp_path)
