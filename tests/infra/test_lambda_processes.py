"""Many environments: reuse, limits of steps, crashes between invocations, the end."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from solidstate.infra.lambda_processes import LambdaProcesses, Limits, default_environments
from solidstate.infra.local_aws import LocalAws, local_aws
from solidstate.infra.local_lambda import FunctionFailed
from tests.infra.functions import context, is_gone, sandbox, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client runs on Linux")


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[LambdaProcesses]:
    """At most three at a time; the step `small` has 128 MB, `quick` half a second."""
    with LambdaProcesses(
        sandbox(tmp_path),
        largest=Limits(20, 512),
        of_step={"small": Limits(20, 128), "quick": Limits(1, 512)},
        folder=tmp_path / "tmp",
        logs=tmp_path / "logs",
        environments=3,
    ) as made:
        yield made


def call(processes: LambdaProcesses, do: str, step: str = "", **event: Any) -> Any:
    document = {"do": do, **event, **({"kind": "step", "step": step} if step else {})}
    return json.loads(processes("f", document, context()))


def failure(processes: LambdaProcesses, do: str, step: str = "", **event: Any) -> str:
    """The type of the error it fails with."""
    with pytest.raises(FunctionFailed) as caught:
        call(processes, do, step, **event)
    return str(json.loads(caught.value.payload)["errorType"])


def test_the_one_used_last_is_used_again(processes: LambdaProcesses) -> None:
    """A second one starts only for an invocation at the same time."""
    first = call(processes, "facts")["pid"]
    assert call(processes, "facts")["pid"] == first
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: call(processes, "sleep", seconds=0.4), range(2)))
    assert (both, processes.started) == ([0.4, 0.4], 2)
    assert call(processes, "facts")["pid"] == call(processes, "facts")["pid"]


def test_no_more_run_at_a_time_than_asked_for(processes: LambdaProcesses) -> None:
    """The others wait, and their time limit with them."""
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda _: call(processes, "sleep", "quick", seconds=0.7), range(6))) == [0.7] * 6
    assert processes.started == 3


def test_a_step_has_its_own_limits(processes: LambdaProcesses) -> None:
    """And an environment with that much memory, as a function of its own would have."""
    assert call(processes, "facts", "small")["environment"]["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert call(processes, "facts")["environment"]["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert failure(processes, "sleep", "quick", seconds=5) == "Sandbox.Timedout"
    assert call(processes, "grow", mb=200) == 200 << 20


def test_too_much_memory_is_noticed_while_the_step_runs(processes: LambdaProcesses) -> None:
    """At once, of children too."""
    began = time.monotonic()
    assert failure(processes, "grow", "small", mb=200, seconds=10) == "Runtime.ExitError"
    assert failure(processes, "grow_in_child", "small", mb=200) == "Runtime.ExitError"
    assert time.monotonic() - began < 8


def test_an_environment_that_died_idle_is_replaced(processes: LambdaProcesses) -> None:
    """Nobody hears of it."""
    pid = call(processes, "facts")["pid"]
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: processes.pids == {})
    assert call(processes, "facts")["pid"] != pid


def test_each_environment_has_a_name_and_a_log(processes: LambdaProcesses, tmp_path: Path) -> None:
    """As CloudWatch has a stream for each."""
    processes.variables = {"AWS_REGION": "eu-west-1"}
    found = call(processes, "facts")["environment"]
    names = ("AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME")
    assert [found[name] for name in names] == ["eu-west-1", "f", "/aws/lambda/f", "001"]
    assert (tmp_path / "logs" / "001.log").exists()


def test_whoever_watches_is_told_before_and_after(processes: LambdaProcesses) -> None:
    """After a failure too."""
    seen: list[str] = []
    processes.before = lambda event: seen.append(f"before {event['do']}")
    processes.after = lambda event: seen.append(f"after {event['do']}")
    call(processes, "facts")
    failure(processes, "fail")
    assert seen == ["before facts", "after facts", "before fail", "after fail"]


def test_closing_ends_what_runs(processes: LambdaProcesses) -> None:
    """An invocation under way fails, and none begins any more."""
    errors: list[str] = []
    thread = threading.Thread(target=lambda: errors.append(failure(processes, "sleep", seconds=30)))
    thread.start()
    assert until(lambda: True in processes.pids.values())
    pids = list(processes.pids)
    time.sleep(0.2)
    processes.close()
    thread.join(5)
    assert errors == ["Runtime.ExitError"]
    assert all(is_gone(pid) for pid in pids)
    assert failure(processes, "facts") == "Runtime.ExitError"


def test_there_are_never_fewer_than_four() -> None:
    """Branches of a pipeline should meet in time."""
    assert default_environments() >= 4


@pytest.fixture
def aws(processes: LambdaProcesses) -> Iterator[LocalAws]:
    """A local AWS whose functions are these processes."""
    with local_aws(processes, timed=False) as opened:
        opened.create_function("f", timeout_s=1, memory_mb=512)
        yield opened


@pytest.mark.parametrize(
    ("event", "error", "kind"),
    [
        ({"do": "facts"}, None, None),
        ({"do": "fail"}, "Unhandled", "OutOfStock"),
        ({"do": "leave", "status": 1}, "Unhandled", "Runtime.ExitError"),
        ({"do": "sleep", "seconds": 9, "kind": "step", "step": "quick"}, "Unhandled", "Sandbox.Timedout"),
    ],
)
def test_moto_s_functions_run_in_processes(aws: LocalAws, event: Any, error: str | None, kind: str | None) -> None:
    """Whoever invokes one gets what the process answered, as it is; moto's own clock does not run."""
    answer = aws.client("lambda").invoke(FunctionName="f", Payload=json.dumps(event))
    document = json.loads(answer["Payload"].read())
    assert (answer.get("FunctionError"), document.get("errorType")) == (error, kind)


def test_warm_invocations_are_quick(processes: LambdaProcesses) -> None:
    """A process that waits answers in milliseconds: of fifty answers the quickest, whatever else the machine does."""
    call(processes, "facts")
    spent = []
    for _ in range(50):
        began = time.perf_counter()
        call(processes, "speak")
        spent.append(time.perf_counter() - began)
    assert min(spent) < 0.05
