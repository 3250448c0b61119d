"""The tables about the compiler."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from bench.compiled_graph import figures
from bench.compiler import main
from bench.graphs import Graph, Node, drawn_graph

N = Graph(
    "n", "few", [Node(name, 1.0 if name != "b" else 9.0) for name in "abcd"], [("a", "c"), ("a", "d"), ("b", "d")]
)


def test_figures_of_a_graph() -> None:
    """The N: level by level, `c` waits for the long `b` but nothing waits for `c`; nobody parks when it is known."""
    found = figures(N)
    assert (found.steps, found.machines, found.depth) == (4, 1, 1)
    assert found.floor == pytest.approx(9.05 + 1.05)
    assert found.right.parked == 0
    assert found.right.ratio == pytest.approx((0.02 + 10.1) / 10.1)
    assert found.levels.ratio == pytest.approx((2 * 0.02 + 10.1) / 10.1)
    assert found.unknown.ratio < 1.02
    assert 0.5 < found.kb_per_step < 3
    assert found.history <= found.events_worst


@pytest.mark.slow
def test_tables_are_markdown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One row for each family, totals above; each graph in a process of its own."""
    for graph in (N, drawn_graph("gnp", 30)):
        (tmp_path / f"{graph.name}.json").write_bytes(msgspec.json.encode(graph))
    monkeypatch.setattr(sys, "argv", ["bench.compiler", "--sets", str(tmp_path), "--no-growth"])
    main()
    told = capsys.readouterr()
    assert [line.split("|")[1].strip() for line in told.out.splitlines() if line.startswith("| ")][:7] == [
        "2 graphs",
        "compiled, durations right",
        "compiled, durations unknown",
        "compiled, durations wrong (log-normal, sigma 0.5)",
        "a barrier per level",
        "family",
        "few",
    ]
    assert told.err == "1/2 gnp-30\n2/2 n\n"


def test_without_graphs_there_is_a_word_about_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing fails."""
    monkeypatch.setattr(sys, "argv", ["bench.compiler", "--no-growth"])
    main()
    assert capsys.readouterr().err == (
        "No graphs: name a folder with --sets or SOLIDSTATE_GRAPHS. Going on with generated ones.\n"
    )
