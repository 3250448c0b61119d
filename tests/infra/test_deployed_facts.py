"""All that is known of a deployed run: killed steps have their failure, reason and advice, wherever they ran."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.events import EngineEvent, StepFailure, StepRetry
from solidstate.infra import execution_watch
from solidstate.infra.deployed import Place, find_deployed
from solidstate.infra.deployed_runs import DeployedHistory
from solidstate.infra.run_facts import LEFT_ALONE, RunFacts
from solidstate.storage import keys
from tests.infra import histories
from tests.stacks import Stack, deployed


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """With the faults that the recorded histories have."""
    with deployed("facts", histories.PIPELINES) as found:
        histories.prepare(found)
        for definition in histories.PIPELINES:
            found.run(definition.name, {}, definition.name)
        yield found


@pytest.fixture(scope="module")
def history(stack: Stack) -> DeployedHistory:
    return DeployedHistory(find_deployed(Place(stack="facts"), Path()))


def facts(history: DeployedHistory, run: str) -> RunFacts:
    return history.facts(history.find(run))


def test_killed_steps_have_their_failure(history: DeployedHistory) -> None:
    """As an event and in the summary, with reason and advice; steps that recorded theirs have it as it was."""
    found = facts(history, "killed")
    errors = {step.step: step.error for step in found.summary.steps if step.error is not None}
    assert {name: (error.type, error.message, error.hint) for name, error in errors.items()} == {
        "endless": (
            "Sandbox.Timedout",
            "Task timed out after 3.00 seconds",
            "raise `Compute(timeout_s=...)` of solid `endless` (now 3), or split its work",
        ),
        "greedy": (
            "Runtime.ExitError",
            "the function was killed, which is how Lambda ends one that runs out of memory (Runtime exited with error: "
            "signal: killed)",
            "raise `Compute(memory_mb=...)` of solid `greedy` (now 256), or work in smaller pieces",
        ),
        "broken": ("ValueError", "cannot take 1", ""),
    }
    ends = [
        (event.step, event.attempt, event.error.type)
        for event in found.events
        if isinstance(event, (StepRetry, StepFailure))
    ]
    assert ends == [
        ("endless", 1, "Sandbox.Timedout"),
        ("endless", 2, "Sandbox.Timedout"),
        ("greedy", 1, "Runtime.ExitError"),
        ("busy", 1, "Lambda.TooManyRequestsException"),
        ("busy", 2, "Lambda.TooManyRequestsException"),
        ("broken", 1, "ValueError"),
    ]
    assert {step.step: step.status for step in found.summary.steps} == {
        "fine": "success",
        "endless": "failed",
        "after": "skipped",
        "greedy": "failed",
        "busy": "success",
        "broken": "failed",
    }


@pytest.mark.parametrize("run", ["mapped", "listed"])
def test_killed_items_have_their_failure(history: DeployedHistory, run: str) -> None:
    """In an inline Map, and in a distributed one, whose items have executions of their own."""
    each = facts(history, run).summary.steps[1]
    assert (each.status, each.items) == ("failed", {"success": 2, "failed": 1})
    assert [(key, error.type) for key, error in each.item_errors.items()] == [("k1", "Runtime.ExitError")]


def test_items_that_were_not_looked_at_are_counted(history: DeployedHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are too many."""
    monkeypatch.setattr(execution_watch, "MAX_CHILDREN", 0)
    found = facts(history, "listed")
    last = found.events[-1]
    assert isinstance(last, EngineEvent)
    assert last.message == "of the items without a record, 3 executions were not looked at"
    assert found.summary.steps[1].items == {"success": 2, "not reached": 1}


def test_nothing_is_written(stack: Stack, history: DeployedHistory) -> None:
    """Whoever looks may have no right to."""
    before = [(info.key, stack.store.get(info.key)) for info in stack.store.list("")]
    facts(history, "killed")
    assert [(info.key, stack.store.get(info.key)) for info in stack.store.list("")] == before


def test_a_refused_run_has_the_words_of_the_gate(stack: Stack, history: DeployedHistory) -> None:
    """And nothing else."""
    cause = stack.run("killed", {"solid": {}}, "refused")["cause"]
    found = facts(history, "refused")
    assert (found.why, found.summary.message, found.events) == (cause, cause, [])


def test_a_run_of_a_plan_of_another_version_has_its_events(stack: Stack, history: DeployedHistory) -> None:
    """As they were recorded."""
    run = history.find("mapped")
    key = keys.plan("mapped", run.plan)
    body = stack.store.get(key)
    stack.store.put(key, b'{"steps": [{"name": "few"}]}')
    try:
        found = history.facts(run)
    finally:
        stack.store.put(key, body)
    assert found.summary == run
    assert found.events


def test_a_run_while_it_runs_and_when_it_was_stopped(stack: Stack, history: DeployedHistory) -> None:
    """What is being computed; afterwards, that it was."""
    stack.invoker.reset()
    stack.invoker.hold("greedy")
    arn = stack.begin("killed", {}, "going", "greedy")
    going = facts(history, "going")
    assert going.running == [("greedy", "")]
    assert {step.step: step.status for step in going.summary.steps} == {
        "fine": "success",
        "endless": "success",
        "after": "success",
        "greedy": "running",
        "busy": "success",
        "broken": "failed",
    }
    stack.aws.stop(arn, "Cancelled", "enough")
    stopped = facts(history, "going")
    stack.invoker.reset()
    assert (stopped.summary.status, stopped.why) == ("cancelled", "the execution was stopped: Cancelled: enough")
    assert [step.reason for step in stopped.summary.steps if step.step == "greedy"] == [LEFT_ALONE]
