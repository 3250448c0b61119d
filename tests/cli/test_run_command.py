"""``solidstate run``: what it makes of its arguments, and what it says about a run that ended, well or not."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import pytest

from solidstate.infra.home import Home
from solidstate.storage.history import find_run, record_of
from tests.cli.project import Project, Ran

SAMPLE = ("run", "words.py", "--engine", "inline", "--preset", "sample")

SLOW = """
    import time
    from pathlib import Path

    from solidstate import pipeline, solid


    @solid
    def first() -> int:
        return 1


    @solid
    def sleeper(number: int) -> int:
        Path("sleeping").touch()
        time.sleep(60)
        return number


    @solid
    def last(number: int) -> int:
        return number


    @pipeline
    def slow():
        last(sleeper(first()))
"""


def calm(text: str) -> str:
    """Text with durations as ``TIME`` and columns one blank apart."""
    text = re.sub(r"\b[\d.]+ (ms|s)\b", "TIME", text)
    return "\n".join(re.sub(r"(?<=\S)  +", " ", one).rstrip() for one in text.splitlines()) + "\n"


def test_a_run_that_succeeds_says_what_it_did(words: Project) -> None:
    """The summary has a row a step, the doubts, what was materialized, and where to look next; exit code 0."""
    ran = words.run(*SAMPLE, "--run-id", "monday", "--set", "solids.read.config.limit=0")
    assert ran.code == 0
    assert calm(ran.out) == (
        "\n"
        "words run monday mode local preset sample engine inline\n"
        "\n"
        "         step time in out\n"
        "ok read TIME 1 B; 1 of 1 expectation failed\n"
        "ok split TIME 1 B long 1 B\n"
        "ok count TIME 1 B 1 B\n"
        "skipped count_short optional output `split.short` was not produced\n"
        "\n"
        "expectations that failed\n"
        "  not_empty read there are words: words 0\n"
        "\n"
        "materialized\n"
        "  copy copies/words.txt read\n"
        "\n"
        "success in TIME 3 ok, 1 skipped\n"
        "look closer: solidstate show monday\n"
    )
    assert calm(ran.err) == (
        "printed by a solid\n"
        "ok read TIME 1 B, 1 expectation failed\n"
        "ok split TIME 1 B\n"
        "ok count TIME 1 B\n"
        "skipped count_short optional output `split.short` was not produced\n"
    )


def test_a_run_that_fails_says_why(words: Project) -> None:
    """The summary names solid, error, the user's own line and the input's size; exit code 1."""
    ran = words.run(*SAMPLE, "--run-id", "tuesday", "--set", "solids.read.config.path=boom")
    assert ran.code == 1
    assert calm(ran.out) == (
        "\n"
        "words run tuesday mode local preset sample engine inline\n"
        "\n"
        "         step time in out\n"
        "ok read TIME 6 B\n"
        "ok split TIME 6 B long 6 B\n"
        "failed count TIME 6 B\n"
        "skipped count_short optional output `split.short` was not produced\n"
        "\n"
        "failed: count\n"
        "  ValueError: boom is no word\n"
        "    | fix: \\x1b[31mnothing\n"
        "  at: words.py:42 in count\n"
        '      raise ValueError("boom is no word\\nfix: \\x1b[31mnothing")\n'
        "  inputs: words 6 B\n"
        "\n"
        "materialized\n"
        "  copy copies/words.txt read\n"
        "\n"
        "failed in TIME 2 ok, 1 failed, 1 skipped\n"
        "look closer: solidstate show tuesday\n"
        "look closer: solidstate events tuesday --step count\n"
    )
    assert "Traceback" not in ran.out + ran.err


def test_debug_shows_the_traceback_of_a_failure(words: Project) -> None:
    """With ``--debug`` the failed solid's traceback is part of the summary, every line of it marked."""
    ran = words.run(*SAMPLE, "--set", "solids.read.config.path=boom", "--debug")
    assert "\n  Traceback (most recent call last):\n" in ran.out
    assert re.search(r"\n    \| +File \"PROJECT/words.py\", line 42, in count\n", ran.out)


