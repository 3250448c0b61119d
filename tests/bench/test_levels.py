"""The baseline that the compiler is measured against."""

from __future__ import annotations

from bench.levels import compile_levels, level_tree
from tests.planner.drawing import on_one_line
from tests.planner.thought import N_SHAPE, run


def test_each_level_waits_for_the_one_before() -> None:
    """In the N, both second steps wait for both first ones."""
    assert on_one_line(level_tree(N_SHAPE)) == "(a | b) > (c | d)"
    found = run(N_SHAPE, compile_levels(N_SHAPE), seconds={"b": 9.0})
    assert found.starts["c"] == found.starts["d"] > found.ends["b"]
