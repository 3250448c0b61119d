"""``solidstate events --follow``: a long step is seen while it runs, here and deployed."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from solidstate import StepContext, pipeline, solid
from solidstate.events import decode_events, kind_of
from solidstate.infra.home import home_from
from solidstate.storage import keys
from tests.cli.project import Project
from tests.stacks import Stack, deployed

go_on = threading.Event()


@solid
def long(context: StepContext) -> int:
    context.log.info("half way", done=1)
    go_on.wait(30)
    return 1


@solid
def after(n: int) -> int:
    return n


@pipeline
def lasting() -> None:
    after(long())


@pytest.fixture
def stack() -> Iterator[Stack]:
    go_on.clear()
    with deployed("lasting-stack", [lasting]) as found:
        yield found
        go_on.set()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def outline(text: str) -> list[str]:
    return [re.sub(r"\d+\.\d s\b|\d+ ms\b", "TIME", re.sub(r"^[\d:.]+  ", "", one)) for one in text.splitlines()]


@pytest.mark.slow
def test_a_deployed_run_is_followed(project: Project, stack: Stack) -> None:
    """What the long step has logged is told before it ends; every event once and in order; with filters, as JSON."""
    arn = stack.aws.start(stack.machines["lasting"], "r", {})
    parts = keys.attempts_prefix("lasting", "long", "r")
    until(lambda: list(stack.store.list(parts)))
    out = project.run("events", "r", "--stack", "lasting-stack", "--step", "long", "--json").out
    assert [kind_of(event) for event in decode_events(out.encode())] == ["step_start", "log"]
    shown = project.run("show", "r", "--stack", "lasting-stack").out
    assert re.search(r"running +long", shown)
    timer = threading.Timer(2, go_on.set)
    timer.start()
    followed = project.run("events", "r", "--stack", "lasting-stack", "--follow")
    timer.join()
    assert (followed.code, followed.err) == (0, "")
    lines = outline(followed.out)
    assert lines[:3] == [
        "       run_start             lasting, mode default, 2 steps",
        "long   step_start",
        "long   log                   info: half way  done=1",
    ]
    # What ends between two looks is told at the next one, the begins of all steps first.
    assert [*sorted(lines[3:-1], key=lambda one: one.startswith("after")), lines[-1]] == [
        "long   step_output           result: int, 1 B as msgpack",
        "long   step_success          in TIME",
        "after  step_start",
        "after  step_input            n: int from long.result, 1 B",
        "after  step_output           result: int, 1 B as msgpack",
        "after  step_success          in TIME",
        "       run_success           in TIME",
    ]
    stack.aws.wait(arn)
    done = project.run("events", "r", "--stack", "lasting-stack", "--follow", "--kind", "log", "--json").out
    assert [kind_of(event) for event in decode_events(done.encode())] == ["log"]


@pytest.mark.slow
def test_a_local_run_is_followed_from_another_terminal(project: Project) -> None:
    """The long step's log is there while it runs; the last line is the end of the run."""
    project.write(
        "lasting.py",
        """
        import os, time

        from solidstate import pipeline, solid

        @solid
        def long(context) -> int:
            context.log.info("half way")
            while not os.path.exists("go_on"):
                time.sleep(0.05)
            return 1

        @pipeline
        def lasting():
            long()
        """,
    )
    process = project.start("run", "lasting.py", "--engine", "inline", "--run-id", "r")
    until(lambda: list(home_from().store.list(keys.attempts_prefix("lasting", "long", "r"))))
    assert "info: half way" in project.run("events", "r").out
    document = project.run("show", "r", "--json").json()
    assert (document["status"], document["steps"][0]["status"]) == ("running", "running")
    threading.Timer(1, lambda: project.write("go_on", "")).start()
    followed = project.run("events", "r", "--follow")
    process.communicate(timeout=30)
    assert outline(followed.out) == [
        "      run_start             lasting, mode default, 1 steps",
        "long  step_start",
        "long  log                   info: half way",
        "long  step_output           result: int, 1 B as msgpack",
        "long  step_success          in TIME",
        "      run_success           in TIME",
    ]
