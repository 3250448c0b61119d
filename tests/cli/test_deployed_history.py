"""``runs``, ``show`` and ``events`` of a deployed pipeline: with what only Step Functions knows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from solidstate.events import decode_events, kind_of
from tests.cli.letters import idle, letters
from tests.cli.project import Project
from tests.stacks import Stack, deployed, out_of_memory

DOCUMENT = {"solids": {"read": {"config": {"word": "abc"}}}}
ON = ("--stack", "letters-read")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Four runs: one good, one killed, one refused, one of the other pipeline."""
    with deployed("letters-read", [letters, idle]) as found:
        found.run("idle", {}, "other")
        found.run("letters", DOCUMENT | {"tags": {"owner": "me"}}, "good")
        found.invoker.fail("count", out_of_memory())
        found.run("letters", DOCUMENT, "killed")
        found.invoker.reset()
        found.run("letters", {"tag": {}}, "refused")
        yield found


def test_runs_are_listed(project: Project, stack: Stack) -> None:
    """The same columns as for local runs; a refused run has no steps."""
    ran = project.run("runs", *ON)
    clock = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
    lines = [
        re.sub(r" {2,}", " ", re.sub(r"[\d.]+ (ms|s)\b", "TIME", clock.sub("WHEN", one)))
        for one in ran.out.splitlines()
    ]
    assert (ran.code, ran.err) == (0, "")
    assert lines == [
        "status run pipeline started time steps engine tags",
        "failed refused letters WHEN TIME aws",
        "failed killed letters WHEN TIME 1/2 aws",
        "success good letters WHEN TIME 2/2 aws owner=me",
        "success other idle WHEN TIME 1/1 aws",
    ]


def test_runs_can_be_fewer(project: Project, stack: Stack) -> None:
    """A limit and a pipeline narrow the list; that there are older ones is said, and the nearest pipeline."""
    ran = project.run("runs", *ON, "--limit", "2")
    assert (len(ran.out.splitlines()), ran.err) == (3, "there are older ones; `--limit N` shows more\n")
    found = project.run("runs", *ON, "--pipeline", "idle", "--json").json()
    assert [run["run"] for run in found] == ["other"]
    assert project.run("runs", *ON, "--pipeline", "ilde") == (
        0,
        "",
        "No runs of pipeline `ilde`; did you mean `idle`?\n",
    )
    assert [run["run"] for run in project.run("runs", "--bucket", stack.bucket, "--json").json()] == [
        "killed",
        "good",
        "other",
    ]


def test_a_killed_step_is_shown_with_reason_and_advice(project: Project, stack: Stack) -> None:
    """As a failure like any other, with the request below."""
    ran = project.run("show", "killed", *ON)
    assert ran.code == 0
    assert (
        "failed: count\n"
        "  Runtime.ExitError: the function was killed, which is how Lambda ends one that runs out of memory (Runtime "
        "exited with error: signal: killed)\n"
        "  fix: raise `Compute(memory_mb=...)` of solid `count` (now 1024), or work in smaller pieces\n"
    ) in ran.out
    assert '"word": "abc"' in ran.out
    document = project.run("show", "last", "--machine", stack.machines["idle"], "--json").json()
    assert (document["run"], document["status"]) == ("other", "success")


def test_events_have_the_failure_too(project: Project, stack: Stack) -> None:
    """In the stream, as a STEP_FAILURE with its reason; filters work as for local runs."""
    out = project.run("events", "killed", *ON, "--json").out
    kinds = [(event.step, kind_of(event)) for event in decode_events(out.encode())]
    assert kinds[0] == ("", "run_start")
    assert kinds[-4:] == [
        ("count", "step_start"),
        ("count", "engine"),
        ("count", "step_failure"),
        ("", "run_failure"),
    ]
    assert len(project.run("events", "killed", *ON, "--step", "count", "--kind", "step_failure").out.splitlines()) == 1
    ran = project.run("events", "killed", *ON, "--step", "cuont")
    assert (ran.code, ran.err) == (
        2,
        "error: Run `killed` of pipeline `letters` has no step `cuont`.\n  fix: did you mean `count`?\n",
    )


def test_a_refused_run_is_shown_in_the_words_of_the_gate(project: Project, stack: Stack) -> None:
    """There is nothing else to show."""
    out = re.sub(r"[\d.]+ (ms|s)\b", "TIME", project.run("show", "refused", *ON).out)
    assert re.sub(r"\d{4}-\S+ \S+ UTC", "WHEN", out) == (
        "letters  run refused  engine aws\n"
        "started  WHEN\n\n"
        "failed in TIME\n\n"
        "Run request for pipeline `letters`: 2 errors\n"
        "  1. Unknown field 'tag'.\n    at: tag\n    fix: did you mean `tags`?\n"
        "  2. Missing required field `word` of type `str`.\n    at: solids.read.config.word\n"
        '    fix: add it, for example `{"solids":{"read":{"config":{"word":"..."}}}}`\n'
    )
    assert project.run("events", "refused", *ON) == (0, "", "")


def test_the_local_history_is_the_default(project: Project, stack: Stack) -> None:
    """Even where samconfig.toml names a stack; `--deployed` asks for it."""
    project.write("samconfig.toml", '[default.deploy.parameters]\nstack_name = "letters-read"\nregion = "us-east-1"\n')
    assert project.run("runs", "--json").json() == []
    assert len(project.run("runs", "--deployed", "--json").json()) == 4
    assert project.run("show", "good", "--deployed").code == 0
