"""Histories of executions as the local AWS gives them, for what reads histories: kept in ``tests/golden/histories``.

``record`` makes them anew. Times and random ids differ from time to time; nothing that is read from them does.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from solidstate import Compute, DynamicOut, DynamicOutput, RetryPolicy, pipeline, solid
from solidstate.infra.local_aws import LocalAws
from solidstate.planner.contract import READY
from tests.stacks import Stack, deployed, out_of_memory, throttled, timed_out

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "golden" / "histories"
History = list[dict[str, Any]]
Histories = dict[str, History]
"""By the execution's ARN, the first one that of the execution that was started."""


@solid
def fine() -> int:
    return 1


@solid(retry=RetryPolicy(max_attempts=2), compute=Compute(timeout_s=3))
def endless(n: int) -> int:
    return n


@solid(compute=Compute(memory_mb=256))
def greedy(n: int) -> int:
    return n


@solid
def busy(n: int) -> int:
    return n


@solid
def broken(n: int) -> int:
    raise ValueError(f"cannot take {n}")


@solid
def after(n: int) -> int:
    return n


@pipeline
def killed() -> None:
    """Every way in which a step can end badly."""
    n = fine()
    after(endless(n))
    greedy(n)
    busy(n)
    broken(n)


@solid(outs={"result": DynamicOut(int, max_items=10)})
def few() -> Any:
    for n in range(3):
        yield DynamicOutput(n, f"k{n}")


@solid(outs={"result": DynamicOut(int, max_items=5_000)})
def thousands() -> Any:
    for n in range(3):
        yield DynamicOutput(n, f"k{n}")


@solid
def each(n: int) -> int:
    return n


@pipeline
def mapped() -> None:
    """One item of three is killed."""
    few().map(each)


@pipeline
def listed() -> None:
    """The same, in executions of their own."""
    thousands().map(each)


PIPELINES = [killed, mapped, listed]


def prepare(stack: Stack) -> None:
    """The faults that every recording has."""
    faults = stack.invoker
    faults.reset()
    faults.fail("endless", timed_out(), always=True)
    faults.fail("greedy", out_of_memory(), always=True)
    faults.fail("busy", throttled(), throttled())
    faults.fail("each", out_of_memory(), item="k1", always=True)


def record() -> dict[str, Histories]:
    """All of them, by name."""
    found: dict[str, Histories] = {}
    with deployed("recorded", PIPELINES) as stack:
        prepare(stack)
        for definition in PIPELINES:
            arn = stack.run(definition.name, {}, "run-1")["executionArn"]
            found[definition.name] = {arn: stack.aws.history(arn)}
        children = _children(stack.aws, found["listed"])
        found["listed"].update({arn: stack.aws.history(arn) for arn in children})
        refused = stack.run("killed", {"solid": {}}, "refused")["executionArn"]
        found["refused"] = {refused: stack.aws.history(refused)}
        stack.invoker.reset()
        stack.invoker.hold("greedy")
        arn = stack.begin("killed", {}, "running", "greedy")
        found["running"] = {arn: stack.aws.history(arn)}
        stack.invoker.reset()
        found.update(_by_hand(stack))
    return {name: _plain(histories) for name, histories in found.items()}


def _children(aws: LocalAws, histories: Histories) -> list[str]:
    (events,) = histories.values()
    (run,) = [one["mapRunStartedEventDetails"]["mapRunArn"] for one in events if one["type"] == "MapRunStarted"]
    page = aws.client("stepfunctions").list_executions(mapRunArn=run)
    return [one["executionArn"] for one in page["executions"]]


def _by_hand(stack: Stack) -> dict[str, Histories]:
    """What the compiler writes for large and for crossed graphs only: a nested execution, and a step that waits."""
    function = stack.aws.client("lambda").list_functions()["Functions"][0]["FunctionArn"]
    step = {"kind": "step", "step": "inner", "run": {"id": "r", "mode": "m"}, "retry.$": "$$.State.RetryCount"}
    task = {"Type": "Task", "Resource": function, "Parameters": step, "End": True}
    inner = stack.aws.create_machine("inner", json.dumps({"StartAt": "inner", "States": {"inner": task}}))
    outer = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": inner, "Input": {}},
        "End": True,
    }
    waiter = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {
            "FunctionName": function,
            "Payload": step | {"step": "parked", "token.$": "$$.Task.Token", "waits": ["other"]},
        },
        "Catch": [{"ErrorEquals": [READY], "ResultPath": None, "Next": "parked (after wait)"}],
        "End": True,
    }
    woken = task | {"Parameters": step | {"step": "parked", "woken": True}}
    stack.invoker.reset()
    stack.invoker.fail("inner", out_of_memory(), always=True)
    client = stack.aws.client("stepfunctions")

    def wake(event: dict[str, Any]) -> None:
        if event.get("token"):
            client.send_task_failure(taskToken=event["token"], error=READY, cause="woken")

    stack.invoker.faults.append(wake)
    stack.invoker.handler = lambda event, context: {"step": event["step"], "status": "success"}
    found: dict[str, Histories] = {}
    machines: dict[str, dict[str, Any]] = {
        "nested": {"StartAt": "part", "States": {"part": outer}},
        "parked": {"StartAt": "parked", "States": {"parked": waiter, "parked (after wait)": woken}},
    }
    for name, definition in machines.items():
        arn = stack.aws.start(stack.aws.create_machine(name, json.dumps(definition)), "run-1", {})
        stack.aws.wait(arn, timeout_s=30)
        found[name] = {arn: stack.aws.history(arn)}
    page = client.list_executions(stateMachineArn=inner)
    found["nested"].update({one["executionArn"]: stack.aws.history(one["executionArn"]) for one in page["executions"]})
    return found


def _plain(histories: Histories) -> Histories:
    """As JSON has it, without the folders of this machine."""
    text = msgspec.json.encode(histories, enc_hook=_text).decode().replace(str(ROOT), "/var/task")
    plain: Histories = json.loads(re.sub(r"/[^\" ]*?/(?=site-packages/|lib/python)", "/", text))
    return plain


def _text(value: Any) -> str:
    return str(value.isoformat())


def stored(name: str) -> Histories:
    """A history that was kept."""
    found: Histories = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def first(name: str) -> History:
    """That of the execution that was started."""
    return next(iter(stored(name).values()))


def stopped() -> History:
    """The one that was recorded while it ran, stopped: with the event that the service then writes."""
    events = first("running")
    details = {"error": "Cancelled", "cause": "enough"}
    last = {"id": events[-1]["id"] + 1, "previousEventId": 0, "type": "ExecutionAborted"}
    return [*events, last | {"timestamp": events[-1]["timestamp"], "executionAbortedEventDetails": details}]
