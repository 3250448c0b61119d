"""Errors as lines: whole where a person wrote them, bounded where somebody's input made them long."""

from __future__ import annotations

from solidstate.cli.render_errors import MAX_TEXT, error_lines
from solidstate.cli.text import plain
from solidstate.errors import SolidstateError


def test_long_parts_are_cut_in_the_middle() -> None:
    """Both ends say most: what it is about, and what is wrong with it."""
    error = SolidstateError(f"There is no `{'x' * 10_000}`.", path="y" * 5_000, hint="z")
    problem, path, hint = plain(error_lines(error)).splitlines()
    assert problem.startswith("error: There is no `xxx")
    assert problem.endswith("xxx`.")
    assert " [6,015 characters left out] " in problem
    assert " [1,000 characters left out] " in path
    assert hint == "  fix: z"
    assert len(problem) < MAX_TEXT + 50


def test_others_are_left_alone() -> None:
    """As long as the longest that is meant to be read."""
    error = SolidstateError("x" * MAX_TEXT)
    assert plain(error_lines(error)) == f"error: {'x' * MAX_TEXT}\n"
