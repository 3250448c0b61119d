"""The local AWS runs state machines for real, on loopback only, and leaves the process as it found it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from solidstate.errors import EngineError
from solidstate.infra.local_aws import LocalAws, local_aws
from solidstate.infra.local_lambda import LambdaContext

ROOT = Path(__file__).parents[2]
SCRIPT_ENV = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
MET = threading.Barrier(3, timeout=10)
BLOCKED, UNBLOCK = threading.Event(), threading.Event()


class TryAgain(Exception):
    """What the flaky function raises."""


class Flaky:
    """A function that fails as often as its event says, then answers with its number of calls."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}

    def __call__(self, event: Any) -> Any:
        self.calls[event["key"]] = self.calls.get(event["key"], 0) + 1
        if self.calls[event["key"]] <= event["failures"]:
            raise TryAgain(f"call {self.calls[event['key']]}")
        return {"calls": self.calls[event["key"]]}


FLAKY = Flaky()


def write_once(event: Any) -> Any:
    """A step as ours are: one conditional write, one read."""
    session: Any = boto3.session.Session()
    s3 = session.client("s3")
    s3.put_object(Bucket="data", Key=event["key"], Body=b"written", IfNoneMatch="*")
    return {"read": s3.get_object(Bucket="data", Key=event["key"])["Body"].read().decode()}


def block(event: Any) -> Any:
    """Run until the test lets go."""
    BLOCKED.set()
    UNBLOCK.wait(20)


HANDLERS: dict[str, Callable[[Any], Any]] = {
    "echo": lambda event: event,
    "flaky": FLAKY,
    "meet": lambda event: MET.wait(),
    "write": write_once,
    "block": block,
    "sleep": lambda event: time.sleep(1.5),
}


def invoke(name: str, event: Any, context: LambdaContext) -> Any:
    """The invoker of these tests: one handler a function."""
    return HANDLERS[name](event)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """One local AWS for the tests that only use it."""
    with local_aws(invoke) as opened:
        opened.create_bucket("data")
        for name in HANDLERS:
            opened.create_function(name, timeout_s=1 if name == "sleep" else 30, memory_mb=128)
        yield opened


def arn(function: str) -> str:
    """A function's ARN."""
    return f"arn:aws:lambda:us-east-1:123456789012:function:{function}"


def task(function: str, **rest: Any) -> dict[str, Any]:
    """A state that invokes the function and ends."""
    return {"Type": "Task", "Resource": arn(function), "End": True, **rest}


def ran(aws: LocalAws, name: str, states: dict[str, Any], document: Any = None) -> dict[str, Any]:
    """Create the machine, start it at its first state and wait."""
    machine = aws.create_machine(name, json.dumps({"StartAt": next(iter(states)), "States": states}))
    return aws.wait(aws.start(machine, "run", document or {}), poll_s=0.01, timeout_s=30)


def test_machine_invokes_the_function(aws: LocalAws) -> None:
    """Input goes in, the function's answer comes out."""
    described = ran(aws, "echo", {"A": task("echo")}, {"a": [1, None]})
    assert (described["status"], described["output"]) == ("SUCCEEDED", '{"a": [1, null]}')


def test_input_may_be_json_text(aws: LocalAws) -> None:
    """Text is the document itself, as in the console."""
    machine = aws.create_machine("text-input", json.dumps({"StartAt": "A", "States": {"A": task("echo")}}))
    assert aws.wait(aws.start(machine, None, '{"a": 1}'))["output"] == '{"a": 1}'