def test_an_output_that_cannot_be_stored_is_explained(project: Project) -> None:
    """The module is wrong, whatever the data: exit code 2, with the type and a way out instead of a traceback."""
    project.write(
        "opaque.py",
        """
        from solidstate import pipeline, solid

        class Handle:
            pass

        @solid
        def open_it():
            return Handle()

        @pipeline
        def p():
            open_it()
        """,
    )
    ran = project.run("run", "opaque.py", "--engine", "inline")
    assert ran.code == 2
    said = ran.out[ran.out.index("failed: open_it") : ran.out.index("\nfailed in")]
    assert said == (
        "failed: open_it\n"
        "  OutputNotStorable: Output `result` of `open_it` cannot be stored: `Handle` has no self-describing "
        "storage format.\n"
        "  fix: return built-in types, Structs or dataclasses, or declare the output as a `SolidType` with a codec of "
        "your own\n"
    )


def test_what_a_failed_attempt_said_is_not_counted(project: Project) -> None:
    """After a retry the summary has the last attempt's doubts and materializations, not those of every attempt."""
    project.write(
        "again.py",
        """
        from solidstate import ExpectationResult, Materialization, RetryPolicy, pipeline, solid

        @solid(retry=RetryPolicy(max_attempts=2))
        def flaky(context) -> int:
            context.emit(Materialization("report", f"attempt-{context.attempt}.txt"))
            context.emit(ExpectationResult(context.attempt == 2, "calm"))
            if context.attempt == 1:
                raise ConnectionError
            return 1

        @pipeline
        def p():
            flaky()
        """,
    )
    ran = project.run("run", "again.py", "--engine", "inline")
    assert ran.code == 0
    assert calm(ran.out)[calm(ran.out).index("\nok") :].startswith(
        "\nok flaky TIME 2 1 B\n\nmaterialized\n  report attempt-2.txt flaky\n\nsuccess in "
    )
    document = project.run("show", "last", "--json").json()
    assert [one["path"] for one in document["materializations"]] == ["attempt-2.txt"]
    assert [one["success"] for one in document["expectations"]] == [True]


def test_json_is_the_whole_answer(words: Project) -> None:
    """With ``--json`` stdout is one document that has everything the summary shows, defaults included."""
    ran = words.run(*SAMPLE, "--run-id", "json", "--tag", "owner=ops", "--json")
    document = ran.json()
    assert ran.code == 0
    assert (document["run"], document["status"], document["tags"]) == ("json", "success", {"owner": "ops"})
    assert [step["status"] for step in document["steps"]] == ["success", "success", "success", "skipped"]
    assert document["steps"][0]["error"] is None
    assert [one["path"] for one in document["materializations"]] == ["copies/words.txt"]
    assert [(one["label"], one["success"]) for one in document["expectations"]] == [("not_empty", True)]
    assert "printed by a solid" in ran.err


def test_options_lie_over_assignments_over_the_file(words: Project, home: Path) -> None:
    """The file is the base, ``--set`` goes over it, options with a name of their own over both."""
    words.write("r.yaml", "mode: prod\ntags: {owner: file, kept: yes}\nsolids: {read: {config: {path: a b, limit: 1}}}")
    arguments = ["--config", "r.yaml", "--set", "tags.owner=set", "--set", "solids.read.config.limit=2"]
    ran = words.run(
        "run", "words.py", "--engine", "inline", *arguments, "--tag", "owner=tag", "--mode", "local", "--run-id", "over"
    )
    assert ran.code == 0
    record = record_of(Home(home).store, "words", "over")
    assert record.mode == "local"
    assert record.tags == {"owner": "tag", "kept": "yes"}
    assert record.request["solids"]["read"]["config"] == {"path": "a b", "limit": 2}


def test_a_part_is_run_on_top_of_an_earlier_run(words: Project) -> None:
    """``--from-run last`` takes what is not selected from the newest run of this pipeline."""
    assert words.run(*SAMPLE, "--run-id", "base").code == 0
    ran = words.run(*SAMPLE, "--steps", "count", "--from-run", "last", "--run-id", "again", "--json")
    assert ran.code == 0
    statuses = {step["step"]: step["status"] for step in ran.json()["steps"]}
    assert statuses == {
        "read": "not selected",
        "split": "not selected",
        "count": "success",
        "count_short": "not selected",
    }


