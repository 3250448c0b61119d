"""``runs``, ``show`` and ``events``: what one command recorded, another reads."""

from __future__ import annotations

import re
import time
from pathlib import Path

import msgspec
import pytest

from solidstate.events import decode_events, kind_of
from solidstate.storage import keys
from tests.cli.project import Project

SAMPLE = ("run", "words.py", "--engine", "inline", "--preset", "sample")


@pytest.fixture
def history(words: Project) -> Project:
    """Two runs on record, the newer one failed."""
    assert words.run(*SAMPLE, "--run-id", "first", "--tag", "owner=ops").code == 0
    assert words.run(*SAMPLE, "--run-id", "second", "--set", "solids.read.config.path=boom").code == 1
    return words


def test_runs_lists_the_newest_first(history: Project) -> None:
    """One row a run: how it ended, when, how long, how many of its steps succeeded."""
    ran = history.run("runs")
    clock = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
    lines = [
        re.sub(r" {2,}", " ", re.sub(r"[\d.]+ (ms|s)\b", "TIME", clock.sub("WHEN", one)))
        for one in ran.out.splitlines()
    ]
    assert (ran.code, ran.err) == (0, "")
    assert lines == [
        "status run pipeline started time steps engine tags",
        "failed second words WHEN TIME 2/4 inline",
        "success first words WHEN TIME 3/4 inline owner=ops",
    ]


def test_runs_can_be_fewer(history: Project) -> None:
    """A limit and a pipeline narrow the list; a pipeline without runs gets the nearest name, not an error."""
    ran = history.run("runs", "--limit", "1", "--json")
    assert [run["run"] for run in ran.json()] == ["second"]
    assert history.run("runs", "--limit", "1").err == "and 1 older; `--limit N` shows more\n"
    ran = history.run("runs", "--pipeline", "wrods")
    assert ran == (0, "", "No runs of pipeline `wrods`; did you mean `words`?\n")
    assert history.run("runs", "--pipeline", "../x", "--json") == (0, "[]\n", "")


def test_no_runs_is_no_error(project: Project, home: Path) -> None:
    """Before the first run the list is empty, and nothing is created by looking."""
    ran = project.run("runs")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.endswith("; start one with `solidstate run TARGET`.\n")
    assert project.run("runs", "--json").out == "[]\n"
    assert not home.exists()


@pytest.mark.parametrize("name", ["last", "second", "sec"])
def test_show_finds_a_run(history: Project, name: str) -> None:
    """By its id, the beginning of it, or as the last one; with failures and request as the run itself told them."""
    ran = history.run("show", name)
    assert ran.code == 0
    assert "\nfailed: count\n  ValueError: boom is no word\n" in ran.out
    assert "\n  inputs: words 6 B\n" in ran.out
    assert '"path": "boom"' in ran.out
    assert "tag" not in ran.out
    document = history.run("show", name, "--json").json()
    assert document["request"] == {"solids": {"read": {"config": {"path": "boom"}}}}
    assert document["steps"][2]["error"]["type"] == "ValueError"


def test_show_has_tags_and_materializations(history: Project) -> None:
    """What was attached to a run and what it left behind are part of the picture."""
    out = history.run("show", "first").out
    assert re.search(r"\ntag owner +ops\n", out)
    assert "\nmaterialized\n  copy  copies/words.txt  read\n" in out


def test_a_run_that_was_killed_shows_how_far_it_came(project: Project, home: Path) -> None:
    """Without a summary the steps are told from their events; as its process is gone the run was interrupted."""
    project.write(
        "deadly.py",
        """
        import os, signal, time

        from solidstate import pipeline, solid

        @solid
        def first() -> int:
            return 1

        @solid
        def deadly(number: int) -> int:
            os.kill(os.getpid(), signal.SIGKILL)

        @pipeline
        def p():
            deadly(first())
        """,
    )
    process = project.start("run", "deadly.py", "--engine", "inline", "--run-id", "killed")
    process.communicate(timeout=60)
    assert process.returncode == -9
    document = project.run("show", "killed", "--json").json()
    assert document["status"] == "interrupted"
    assert [(step["step"], step["status"]) for step in document["steps"]] == [
        ("first", "success"),
        ("deadly", "not reached"),
    ]
    out = project.run("show", "killed").out
    assert "\ninterrupted in " in out
    assert out.endswith(
        "the process of the run ended before the run did: it was killed, or the machine was switched off\n"
    )


