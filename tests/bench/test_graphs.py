"""Graphs that benchmarks are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.graphs import FAMILIES, drawn_graph, read_graph
from solidstate.planner.graph import dag_of_plan


@pytest.mark.parametrize("family", FAMILIES)
def test_a_drawn_graph_is_a_pipeline(family: str) -> None:
    """It has as many steps as asked for, no cycle, and is the same each time."""
    graph = drawn_graph(family, 100)
    assert len(dag_of_plan(graph.plan()).names) == len(graph.nodes) == 100
    assert graph == drawn_graph(family, 100)
    assert graph != drawn_graph(family, 100, seed=2)
    assert min(graph.seconds().values()) > 0


def test_a_set_is_read(tmp_path: Path) -> None:
    """Steps in an order they can run in, an edge given twice counts once."""
    file = tmp_path / "one.json"
    file.write_text(
        '{"name": "one", "family": "few", "source": "by hand", "nodes": [{"id": "b", "seconds": 2.5, "out_bytes": 1}, '
        '{"id": "a", "seconds": 1}], "edges": [["a", "b"], ["a", "b"]]}'
    )
    graph = read_graph(file)
    assert [(step.name, step.upstream(), len(step.inputs)) for step in graph.plan().steps] == [
        ("a", (), 0),
        ("b", ("a",), 1),
    ]
    assert graph.seconds() == {"b": 2.5, "a": 1.0}
    wrong = graph.misjudged(0.5)
    assert wrong == graph.misjudged(0.5)
    assert wrong != graph.seconds()