def test_retry_matches_the_exception_name(aws: LocalAws) -> None:
    """A Retry on the exception's class name runs the function again."""
    retry = [{"ErrorEquals": ["TryAgain"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    described = ran(aws, "retry", {"A": task("flaky", Retry=retry)}, {"key": "retried", "failures": 1})
    assert (described["status"], described["output"]) == ("SUCCEEDED", '{"calls": 2}')


def test_error_and_cause_are_the_functions(aws: LocalAws) -> None:
    """Without Retry the execution fails under the exception's name, with the runtime's document as cause."""
    described = ran(aws, "fail", {"A": task("flaky")}, {"key": "failed", "failures": 1})
    assert (described["status"], described["error"]) == ("FAILED", "TryAgain")
    assert json.loads(described["cause"])["errorMessage"] == "call 1"


def test_catch_matches_the_timeout(aws: LocalAws) -> None:
    """A function's time-out is the error Sandbox.Timedout."""
    catch = [{"ErrorEquals": ["Sandbox.Timedout"], "ResultPath": None, "Next": "B"}]
    states = {"A": task("sleep", Catch=catch), "B": {"Type": "Pass", "Result": "caught", "End": True}}
    assert ran(aws, "timeout", states)["output"] == '"caught"'


def test_branches_run_at_the_same_time(aws: LocalAws) -> None:
    """Three branches whose functions wait for each other all return."""
    branches = [{"StartAt": name, "States": {name: task("meet")}} for name in "abc"]
    described = ran(aws, "parallel", {"A": {"Type": "Parallel", "Branches": branches, "End": True}})
    assert sorted(json.loads(described["output"])) == [0, 1, 2]


def test_steps_write_with_boto3(aws: LocalAws) -> None:
    """A function's own clients reach the local bucket, and a conditional write is refused the second time."""
    assert ran(aws, "write-1", {"A": task("write")}, {"key": "k"})["output"] == '{"read": "written"}'
    described = ran(aws, "write-2", {"A": task("write")}, {"key": "k"})
    assert (described["status"], described["error"]) == ("FAILED", "ClientError")
    assert "(PreconditionFailed)" in described["cause"]


def test_stopping_aborts_with_error_and_cause(aws: LocalAws) -> None:
    """A stopped execution is ABORTED for the reason given, even while its function runs."""
    BLOCKED.clear()
    UNBLOCK.clear()
    machine = aws.create_machine("stop", json.dumps({"StartAt": "A", "States": {"A": task("block")}}))
    execution = aws.start(machine, "run", {})
    assert BLOCKED.wait(10)
    aws.stop(execution, "Interrupted", "Ctrl-C")
    described = aws.wait(execution, timeout_s=10)
    UNBLOCK.set()
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Interrupted", "Ctrl-C")


def test_history_is_complete_and_in_order(aws: LocalAws) -> None:
    """All events, over several pages of the API."""
    states: dict[str, Any] = {f"s{i}": {"Type": "Pass", "Next": f"s{i + 1}"} for i in range(600)}
    states["s600"] = {"Type": "Pass", "End": True}
    machine = aws.create_machine("long", json.dumps({"StartAt": "s0", "States": states}))
    execution = aws.start(machine, None, {})
    aws.wait(execution)
    events = aws.history(execution)
    assert [event["id"] for event in events] == list(range(1, 2 * 601 + 3))
    assert (events[0]["type"], events[-1]["type"]) == ("ExecutionStarted", "ExecutionSucceeded")


def test_wait_ticks_and_gives_up(aws: LocalAws) -> None:
    """The observer is called while waiting; waiting is bounded when asked."""
    ticks: list[float] = []
    wait = {"Type": "Wait", "Seconds": 60, "End": True}
    machine = aws.create_machine("slow", json.dumps({"StartAt": "A", "States": {"A": wait}}))
    execution = aws.start(machine, "run", {})
    with pytest.raises(EngineError) as caught:
        aws.wait(execution, poll_s=0.01, on_tick=lambda: ticks.append(time.monotonic()), timeout_s=0.2)
    text = f"The execution `{execution}` was expected to end within 0.2 s, but it still runs."
    assert (str(caught.value), len(ticks) > 2) == (text, True)


def test_definition_that_does_not_parse_is_refused(aws: LocalAws) -> None:
    """The parser's message is in the error."""
    with pytest.raises(EngineError, match=r"The definition of the state machine `broken` was not accepted: .*line 1:"):
        aws.create_machine("broken", '{"StartAt": 1}')


def test_client_made_earlier_stays_local(aws: LocalAws, recwarn: pytest.WarningsRecorder) -> None:
    """A client that points at the real AWS, made before the opening, is answered locally and sends nothing out."""
    session: Any = boto3.session.Session()
    early = session.client("s3", region_name="us-east-1", endpoint_url="https://s3.us-east-1.amazonaws.com")
    early.put_object(Bucket="data", Key="early", Body=b"1")
    assert aws.client("s3").get_object(Bucket="data", Key="early")["Body"].read() == b"1"


def test_subprocess_reaches_the_same_bucket(aws: LocalAws) -> None:
    """The environment alone leads a subprocess to the endpoint."""
    code = "import boto3; boto3.client('s3').put_object(Bucket='data', Key='sub', Body=b'process')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert aws.client("s3").get_object(Bucket="data", Key="sub")["Body"].read() == b"process"


def test_s3fs_reaches_the_same_bucket(aws: LocalAws) -> None:
    """The file system of a step's context works with no argument."""
    s3fs = pytest.importorskip("s3fs")
    files = s3fs.S3FileSystem(skip_instance_cache=True)
    files.pipe("data/fs", b"system")
    assert aws.client("s3").get_object(Bucket="data", Key="fs")["Body"].read() == b"system"
    assert files.cat("data/fs") == b"system"


def listeners() -> set[tuple[str, int]]:
    """(address, port) of every TCP socket this process listens on."""
    mine: set[str] = set()
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed since it was listed
            mine.add(str(path.readlink()))
    found: set[tuple[str, int]] = set()
    for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            address, port = fields[1].split(":")
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in mine:
                words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
                found.add((socket.inet_ntop(family, b"".join(words)), int(port, 16)))
    return found


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads Linux's socket table")
def test_listens_on_loopback_only() -> None:
    """One socket listens, on 127.0.0.1 and the endpoint's port. In a process of its own: other tests have servers."""
    script = (
        "from solidstate.infra.local_aws import local_aws\n"
        "from tests.infra.test_local_aws import listeners\n"
        "with local_aws(lambda *_: None) as aws:\n"
        "    print(aws.endpoint_url.rpartition(':')[2], sorted(listeners()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **SCRIPT_ENV}, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    port, _, found = done.stdout.strip().partition(" ")
    assert found == f"[('127.0.0.1', {port})]"


def test_second_opening_is_refused(aws: LocalAws) -> None:
    """One local AWS at a time in a process."""
    with pytest.raises(EngineError) as caught, local_aws(invoke):
        pass
    assert caught.value.problem == "A local AWS is already open in this process; one at a time is expected."
