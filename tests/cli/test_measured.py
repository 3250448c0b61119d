"""``--durations``: whose times are taken, what they change, and what is said of those that are missing."""

from __future__ import annotations

import pytest

from tests.cli.project import Mistake, Project


def test_durations_of_runs_are_taken(maps: Project) -> None:
    """Of the newest, of several, or of one by its id; for the plan, the explanation and the definition."""
    for run in ("one", "two"):
        assert maps.run("run", "maps.py", "--engine", "inline", "--run-id", run).code == 0
    told = maps.run("plan", "maps.py", "--explain", "--json", "--durations", "last:5").json()["estimates"]
    assert told["runs"] == ["two", "one"]
    assert set(told["seconds"]) == {"settings", "split", "clean", "count", "total"}
    assert all(0 < seconds < 1 for seconds in told["seconds"].values())
    assert told["items"] == {"clean": 3, "count": 3}
    assert told["work"]["clean"] > told["seconds"]["clean"]
    assert maps.run("plan", "maps.py", "--explain", "--json", "--durations", "one").json()["estimates"]["runs"] == [
        "one"
    ]
    assert maps.run("plan", "maps.py", "--durations", "last").code == 0


def test_durations_decide_where_steps_hang(project: Project) -> None:
    """Without any, the first of two inputs; with them the slower one. What waits for what stays the same."""
    project.write("join.py", JOIN)
    assert project.run("run", "join.py", "--engine", "inline").code == 0

    def met(*options: str) -> list[tuple[list[str], list[str]]]:
        told = project.run("plan", "join.py", "--explain", "--json", *options).json()
        return [(one["after"], one["waits"]) for one in told["rendezvous"]]

    assert met() == [(["quick"], ["slow"])]
    assert met("--durations", "last") == [(["slow"], ["quick"])]
    compiled = project.run("compile", "join.py", "--durations", "last").out
    assert compiled != project.run("compile", "join.py").out
    assert "also waits for quick" in compiled


JOIN = """
    import time

    from solidstate import pipeline, solid


    @solid
    def quick() -> int:
        return 1


    @solid
    def slow() -> int:
        time.sleep(0.05)
        return 1


    @solid
    def alone(value: int) -> int:
        return value


    @solid
    def both(one: int, other: int) -> int:
        return one + other


    @pipeline
    def join():
        first, second = quick(), slow()
        alone(second)
        both(first, second)
"""


def test_what_runs_do_not_tell_is_noted(words: Project) -> None:
    """Steps that were not measured, and measured ones that are not there any more."""
    options = ("--preset", "sample", "--engine", "inline", "--run-id", "one")
    assert words.run("run", "words.py", *options).code == 0
    text = (words.root / "words.py").read_text()
    words.write("changed.py", text.replace("split(", "part("))
    ran = words.run("plan", "changed.py", "--explain", "--durations", "one")
    assert ran.code == 0
    first, second = ran.err.splitlines()
    assert first.startswith("`one` has not measured `part`, `count_short`: taken to last ")
    assert first.endswith(", the median of the others")
    assert second == "`one` has measured `split`, which this plan does not have"


MISTAKES = [
    Mistake(
        "no run",
        ["plan", "n.py", "--durations", "last"],
        """
        error: No run of pipeline `n` has measured anything yet.
          fix: run it once with `solidstate run TARGET`
        """,
    ),
    Mistake(
        "no such run",
        ["compile", "n.py", "--durations", "2026"],
        """
        error: There is no run `2026`.
          fix: list the runs with `solidstate runs`
        """,
    ),
    Mistake(
        "no number",
        ["plan", "n.py", "--durations", "last:few"],
        """
        error: `last:few` must be `last` or `last:N` with a whole number from 1.
          fix: for the newest three runs write `last:3`
        """,
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistakes_are_said(mistake: Mistake, letter_n: Project) -> None:
    """One readable error on stderr, and nothing on stdout."""
    mistake.check(letter_n)