def test_events_are_the_stored_stream(history: Project) -> None:
    """``--json`` prints every event, one a line, as it reads back; first the start of the run, last its end."""
    out = history.run("events", "last", "--json").out
    found = decode_events(out.encode())
    assert len(found) == len(out.splitlines())
    assert [kind_of(found[0]), kind_of(found[-1])] == ["run_start", "run_failure"]
    assert {event.run for event in found} == {"second"}


@pytest.mark.parametrize(
    ("flags", "kinds"),
    [
        (["--step", "count"], {"step_start", "step_input", "step_failure"}),
        (["--kind", "step_materialization"], {"step_materialization"}),
        (["--level", "info"], {"log"}),
        (["--level", "debug"], {"log"}),
        (["--level", "warning"], set()),
        (["--step", "read", "--kind", "step_failure"], set()),
    ],
)
def test_events_can_be_chosen(history: Project, flags: list[str], kinds: set[str]) -> None:
    """Step, kind and level narrow the stream, together."""
    ran = history.run("events", "second", "--json", *flags)
    assert ran.code == 0
    assert {msgspec.json.decode(one)["kind"] for one in ran.out.splitlines()} == kinds


def test_events_as_text(history: Project) -> None:
    """A row an event: the clock, the step, the kind, and what happened in words."""
    lines = [re.sub(r" {2,}", " ", one[14:]) for one in history.run("events", "second").out.splitlines()]
    lines = [re.sub(r"[\d.]+ (ms|s)\b", "TIME", one).strip() for one in lines]
    assert lines == [
        "run_start words, mode local, preset sample, 4 steps",
        "read step_start",
        "read log info: reading path=boom",
        "read step_expectation_result not_empty holds, there are words words=1",
        "read step_materialization copy, copies/words.txt",
        "read step_output result: list[str], 6 B as msgpack",
        "read step_success in TIME",
        "split step_start",
        "split step_input words: list[str] from read.result, 6 B",
        "split step_output long: list[str], 6 B as msgpack",
        "split step_success in TIME",
        "count step_start",
        "count step_input words: list[str] from split.long, 6 B",
        "count step_failure after TIME: ValueError: boom is no word\\nfix: \\x1b[31mnothing (words.py:42)",
        "count_short step_start solid count",
        "count_short step_skipped optional output `split.short` was not produced",
        "run_failure in TIME, failed: count",
    ]


def test_unknown_steps_get_the_nearest_name(history: Project) -> None:
    """A step the run's plan does not have is an error in words, also when the run is long over."""
    ran = history.run("events", "second", "--step", "cuont")
    assert ran == (
        2,
        "",
        "error: Run `second` of pipeline `words` has no step `cuont`.\n  fix: did you mean `count`?\n",
    )


def test_an_ambiguous_beginning_lists_the_runs(history: Project) -> None:
    """A beginning that several runs share names them."""
    assert history.run(*SAMPLE, "--run-id", "secondary").code == 0
    ran = history.run("show", "secon")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: 2 runs begin with `secon`: ")
    assert ran.err.endswith("  fix: write more of the id\n")
    assert history.run("show", "second").code == 0


def test_history_stays_quick(history: Project) -> None:
    """Reading history starts no engine: it takes a fraction of a second in a process of its own."""
    began = time.monotonic()
    process = history.start("show", "last")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert time.monotonic() - began < 5


def test_a_damaged_run_hides_no_other(history: Project, home: Path) -> None:
    """A run whose records cannot be read is still listed, as interrupted; asked for by name it says what is wrong."""
    (home / "store" / keys.run_summary("words", "first")).write_bytes(b"{")
    ran = history.run("runs", "--json")
    assert ran.code == 0
    assert {run["run"]: run["status"] for run in ran.json()} == {"second": "failed", "first": "interrupted"}
    assert re.search(r"\ninterrupted  first +words\n", history.run("runs").out)
    ran = history.run("show", "first")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: The object `v1/runs/words/first/summary.json` is not a run summary: ")
