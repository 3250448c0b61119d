"""The compiled definition on an interpreter, with a handler that only takes notes: order, failures, retries, ends."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.awslambda.models import LambdaFunction

from solidstate.planner.compile import compile_plan, substitute
from solidstate.planner.graph import dag_of
from solidstate.planner.limits import MAX_NESTED_PARALLELS
from solidstate.planner.plan import ExecutionPlan, OutputRef, Retry, Step, StepInput, StepOutput
from tests.planner.test_shape import comb


def step(name: str, *upstream: str, retry: Retry | None = None) -> Step:
    """A step with one input per upstream step."""
    inputs = tuple(StepInput(f"in_{up}", "output", (OutputRef(up, "result"),)) for up in upstream)
    return Step(name, solid=name, inputs=inputs, outputs=(StepOutput("result"),), retry=retry)


def plan_of(*steps: Step) -> ExecutionPlan:
    """A plan of these steps."""
    return ExecutionPlan("demo", steps)


N_SHAPE = plan_of(step("a"), step("b"), step("c", "a"), step("d", "a", "b"))


class StepFailed(Exception):
    """Lambda reports the class name as the error name of the state."""


class RunRefused(Exception):
    """See StepFailed."""


class RunFailed(Exception):
    """See StepFailed."""


class Notes:
    """A handler that records when each step began and ended, and fails the steps it is told to."""

    def __init__(self, failures: dict[str, int]) -> None:
        self.failures = failures
        self.log: list[tuple[str, str]] = []
        self.retries: list[int] = []
        self._lock = threading.Lock()

        self.answer: Callable[[str, str], None] = lambda token, error: None
        self._ended: set[str] = set()
        self._parked: dict[str, tuple[str, set[str]]] = {}

    def note(self, what: str, step: str) -> None:
        """Record one moment."""
        with self._lock:
            self.log.append((what, step))

    def __call__(self, event: dict[str, Any]) -> object:
        """One invocation."""
        if event["kind"] == "start":
            assert set(event) == {"kind", "pipeline", "plan", "execution", "name", "input"}
            if event["input"].get("refuse"):
                raise RunRefused("`mode` must be one of `local`, but is `prod`.\n  fix: try `local`")
            return {"run": {"id": event["name"], "mode": "local"}}
        assert event["run"] == {"id": "run-1", "mode": "local"}
        if event["kind"] == "end":
            self.note("begin", "End run")
            failed = [name for name, times in self.failures.items() if times]
            if failed:
                raise RunFailed(f"failed: {', '.join(failed)}")
            return {"run": "run-1", "status": "success"}
        if event["kind"] == "ended" or self._run(event):
            self._has_ended(event["step"], event.get("wakes", []))
        return {"step": event["step"], "status": "success"}

    def _run(self, event: dict[str, Any]) -> bool:
        """Run a step, or park it; whether it was run."""
        token, waits = event.get("token", ""), set(event.get("waits", []))
        with self._lock:
            if token and not waits <= self._ended:
                self._parked[event["step"]] = token, waits
                return False
        self.note("begin", event["step"])
        self.retries.append(event["retry"])
        time.sleep(0.002)
        self.note("end", event["step"])
        if self.failures.get(event["step"], 0) > event["retry"]:
            raise StepFailed("no luck")
        if token:
            self.answer(token, "")
        return True

    def _has_ended(self, step: str, wakes: list[str]) -> None:
        with self._lock:
            self._ended.add(step)
            woken = [self._parked.pop(name) for name in wakes if name in self._parked and self._ready(name)]
        for token, _ in woken:
            self.answer(token, "Ready")

    def _ready(self, name: str) -> bool:
        return self._parked[name][1] <= self._ended


Run = Callable[[ExecutionPlan, Notes, dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Runs a compiled plan on the local interpreter and gives the description of the finished execution."""
    current: dict[str, Notes] = {}

    def invoke(_: object, body: Any, __: object, response_headers: dict[str, str]) -> bytes:
        try:
            return json.dumps(current["handler"](json.loads(body))).encode()
        except Exception as error:  # the function's error, handed back as data
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps(
                {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
            ).encode()

    patch = pytest.MonkeyPatch()
    patch.setattr(LambdaFunction, "invoke", invoke)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "testing")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    level = logging.getLogger("moto").level
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        role = boto3.client("iam").create_role(RoleName="steps", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        arn = boto3.client("lambda").create_function(
            FunctionName="steps", Runtime="python3.11", Role=role, Handler="a.b", Code={"ZipFile": b"zip"}
        )["FunctionArn"]
        client = boto3.client("stepfunctions")
        count = iter(range(1_000_000))

        def run_plan(plan: ExecutionPlan, handler: Notes, request: dict[str, Any]) -> dict[str, Any]:
            current["handler"] = handler

            def answer(token: str, error: str) -> None:
                if error:
                    client.send_task_failure(taskToken=token, error=error)
                else:
                    client.send_task_success(taskToken=token, output="{}")

            handler.answer = answer
            definition = substitute(compile_plan(plan).definition, arn).decode()
            machine = client.create_state_machine(name=f"m{next(count)}", definition=definition, roleArn=role)
            execution = client.start_execution(
                stateMachineArn=machine["stateMachineArn"], name="run-1", input=json.dumps(request)
            )["executionArn"]
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                found = client.describe_execution(executionArn=execution)
                if found["status"] != "RUNNING":
                    return dict(found)
                time.sleep(0.01)
            raise AssertionError("the execution did not end within 60 s")

        yield run_plan
    logging.getLogger("moto").setLevel(level)
    patch.undo()


def test_a_refused_request_fails_with_its_text(run: Run) -> None:
    """The cause of the failed execution is the message itself, and no step was called."""
    notes = Notes({})
    found = run(N_SHAPE, notes, {"refuse": True})
    assert (found["status"], found["error"]) == ("FAILED", "RunRefused")
    assert found["cause"] == "`mode` must be one of `local`, but is `prod`.\n  fix: try `local`"
    assert notes.log == []


def test_a_run_that_goes_well_answers_with_its_summary(run: Run) -> None:
    """The output of the execution is what End run said, and nothing else."""
    found = run(N_SHAPE, Notes({}), {})
    assert found["status"] == "SUCCEEDED"
    assert json.loads(found["output"]) == {"run": "run-1", "status": "success"}


def test_a_policy_repeats_a_failed_step(run: Run) -> None:
    """The second attempt is told that it is one, and its success is what counts."""
    plan = plan_of(step("a", retry=Retry(max_attempts=2)), step("b", "a"))
    notes = Notes({"a": 1})
    run(plan, notes, {})
    assert notes.retries == [0, 1, 0]
    assert [name for what, name in notes.log if what == "begin"] == ["a", "a", "b", "End run"]


@st.composite
def plans(draw: st.DrawFn) -> tuple[ExecutionPlan, frozenset[str]]:
    """Any small plan, and which of its steps fail."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 8))):
        known = [known.name for known in steps]
        upstream = draw(st.lists(st.sampled_from(known), unique=True, max_size=3)) if known else []
        steps.append(step(f"s{number}", *upstream))
    return plan_of(*steps), draw(st.frozensets(st.sampled_from([made.name for made in steps])))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=plans())
def test_every_step_runs_once_after_its_upstream_whatever_fails(
    run: Run, case: tuple[ExecutionPlan, frozenset[str]]
) -> None:
    """Failures are caught, all others go on, and End run comes last and decides how the execution ends."""
    plan, failing = case
    notes = Notes(dict.fromkeys(sorted(failing), 1))
    found = run(plan, notes, {})
    begun = [name for what, name in notes.log if what == "begin"]
    assert sorted(begun) == sorted([*(made.name for made in plan.steps), "End run"])
    assert notes.log[-1] == ("begin", "End run")
    for made in plan.steps:
        for upstream in made.upstream():
            assert notes.log.index(("end", upstream)) < notes.log.index(("begin", made.name))
    assert found["status"] == ("FAILED" if failing else "SUCCEEDED")
    if failing:
        assert (found["error"], found["cause"]) == ("RunFailed", f"failed: {', '.join(sorted(failing))}")


def test_as_deep_as_machines_are_nested(run: Run) -> None:
    """What is deeper than this becomes a nested execution; so deep the interpreter goes."""
    names, edges = comb(MAX_NESTED_PARALLELS + 1)
    before = {name: [a for a, b in edges if b == name] for name in names}
    plan = plan_of(*(step(name, *before[name]) for name in dag_of(names, edges).names))
    assert compile_plan(plan).definition.count(b'"Parallel"') == MAX_NESTED_PARALLELS
    assert run(plan, Notes({}), {})["status"] == "SUCCEEDED"
