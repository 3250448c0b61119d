"""Step Functions as the command line asks it, on the local AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from solidstate.errors import RunNotFound, SolidstateError
from solidstate.infra import executions as module
from solidstate.infra.aws_account import AwsAccount
from solidstate.infra.executions import (
    Executions,
    MachineArn,
    check_execution_name,
    parse_execution_arn,
    parse_machine_arn,
)
from tests.infra import histories
from tests.stacks import Stack, deployed

PREFIX = "arn:aws:states:eu-west-1:123456789012"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with deployed("asked", [histories.killed, histories.listed]) as found:
        yield found


@pytest.fixture(scope="module")
def service(stack: Stack) -> Executions:
    return Executions(AwsAccount(region=stack.aws.region, endpoint_url=stack.aws.endpoint_url))


def machine(stack: Stack, name: str = "killed") -> MachineArn:
    return parse_machine_arn(stack.machines[name])


def test_start_and_describe(stack: Stack, service: Executions) -> None:
    """Times in seconds, the end and its cause."""
    arn = service.start(machine(stack), "one", '{"solid": {}}')
    assert arn == machine(stack).execution("one")
    stack.aws.wait(arn, timeout_s=60)
    found = service.describe(arn)
    assert (found.name, found.status, found.running, found.error) == ("one", "FAILED", False, "RunRefused")
    assert found.cause.startswith("Run request for pipeline `killed`: Unknown field 'solid'.")
    assert found.stopped_at is not None
    assert 0 <= found.stopped_at - found.started_at < 60


def test_a_name_is_taken_once(stack: Stack, service: Executions) -> None:
    """Said in our words."""
    stack.aws.wait(service.start(machine(stack), "taken", "{}"), timeout_s=60)
    with pytest.raises(SolidstateError) as caught:
        service.start(machine(stack), "taken", '{"tags": {"a": "b"}}')
    assert str(caught.value) == (
        "There is already an execution `taken` of the state machine `asked-killed`.\n"
        "  fix: choose another `--name`, or leave it out"
    )


def test_what_is_not_there_is_said(stack: Stack, service: Executions) -> None:
    """Machines, executions, and histories of them."""
    missing = machine(stack)
    missing = MachineArn(missing.prefix, "nothing")
    with pytest.raises(SolidstateError, match=r"^There is no state machine `nothing` in us-east-1: "):
        service.definition(missing)
    with pytest.raises(SolidstateError, match=r"^The state machine `nothing` was not started: "):
        service.start(missing, "n", "{}")
    with pytest.raises(SolidstateError, match=r"^There is no state machine `nothing`: "):
        next(service.latest(missing))
    with pytest.raises(RunNotFound, match=r"^Step Functions knows no execution `arn:"):
        service.describe(machine(stack).execution("never"))
    with pytest.raises(RunNotFound, match=r"^The execution's history was not found: "):
        service.history(machine(stack).execution("never"))


def test_a_history_is_read_in_pages(stack: Stack, service: Executions, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, in order; and later only what is new."""
    monkeypatch.setattr(module, "PAGE", 7)
    arn = stack.run("killed", {}, "paged")["executionArn"]
    whole = service.history(arn)
    assert len(whole) > 21
    assert [event["id"] for event in whole] == list(range(1, len(whole) + 1))
    assert whole == stack.aws.history(arn)
    for known in (1, 6, 7, 8, len(whole) - 1, len(whole)):
        assert service.history(arn, after=known) == whole[known:]


def test_the_newest_come_first(stack: Stack, service: Executions) -> None:
    """Of one machine; nothing is started by looking."""
    for name in ("older", "newer"):
        stack.run("listed", {}, name)
    names = [found.name for found in service.latest(machine(stack, "listed"))]
    assert names[:2] == ["newer", "older"]
    assert list(service.children("arn:aws:states:us-east-1:123456789012:mapRun:none/x:y")) == []


def test_stopping_what_has_ended_does_nothing(stack: Stack, service: Executions) -> None:
    """It may be said twice."""
    stack.invoker.reset()
    stack.invoker.hold("greedy")
    arn = stack.begin("killed", {}, "stopped", "greedy")
    service.stop(arn, "Cancelled", "enough")
    service.stop(arn, "Cancelled", "again")
    found = service.describe(arn)
    assert (found.status, found.error, found.cause) == ("ABORTED", "Cancelled", "enough")
    with pytest.raises(RunNotFound, match=r"^The execution was not stopped: "):
        service.stop(machine(stack).execution("never"), "Cancelled", "")
    stack.invoker.reset()


def test_arns_are_taken_apart() -> None:
    """With a version or an alias, in every partition."""
    arn = parse_machine_arn(f"{PREFIX}:stateMachine:flights:live")
    assert (arn.name, arn.qualifier, arn.region) == ("flights", "live", "eu-west-1")
    assert (arn.whole, arn.bare) == (f"{PREFIX}:stateMachine:flights:live", f"{PREFIX}:stateMachine:flights")
    assert parse_execution_arn(f"{PREFIX}:execution:flights:run-1") == (
        MachineArn(PREFIX, "flights"),
        "run-1",
    )
    assert parse_machine_arn("arn:aws-us-gov:states:us-gov-west-1:1:stateMachine:m").region == "us-gov-west-1"
    assert parse_execution_arn("run-1") is None


@pytest.mark.parametrize("text", ["", "flights", f"{PREFIX}:execution:flights:x", f"{PREFIX}:stateMachine:a:b:c"])
def test_what_is_no_machine_is_refused(text: str) -> None:
    """With what one looks like."""
    with pytest.raises(SolidstateError) as caught:
        parse_machine_arn(text)
    assert caught.value.problem == f"`{text}` is not the ARN of a state machine."


def test_a_name_is_what_the_service_takes() -> None:
    """The console gate's tests try many; here the two ends."""
    assert check_execution_name("x" * 80) == "x" * 80
    with pytest.raises(SolidstateError):
        check_execution_name("x" * 81)
