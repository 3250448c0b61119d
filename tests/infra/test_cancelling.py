"""Runs that are stopped on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.errors import RunNotFound
from solidstate.infra.aws_account import AwsAccount
from solidstate.infra.cancelling import MAX_CAUSE, cancel_run
from solidstate.infra.deployed import Place, find_deployed
from solidstate.infra.deployed_runs import DeployedHistory
from solidstate.infra.executions import Executions
from solidstate.storage.records import RunSummary
from tests.infra import histories
from tests.stacks import Stack, deployed


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with deployed("cancelled", [histories.killed]) as found:
        yield found


@pytest.fixture(scope="module")
def history(stack: Stack) -> DeployedHistory:
    return DeployedHistory(find_deployed(Place(stack="cancelled"), Path()))


@pytest.fixture(scope="module")
def service(stack: Stack) -> Executions:
    return Executions(AwsAccount(region=stack.aws.region, endpoint_url=stack.aws.endpoint_url))


def test_a_run_is_stopped_once(stack: Stack, history: DeployedHistory, service: Executions) -> None:
    """With the reason on record, and what was running; the second time nothing happens."""
    stack.invoker.hold("greedy", "busy")
    arn = stack.begin("killed", {}, "run", "greedy")
    done = cancel_run(service, history.find("run"), "enough" * 10_000)
    assert (done.status, done.now, sorted(done.running)) == ("cancelled", True, [("busy", ""), ("greedy", "")])
    described = service.describe(arn)
    assert (described.status, described.error, len(described.cause)) == ("ABORTED", "Cancelled", MAX_CAUSE)
    again = cancel_run(service, history.find("run"), "again")
    assert (again.status, again.now, again.running) == ("cancelled", False, [])
    assert service.describe(arn).cause == described.cause
    assert history.facts(history.find("run")).summary.status == "cancelled"
    stack.invoker.reset()


def test_what_has_ended_stays_as_it_is(stack: Stack, history: DeployedHistory, service: Executions) -> None:
    """How it ended is told."""
    stack.run("killed", {}, "ended")
    done = cancel_run(service, history.find("ended"), "late")
    assert (done.status, done.now) == ("failed", False)


def test_nested_executions_are_stopped_too(stack: Stack, service: Executions) -> None:
    """Whatever the machine's role is allowed to."""
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
    inner = stack.aws.create_machine("inner", json.dumps(wait))
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": inner, "Input": {}},
        "End": True,
    }
    outer = stack.aws.create_machine("outer", json.dumps({"StartAt": "T", "States": {"T": task}}))
    arn = stack.aws.start(outer, "run", {})
    client = stack.aws.client("stepfunctions")
    while not client.list_executions(stateMachineArn=inner)["executions"]:
        pass
    while not any(event["type"] == "TaskSubmitted" for event in stack.aws.history(arn)):
        pass
    run = RunSummary("run", "p", "", "", "running", 0.0, 0.0, execution=arn)
    assert cancel_run(service, run, "enough").now
    (nested,) = client.list_executions(stateMachineArn=inner)["executions"]
    assert service.describe(nested["executionArn"]).status == "ABORTED"


def test_a_run_without_an_execution_cannot_be_stopped(service: Executions) -> None:
    """One of another engine."""
    with pytest.raises(RunNotFound, match=r"^Run `r` is of no execution, so there is nothing to stop\.$"):
        cancel_run(service, RunSummary("r", "p", "", "", "running", 0.0, 0.0), "x")