def test_a_run_id_is_used_once(words: Project) -> None:
    """A second run of the same name is refused, and the first stays as it was."""
    assert words.run(*SAMPLE, "--run-id", "nightly").code == 0
    ran = words.run(*SAMPLE, "--run-id", "nightly")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: There is already a run `nightly` of pipeline `words`.\n"
        "  fix: choose another `--run-id`, or leave it out\n"
    )


def test_commands_to_go_on_with_name_the_home(words: Project) -> None:
    """Who chose a home of their own gets commands that look there."""
    ran = words.run(*SAMPLE, "--run-id", "away", "--home", "my runs")
    assert "look closer: solidstate show away --home 'my runs'\n" in ran.out
    assert words.run("show", "away", "--home", "my runs").code == 0


def test_long_runs_are_summed_up(project: Project) -> None:
    """With more than a hundred steps the summary leaves out those that went well; ``show`` has all."""
    project.write(
        "long.py",
        """
        from solidstate import pipeline, solid

        @solid
        def one(number: int = 0) -> int:
            assert number < 120
            return number + 1

        @pipeline
        def long():
            value = one()
            for number in range(120):
                value = one.alias(f"one_{number}")(value)
        """,
    )
    ran = project.run("run", "long.py", "--engine", "inline", "--run-id", "long")
    assert ran.code == 1
    assert "\nand 120 steps that succeeded or were skipped\n" in ran.out
    assert calm(ran.out).count("\nok ") == 0
    assert calm(project.run("show", "long").out).count("\nok one") == 120


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)


@pytest.mark.parametrize("engine", ["inline", "moto"])
def test_ctrl_c_ends_a_run_and_keeps_its_history(project: Project, engine: str) -> None:
    """Ctrl-C while a solid sleeps: exit code 130 at once, no traceback, and the run is on record as cancelled."""
    project.write("slow.py", SLOW)
    # A shell that starts commands in the background lets them ignore SIGINT; a terminal does not.
    process = project.start(
        "run",
        "slow.py",
        "--engine",
        engine,
        "--run-id",
        "stopped",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(project.root / "sleeping")
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - began < 20
    assert out == ""
    assert err.endswith("\ncancelled; what was done is kept: solidstate show stopped\n")
    assert "Traceback" not in err
    (run,) = project.run("runs", "--json").json()
    assert (run["run"], run["status"]) == ("stopped", "cancelled")
    assert next((step["step"], step["status"]) for step in run["steps"]) == ("first", "success")


def test_two_runs_at_a_time_do_not_disturb_each_other(words: Project, home: Path) -> None:
    """Two processes, each with its own moto: both succeed, and a third command sees both."""
    started = [
        words.start("run", "words.py", "--preset", "sample", "--run-id", name, "--json") for name in ("left", "right")
    ]
    ended = [process.communicate(timeout=120) for process in started]
    results = [Ran(process.returncode, *streams) for process, streams in zip(started, ended, strict=True)]
    assert [(ran.code, ran.json()["status"], ran.json()["engine"]) for ran in results] == [(0, "success", "moto")] * 2
    assert {run["run"] for run in words.run("runs", "--json").json()} == {"left", "right"}
    assert find_run(Home(home).store, "left").status == "success"


def test_the_facts_of_an_error_stay_a_few(project: Project) -> None:
    """Numbers, texts and short lists of them; what the request gave was read from nowhere."""
    project.write(
        "facts.py",
        """
        from solidstate import Failure, pipeline, solid


        @solid
        def read(limit: int) -> int:
            raise Failure("no", metadata={"rows": 3, "some": [1, 2], "all": list(range(99)), "deep": {"a": [1]}})


        @pipeline
        def facts():
            read()
        """,
    )
    ran = project.run("run", "facts.py", "--engine", "inline", "--set", "solids.read.inputs.limit=1")
    told = [line.strip() for line in ran.out.splitlines()]
    assert [line for line in told if line.partition(":")[0] in ("rows", "some", "all", "deep", "inputs")] == [
        "rows: 3",
        "some: 1, 2",
        "inputs: limit from the request",
    ]
    assert any(re.fullmatch(r"failed +read +.* +request", line) for line in told)
