"""The probes of tasks that wait: for their token to be answered, or for an execution they have started."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections.abc import Callable
from typing import Any

from solidstate.infra.local_lambda import local_lambda
from solidstate.infra.moto_inside import inside
from tests.infra.moto_probing import PASS, client, ended, machine, probe, start

WAIT = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 20, "End": True}}}


def waiting(function: Callable[[Any], Any], **more: Any) -> dict[str, Any]:
    """A state that calls a function with its token and waits for that; ``function`` is called by :func:`calling`."""
    CALLED.append(function)
    parameters = {"FunctionName": "probed", "Payload": {"token.$": "$$.Task.Token", "number": len(CALLED) - 1}}
    resource = "arn:aws:states:::lambda:invoke.waitForTaskToken"
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **more}


CALLED: list[Callable[[Any], Any]] = []


def calling(of: Callable[[], Any]) -> Callable[[], Any]:
    """A probe in which Lambda functions run."""

    def run() -> Any:
        if not CALLED:
            bundle = io.BytesIO()
            with zipfile.ZipFile(bundle, "w") as archive:
                archive.writestr("f.py", "")
            role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
            code = {"ZipFile": bundle.getvalue()}
            client("lambda").create_function(
                FunctionName="probed", Runtime="python3.12", Handler="f.f", Role=role, Code=code, Timeout=30
            )
        with local_lambda(lambda _, event, __: CALLED[event["number"]](event["token"])):
            return of()

    run.__name__ = of.__name__
    return probe(run)


def answer(token: str, error: str | None = None) -> str:
    """Answer a token; "accepted", or why not."""
    sfn = client("stepfunctions")
    try:
        if error is None:
            sfn.send_task_success(taskToken=token, output="{}")
        else:
            sfn.send_task_failure(taskToken=token, error=error)
    except sfn.exceptions.ClientError as refused:
        return str(refused.response["Error"]["Code"])
    except (AttributeError, TypeError) as broken:
        return f"{type(broken).__name__}: {broken}"
    return "accepted"


def until(condition: Callable[[], Any], timeout_s: float = 5.0) -> None:
    """Wait, but not for ever."""
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)


def history(arn: str) -> list[str]:
    """The types of an execution's events so far."""
    return [event["type"] for event in client("stepfunctions").get_execution_history(executionArn=arn)["events"]]


@calling
def tokens_of_two_attempts() -> Any:
    """What an execution comes to whose task is tried again, and whether the second attempt had a token of its own."""
    tokens: list[str] = []

    def fail_once(token: str) -> None:
        tokens.append(token)
        answer(token, "Again" if len(tokens) == 1 else None)

    retry = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    described = ended(start({"StartAt": "A", "States": {"A": waiting(fail_once, Retry=retry)}}))
    return [described["status"], len(set(tokens))]


@calling
def two_answers() -> Any:
    """What a task makes of a success and a failure, and whether the second was accepted."""
    said: list[str] = []

    def both(token: str) -> None:
        answer(token)
        said.append(answer(token, "Late"))

    described = ended(start({"StartAt": "A", "States": {"A": waiting(both)}}))
    return [described["status"], *said]


@calling
def answer_to_a_task_that_has_ended() -> Any:
    """By its own time-out, or because its function has raised."""
    tokens: list[str] = []

    def boom(token: str) -> None:
        tokens.append(token)
        raise ValueError("boom")

    caught = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    states = {
        "A": {**waiting(boom, Catch=caught)},
        "B": {**waiting(tokens.append, TimeoutSeconds=1, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}])},
        "C": {"Type": "Wait", "Seconds": 2, "End": True},
    }
    arn = start({"StartAt": "A", "States": states})
    until(lambda: "WaitStateEntered" in history(arn), 20)
    said = [answer(token, "Late") for token in tokens]
    ended(arn)
    return said


@calling
def answer_while_another_is_parsed() -> Any:
    """An answer to a task, while the definition of another execution is being parsed."""
    worker = inside("stepfunctions.parser.backend.execution_worker").ExecutionWorker
    parse, parsed = worker._get_evaluation_entrypoint, threading.Event()
    tokens: list[str] = []

    def slow(self: Any) -> Any:
        parsed.wait(10)
        return parse(self)

    worker._get_evaluation_entrypoint = slow
    other = start(PASS)
    worker._get_evaluation_entrypoint = parse
    arn = start({"StartAt": "A", "States": {"A": waiting(tokens.append, TimeoutSeconds=4)}})
    try:
        until(lambda: tokens)
        time.sleep(0.05)
        return answer(tokens[0])
    finally:
        parsed.set()
        ended(other)
        ended(arn)


