"""``solidstate reconcile``: ends that nobody could record are put on record, once."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from solidstate.events import decode_events, kind_of
from solidstate.storage import keys
from solidstate.storage.history import stored_summary
from tests.cli.letters import letters
from tests.cli.project import Project
from tests.stacks import Stack, deployed, out_of_memory

DOCUMENT = {"solids": {"read": {"config": {"word": "abc"}}}}
ON = ("--stack", "letters-end")
NOTHING = (0, "", "every run that has ended has its end on record\n")


@pytest.fixture
def stack() -> Iterator[Stack]:
    """Runs of every kind: good; with a step that was killed; stopped in the middle; without its End run."""
    with deployed("letters-end", [letters]) as found:
        found.run("letters", DOCUMENT, "good")
        found.invoker.fail("count", out_of_memory())
        found.run("letters", DOCUMENT, "killed")
        found.invoker.reset()
        found.invoker.hold("count")
        arn = found.begin("letters", DOCUMENT, "stopped", "count")
        found.aws.stop(arn, "Enough", "for today")
        found.invoker.reset()
        found.run("letters", DOCUMENT, "endless")
        store = found.store
        for key in (keys.run_summary("letters", "endless"), keys.run_events("letters", "endless")):
            store.delete(key)
        yield found


def columns(text: str) -> list[str]:
    return [re.sub(r" {2,}", "  ", one).strip() for one in text.splitlines()]


def test_ends_are_put_on_record_once(project: Project, stack: Stack) -> None:
    """First it is only looked at; then written; then there is nothing to do any more."""
    expected = [
        "status  run  pipeline  was not on record",
        "success  endless  letters  run_success",
        "failed  killed  letters  step_failure of count",
        "cancelled  stopped  letters  run_failure",
    ]
    before = {info.key: info.size for info in stack.store.list("")}
    looked = project.run("reconcile", *ON, "--dry-run")
    assert (looked.code, columns(looked.out)) == (0, expected)
    assert looked.err == "\n3 runs to repair; nothing was written: leave out `--dry-run`\n"
    assert {info.key: info.size for info in stack.store.list("")} == before
    ran = project.run("reconcile", *ON)
    assert (ran.code, columns(ran.out)) == (0, expected)
    assert ran.err == "\nrepaired 3 runs\nlook closer: solidstate show RUN --stack letters-end\n"
    after = {info.key: info.size for info in stack.store.list("")}
    assert set(after) - set(before) == {
        keys.run_summary("letters", "stopped"),
        keys.run_events("letters", "stopped"),
        keys.run_summary("letters", "endless"),
        keys.run_events("letters", "endless"),
    }
    assert project.run("reconcile", *ON) == NOTHING
    assert {info.key: info.size for info in stack.store.list("")} == after
    statuses = {run: stored_summary(stack.store, "letters", run) for run in ("good", "killed", "stopped", "endless")}
    assert {run: one.status for run, one in statuses.items() if one is not None} == {
        "good": "success",
        "killed": "failed",
        "stopped": "cancelled",
        "endless": "success",
    }
    killed = statuses["killed"]
    assert killed is not None
    assert killed.steps[1].error is not None
    assert killed.steps[1].error.type == "Runtime.ExitError"
    # The bucket alone tells the reason now, which Step Functions will have forgotten one day.
    events = decode_events(stack.store.get(keys.run_events("letters", "killed")))
    assert [(event.step, kind_of(event)) for event in events][-4:] == [
        ("count", "step_start"),
        ("count", "engine"),
        ("count", "step_failure"),
        ("", "run_failure"),
    ]
    assert [kind_of(event) for event in events].count("run_failure") == 1


@pytest.mark.slow
def test_runs_that_go_on_or_are_damaged_are_left_alone(project: Project, stack: Stack) -> None:
    """The former are counted, the latter named; neither holds the others up."""
    damaged = keys.attempt("letters", "count", "stopped", "001-q")
    stack.store.put(damaged, b"{")
    ran = project.run("reconcile", *ON)
    assert [one.split("  ")[1] for one in columns(ran.out)[1:]] == ["endless", "killed"]
    assert ran.err == (
        "\nrepaired 2 runs\nlook closer: solidstate show RUN --stack letters-end\n"
        "left alone, as what is recorded of them cannot be read: `stopped`\n"
    )
    stack.store.delete(damaged)
    project.run("reconcile", *ON)
    stack.invoker.hold("count")
    stack.begin("letters", DOCUMENT, "going", "count")
    assert project.run("reconcile", *ON) == (
        0,
        "",
        "every run that has ended has its end on record; 1 run goes on\n",
    )
    assert project.run("reconcile", "good", *ON) == NOTHING
    stack.invoker.reset()


@pytest.mark.slow
def test_as_json(project: Project, stack: Stack) -> None:
    """For a scheduled job; by the bucket alone as well."""
    found = project.run("reconcile", "stopped", *ON, "--json").json()
    assert found == [
        {
            "run": "stopped",
            "pipeline": "letters",
            "status": "cancelled",
            "written": True,
            "events": [{"kind": "run_start", "step": "", "item": ""}, {"kind": "run_failure", "step": "", "item": ""}],
        }
    ]
    rest = project.run("reconcile", "--bucket", stack.bucket, "--pipeline", "letters", "--json").json()
    assert [(one["run"], one["status"]) for one in rest] == [("endless", "success"), ("killed", "failed")]


def test_a_local_run_that_was_killed(project: Project) -> None:
    """It is interrupted, and stays so; its results can be used."""
    project.write(
        "deadly.py",
        """
        import os, signal, time

        from solidstate import pipeline, solid

        @solid
        def first() -> int:
            return 1

        @solid
        def deadly(context, number: int) -> int:
            context.log.info("alive")
            if not os.path.exists("saved"):
                time.sleep(1.5)
                os.kill(os.getpid(), signal.SIGKILL)
            return number

        @pipeline
        def p():
            deadly(first())
        """,
    )
    process = project.start("run", "deadly.py", "--engine", "inline", "--run-id", "killed")
    process.communicate(timeout=60)
    ran = project.run("reconcile")
    assert columns(ran.out) == ["status  run  pipeline  was not on record", "interrupted  killed  p  run_failure"]
    assert ran.err == "\nrepaired 1 run\nlook closer: solidstate show RUN\n"
    assert project.run("reconcile") == NOTHING
    out = project.run("show", "killed").out
    assert "the attempt began and left no end: it ran out of time or memory, or was stopped" in out
    assert "info: alive" in project.run("events", "killed", "--step", "deadly").out
    project.write("saved", "")
    again = project.run("run", "deadly.py", "--engine", "inline", "--from-failure", "killed", "--json").json()
    assert [(step["step"], step["status"]) for step in again["steps"]] == [
        ("first", "not selected"),
        ("deadly", "success"),
    ]
