"""``cancel``: a run of a deployed pipeline is stopped, once, and it is said what was going on."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.cli.letters import idle, letters
from tests.cli.project import Project
from tests.stacks import Stack, deployed

DOCUMENT = {"solids": {"read": {"config": {"word": "abc"}}}}
ON = ("--stack", "letters-stop")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with deployed("letters-stop", [letters, idle]) as found:
        yield found


@pytest.fixture(autouse=True)
def _no_faults(stack: Stack) -> Iterator[None]:
    yield
    stack.invoker.reset()


def test_a_run_is_stopped(project: Project, stack: Stack) -> None:
    """With what was running; twice does no harm; afterwards `show`, `runs` and `events` say cancelled, and why."""
    stack.invoker.hold("count")
    stack.begin("letters", DOCUMENT, "stopped", "count")
    assert project.run("cancel", "stopped", *ON, "--reason", "wrong word") == (
        0,
        "cancelled run stopped of pipeline letters\n"
        "was running: `count`\n"
        "a function that runs goes on to its end, and a result that it commits is kept\n"
        "look closer: solidstate show stopped --stack letters-stop\n",
        "",
    )
    assert project.run("cancel", "stopped", *ON) == (
        0,
        "run stopped of pipeline letters was cancelled before; nothing was stopped\n"
        "look closer: solidstate show stopped --stack letters-stop\n",
        "",
    )
    shown = project.run("show", "stopped", *ON)
    assert re.search(r"\nnot reached +count +was running when the execution was stopped\n", shown.out)
    assert "\n\nthe execution was stopped: Cancelled: wrong word\n" in shown.out
    document = project.run("show", "stopped", *ON, "--json").json()
    assert (document["status"], document["message"]) == (
        "cancelled",
        "the execution was stopped: Cancelled: wrong word\nThe run was stopped; without a result: `count`",
    )
    assert project.run("runs", *ON, "--limit", "1", "--json").json()[0]["status"] == "cancelled"
    last = project.run("events", "stopped", *ON).out.splitlines()[-1]
    assert "run_failure" in last


def test_what_has_ended_is_left_alone(project: Project, stack: Stack) -> None:
    """How it ended is told."""
    stack.run("idle", {}, "ended")
    assert project.run("cancel", "ended", *ON).out.splitlines()[0] == (
        "run ended of pipeline idle had already ended: success; nothing was stopped"
    )


def test_json_says_the_same(project: Project, stack: Stack) -> None:
    """For programs; an execution's ARN, as the console shows it, needs no place."""
    stack.invoker.hold("count")
    arn = stack.begin("letters", DOCUMENT, "as-json", "count")
    expected = {
        "run": "as-json",
        "pipeline": "letters",
        "execution": arn,
        "status": "cancelled",
        "cancelled": True,
        "was_running": ["count"],
    }
    assert project.run("cancel", arn, "--json").json() == expected
    assert project.run("cancel", arn, "--json").json() == expected | {"cancelled": False, "was_running": []}
    assert stack.aws.describe(arn)["cause"] == "stopped by `solidstate cancel`"


def test_an_unknown_run_is_said(project: Project, stack: Stack) -> None:
    """As `show` says it; without a place, how to name one."""
    ran = project.run("cancel", "nothing", *ON)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: There is no run `nothing` in `letters-stop`.\n  fix: ")
    ran = project.run("cancel", "nothing")
    assert (ran.code, ran.err.splitlines()[0]) == (
        2,
        "error: There is no `samconfig.toml` in the current folder, so it is not known which stack is meant.",
    )
