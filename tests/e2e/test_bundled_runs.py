"""Runs on the built bundle, in processes of AWS's own runtime client: end to end, over limits, killed at random."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from solidstate.events import RunStart, StepStart, StepSuccess, kind_of
from solidstate.infra.bundle_build import build_bundle
from solidstate.infra.bundle_recipe import recipe_for
from solidstate.infra.bundle_settings import Choices, local_runtime
from solidstate.infra.home import Home
from solidstate.infra.lambda_environment import Environment
from solidstate.infra.local_run import run_local
from solidstate.load import load_pipeline
from solidstate.storage.history import events_of
from solidstate.storage.records import RunSummary
from tests.infra.bundles import offline_packages, project
from tests.infra.functions import is_gone, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client runs on Linux"),
]

STEPS, KILLS = 40, 18

SOURCE = """
    import os
    import sys
    import time

    from solidstate import Compute, Output, RetryPolicy, pipeline, solid


    @solid
    def words() -> list[str]:
        return "the quick brown fox".split()


    @solid
    def count(context, words: list[str]) -> int:
        context.log.info("counting", words=len(words))
        context.fs.pipe_file("solidstate-local/files/count.txt", str(len(words)).encode())
        return len(words)


    @solid
    def large(count: int) -> bytes:
        return b"x" * (300 * 1024 * count)


    @solid
    def where(large: bytes) -> list[str]:
        return [str(len(large)), sys.executable, os.environ["LAMBDA_TASK_ROOT"], str(os.getpid())]


    @pipeline
    def healthy():
        where(large(count(words())))


    @solid(compute=Compute(timeout_s=1))
    def endless() -> None:
        time.sleep(30)


    @solid(compute=Compute(memory_mb=128))
    def greedy() -> int:
        data = bytearray(300 << 20)
        data[::4096] = b"x" * len(data[::4096])
        return len(data)


    @solid
    def leaves() -> None:
        os._exit(7)


    @solid
    def writes() -> None:
        open("here.txt", "w")


    @solid
    def imports() -> None:
        import pytest


    @solid
    def fine() -> int:
        return 1


    @pipeline
    def ill():
        endless()
        greedy()
        leaves()
        writes()
        imports()
        fine()


    @solid(retry=RetryPolicy(max_attempts=2, delay_s=1))
    def add(numbers: list[int]) -> int:
        time.sleep(0.15)
        return sum(numbers) + 1


    @solid(retry=RetryPolicy(max_attempts=2, delay_s=1))
    def begin() -> int:
        time.sleep(0.15)
        return 1


    @pipeline
    def forty():
        # Five rows of eight, each step fed by two of the row before: no nesting of branches has this shape.
        row = [begin.alias(f"r0_{column}")() for column in range(8)]
        for number in range(1, 5):
            row = [add.alias(f"r{number}_{column}")([row[column], row[column - 1]]) for column in range(8)]
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from packages of this environment."""
    folder = tmp_path_factory.mktemp("bundled")
    target = project(folder, SOURCE, "bundled_flows.py")
    with offline_packages(folder / "packages"):
        return build_bundle(recipe_for([target], Choices(runtime=local_runtime())), folder / "lambda").folder


@pytest.fixture(autouse=True)
def _no_process_left() -> Iterator[None]:
    """Everything ends when a run ends."""
    yield
    mine = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    children = [int(pid) for path in mine for pid in path.read_text().split()]
    left = [pid for pid in children if not is_gone(pid) and b"lambda_bootstrap" in command_line(pid)]
    assert left == []


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def run(bundle: Path, name: str, home: Home, observed: list[Any] | None = None) -> RunSummary:
    pipeline = load_pipeline(f"{bundle.parent / 'bundled_flows.py'}:{name}")
    observer = observed.append if observed is not None else None
    return run_local(pipeline, {}, engine="moto", home=home, run_id="r", bundle=bundle, observer=observer)


def output(home: Home, summary: RunSummary, step: str) -> Any:
    from solidstate.handler.runtime import LoadedPipeline
    from solidstate.infra.results import PipelineResult
    from solidstate.planner.build import build_plan

    pipeline = next(
        value for value in vars(sys.modules["bundled_flows"]).values() if getattr(value, "name", "") == summary.pipeline
    )
    return PipelineResult(LoadedPipeline(pipeline, build_plan(pipeline)), home.store, summary).output(step)


def test_a_pipeline_runs_on_the_bundle(bundle: Path, tmp_path: Path) -> None:
    """Values large and small, ``context.fs``, logs, live progress: as in this process, from files of the bundle."""
    home = Home(tmp_path)
    seen: list[Any] = []
    summary = run(bundle, "healthy", home, seen)
    assert {step.step: step.status for step in summary.steps} == dict.fromkeys(
        ("words", "count", "large", "where"), "success"
    )
    size, python, root, pid = output(home, summary, "where")
    assert (size, python, root) == (str(4 * 300 * 1024), sys.executable, str(bundle))
    assert int(pid) != os.getpid()
    kinds = [kind_of(event) for event in seen if event.step == "count"]
    assert (kinds[0], kinds[-1], kinds.count("step_start")) == ("step_start", "step_success", 1)
    assert isinstance(seen[0], RunStart)
    lines = [json.loads(text) for text in home.log("r").read_text().splitlines()]
    assert [line["message"] for line in lines if line["step"] == "count"] == [
        "step started",
        "counting",
        "step succeeded",
    ]
    streams = list((home.execution("r") / "lambda").glob("*.log"))
    assert "REPORT RequestId:" in streams[0].read_text()


def test_limits_and_deaths_are_reported_as_lambda_does(bundle: Path, tmp_path: Path) -> None:
    """Each fails its own step; the others go on."""
    home = Home(tmp_path)
    summary = run(bundle, "ill", home)
    assert summary.status == "failed"
    statuses = {step.step: step.status for step in summary.steps}
    assert statuses["fine"] == "success"
    assert "success" not in {status for step, status in statuses.items() if step != "fine"}
    errors = {step.step: f"{step.error.type}: {step.error.message}" for step in summary.steps if step.error is not None}
    assert errors["writes"] == f"OSError: [Errno 30] Read-only file system: '{bundle}/here.txt'"
    assert errors["imports"] == "ModuleNotFoundError: No module named 'pytest'"
    (writes,) = [step.error for step in summary.steps if step.step == "writes"]
    assert writes is not None
    assert writes.place is not None
    assert writes.place.file == f"{bundle}/bundled_flows.py"
    history = json.loads((home.execution("r") / "history.json").read_text())
    failed = [event["lambdaFunctionFailedEventDetails"] for event in history if event["type"] == "LambdaFunctionFailed"]
    reasons = Counter(
        (one["error"], json.loads(one["cause"])["errorMessage"].partition("Error: ")[2]) for one in failed
    )
    assert {reason for reason in reasons if reason[0].startswith(("Sandbox", "Runtime"))} == {
        ("Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ("Runtime.ExitError", "Runtime exited with error: signal: killed"),
        ("Runtime.ExitError", "Runtime exited with error: exit status 7"),
    }


class Killer:
    """Sends SIGKILL to the processes of chosen steps, once each, at a random moment of their first attempt, or just
    after it has answered."""

    def __init__(self, victims: set[str], chance: random.Random) -> None:
        self.victims = victims
        self.killed: list[str] = []
        self._chance = chance
        self._lock = threading.Lock()
        self._invoke = Environment.invoke

    def invoke(self, environment: Environment, body: bytes, context: Any, timeout_s: float) -> Any:
        event = json.loads(body)
        name = event.get("step", "") if event.get("kind") == "step" and not event.get("retry") else ""
        with self._lock:
            chosen = name in self.victims
            self.victims.discard(name)
            delay = self._chance.uniform(0, 0.2)
        if not chosen:
            return self._invoke(environment, body, context, timeout_s)
        timer = threading.Timer(delay, self._kill, (environment.pid, name))
        timer.start()
        try:
            return self._invoke(environment, body, context, timeout_s)
        finally:
            timer.join()  # before it is used for another step

    def _kill(self, pid: int, name: str) -> None:
        with self._lock:
            self.killed.append(name)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        until(lambda: is_gone(pid))


def killing(killer: Killer) -> Callable[..., Any]:
    """A method: a bound one would not be given the environment."""

    def invoke(self: Environment, body: bytes, context: Any, timeout_s: float) -> Any:
        return killer.invoke(self, body, context, timeout_s)

    return invoke


def test_a_run_survives_random_kills(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of forty steps, eighteen lose their process: the run completes, each step with one result, and a right one."""
    chance = random.Random(int(os.environ.get("SOLIDSTATE_TEST_SEED", "20261128")))
    names = [f"r{row}_{column}" for row in range(5) for column in range(8)]
    killer = Killer(set(chance.sample(names, KILLS)), chance)
    monkeypatch.setattr(Environment, "invoke", killing(killer))
    home = Home(tmp_path)
    summary = run(bundle, "forty", home)
    assert len(killer.killed) == KILLS
    assert {step.step: (step.status, step.reason) for step in summary.steps if step.status != "success"} == {}
    assert (summary.status, len(summary.steps)) == ("success", STEPS)
    events = list(events_of(home.store, summary))
    done = Counter(event.step for event in events if isinstance(event, StepSuccess))
    assert done == dict.fromkeys(names, 1)
    commits = [info.key for info in home.store.list("v1/commits/forty/")]
    assert len(commits) == len(set(commits)) == STEPS
    assert [output(home, summary, f"r{row}_0") for row in range(5)] == [1, 3, 7, 15, 31]
    attempts = Counter(event.step for event in events if isinstance(event, StepStart))
    again = sum(step.attempts > 1 for step in summary.steps)
    environments = len(list((home.execution("r") / "lambda").glob("*.log")))
    print(
        f"{STEPS} steps, {KILLS} processes killed: {again} steps repeated, {KILLS - again} had committed before, "
        f"{environments} environments, {sum(attempts.values())} attempts on record, {summary.duration_s:.1f} s"
    )
    assert again >= KILLS // 3