@calling
def stopped_while_it_waits() -> Any:
    """Whether threads are left of an execution that was stopped while two branches waited, and its last event."""
    tokens: list[str] = []
    before = threading.active_count()
    branches = [{"StartAt": name, "States": {name: waiting(tokens.append, TimeoutSeconds=4)}} for name in ("B", "C")]
    arn = start({"StartAt": "A", "States": {"A": {"Type": "Parallel", "Branches": branches, "End": True}}})
    until(lambda: len(tokens) == 2)
    client("stepfunctions").stop_execution(executionArn=arn)
    until(lambda: threading.active_count() <= before, 2.0)
    found = [threading.active_count() > before, history(arn)[-1]]
    until(lambda: threading.active_count() <= before)
    return found


@calling
def left_when_a_neighbour_fails() -> Any:
    """Whether threads are left of a branch that waited when its neighbour failed."""
    tokens: list[str] = []
    before = threading.active_count()

    def fail_late(token: str) -> None:
        until(lambda: tokens)
        time.sleep(0.1)
        raise ValueError("boom")

    branches = [
        {"StartAt": "B", "States": {"B": waiting(tokens.append, TimeoutSeconds=4)}},
        {"StartAt": "C", "States": {"C": waiting(fail_late)}},
    ]
    arn = start({"StartAt": "A", "States": {"A": {"Type": "Parallel", "Branches": branches, "End": True}}})
    error = ended(arn)["error"]
    until(lambda: threading.active_count() <= before, 2.0)
    left = threading.active_count() > before
    until(lambda: threading.active_count() <= before)
    return [error, left]


def nesting(inner: str, **more: Any) -> dict[str, Any]:
    """A machine that runs another to its end."""
    resource = "arn:aws:states:::states:startExecution.sync:2"
    parameters = {"StateMachineArn": inner, "Input": {"a": 1}, "Name": "nested"}
    return {
        "StartAt": "A",
        "States": {"A": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **more}},
    }


@probe
def nested_execution() -> Any:
    """Whether a state goes on as soon as the execution it has started ends."""
    sfn = client("stepfunctions")
    wait = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "End": True}}}
    described = ended(start(nesting(machine(wait))))
    if "error" in described:
        return described["error"]
    inner = sfn.describe_execution(executionArn=json.loads(described["output"])["ExecutionArn"])
    return "at once" if (described["stopDate"] - inner["stopDate"]).total_seconds() < 0.3 else "late"


@probe
def stopped_with_its_nested_execution() -> Any:
    """What becomes of a nested execution when the one that has started it is stopped, or its state has timed out."""
    sfn = client("stepfunctions")

    def nested(inner: str, **filters: Any) -> list[str]:
        return [each["status"] for each in sfn.list_executions(stateMachineArn=inner, **filters)["executions"]]

    def stopped(*, by_its_time_out: bool) -> str:
        inner = machine(WAIT)
        arn = start(nesting(inner, **({"TimeoutSeconds": 3} if by_its_time_out else {})))
        until(lambda: nested(inner) or sfn.describe_execution(executionArn=arn)["status"] != "RUNNING")
        if not by_its_time_out:
            sfn.stop_execution(executionArn=arn)
        described = ended(arn)
        until(lambda: not nested(inner, statusFilter="RUNNING"))
        return f"{described.get('error') or described['status']}: {nested(inner)}"

    return [stopped(by_its_time_out=False), stopped(by_its_time_out=True)]


@calling
def failing_function() -> Any:
    """Error and message of a task whose function raises instead of answering (right in stock moto; kept right)."""

    def boom(token: str) -> None:
        raise ValueError("boom")

    described = ended(start({"StartAt": "A", "States": {"A": waiting(boom)}}))
    return [described["error"], json.loads(described["cause"])["errorMessage"]]


@calling
def waiting_costs() -> str:
    """What a task that waits takes of the processor (nothing in stock moto; kept so)."""
    tokens: list[str] = []
    arn = start({"StartAt": "A", "States": {"A": waiting(tokens.append)}})
    until(lambda: tokens)
    time.sleep(0.2)
    before = time.process_time()
    time.sleep(0.5)
    used = time.process_time() - before
    answer(tokens[0])
    ended(arn)
    return "nothing" if used < 0.05 else f"{used:.2f} s in half a second"


@calling
def unknown_token() -> Any:
    """An answer to a token that never was (right in stock moto; kept right)."""
    return [answer("none"), answer("none", "Bad")]
