"""A deployed pipeline on the local AWS: bucket, function, state machines, made by CloudFormation as a stack, and an
invoker that can be told to fail as Lambda does.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from solidstate.handler.entry import Handler, make_handler
from solidstate.handler.live_events import LiveEvents
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.local_aws import LocalAws, local_aws
from solidstate.infra.local_lambda import LambdaContext
from solidstate.infra.time_limits import StoreOfTheLiving, TimeLimited
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.compile import Compiled, compile_plan
from solidstate.storage.files import open_memory
from solidstate.storage.s3 import S3Store, s3_client

QUIET_S = 0.4
"""Without a new event for so long, nothing goes on that a test could wait for."""
Fault = Callable[[dict[str, Any]], None]
"""Looks at a payload and raises, waits, or lets it pass."""


def error(name: str, message: str) -> Exception:
    """What Lambda reports under that name."""
    made: Exception = type(name, (Exception,), {})(message)
    return made


def timed_out(seconds: int = 3) -> Exception:
    return error("Sandbox.Timedout", f"RequestId: 1-2 Error: Task timed out after {seconds}.00 seconds")


def out_of_memory() -> Exception:
    return error("Runtime.ExitError", "RequestId: 1-2 Error: Runtime exited with error: signal: killed")


def throttled() -> Exception:
    return error("Lambda.TooManyRequestsException", "Rate Exceeded.")


class Invoker:
    """Runs the handler, after the faults have had their say. ``release`` lets steps go that were told to wait."""

    def __init__(self) -> None:
        self.handler: Handler = _not_yet
        self.faults: list[Fault] = []
        self.release = threading.Event()

    def __call__(self, name: str, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        for fault in list(self.faults):
            fault(event)
        return self.handler(event, context)

    def fail(self, step: str, *errors: Exception, item: str | None = None, always: bool = False) -> None:
        """The first attempts of a step (or one item of it) end with these errors; or all of them with the last."""

        def fault(event: dict[str, Any]) -> None:
            if event.get("step") == step and event.get("kind") == "step" and event.get("item") == item:
                attempt = event.get("retry", 0)
                if attempt < len(errors) or always:
                    raise errors[min(attempt, len(errors) - 1)]

        self.faults.append(fault)

    def hold(self, *steps: str) -> None:
        """These steps wait until they are released."""

        def fault(event: dict[str, Any]) -> None:
            if event.get("step") in steps and event.get("kind") == "step":
                self.release.wait(60)

        self.faults.append(fault)

    def reset(self) -> None:
        self.release.set()
        self.faults, self.release = [], threading.Event()


class Stack:
    """What was deployed: a stack of a name, with a machine for each pipeline."""

    def __init__(self, aws: LocalAws, name: str, invoker: Invoker) -> None:
        self.aws = aws
        self.name = name
        self.invoker = invoker
        self.machines: dict[str, str] = {}

    @property
    def bucket(self) -> str:
        return f"{self.name}-data"

    @property
    def store(self) -> S3Store:
        return S3Store(s3_client(self.aws.endpoint_url, self.aws.region), self.bucket)

    def run(self, pipeline: str, document: Any, name: str | None = None) -> dict[str, Any]:
        """Start it, as the console does; gives the description of the execution that has ended."""
        return self.aws.wait(self.aws.start(self.machines[pipeline], name, document), timeout_s=60)

    def begin(self, pipeline: str, document: Any, name: str, until: str) -> str:
        """Start it; gives the execution's ARN when the step ``until`` is held up and nothing else goes on. An execution
        that is stopped while a branch is being started leaves a thread of moto's with an exception."""
        arn = self.aws.start(self.machines[pipeline], name, document)
        deadline, known, since = time.monotonic() + 30, 0, time.monotonic()
        while time.monotonic() < deadline:
            history = self.aws.history(arn)
            entered = [event.get("stateEnteredEventDetails", {}).get("name") for event in history]
            if len(history) != known:
                known, since = len(history), time.monotonic()
            elif until in entered and time.monotonic() - since > QUIET_S:
                return arn
            time.sleep(0.02)
        raise AssertionError(f"{until} was not entered, or others go on")


@contextmanager
def deployed(name: str, pipelines: Sequence[PipelineDefinition]) -> Iterator[Stack]:
    """Open a local AWS and deploy the pipelines into it."""
    invoker = Invoker()
    with local_aws(invoker) as aws:
        stack = Stack(aws, name, invoker)
        loaded = [LoadedPipeline(definition, build_plan(definition)) for definition in pipelines]
        template = stack_template(stack.bucket, {one.definition.name: compile_plan(one.plan) for one in loaded})
        aws.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
        limited = TimeLimited({step.name: step.compute.timeout_s for one in loaded for step in one.plan.steps})
        store = StoreOfTheLiving(stack.store)
        live = LiveEvents(store)
        limited.handler = make_handler(Runtime(loaded, store, engine="aws", open_fs=open_memory, live=live))

        def handle(event: dict[str, Any], context: Any, /) -> dict[str, Any]:
            return limited("steps", event, context)

        invoker.handler = handle
        for summary in aws.client("stepfunctions").list_state_machines()["stateMachines"]:
            stack.machines[summary["name"].removeprefix(f"{name}-")] = summary["stateMachineArn"]
        try:
            yield stack
        finally:
            invoker.reset()
            live.close()


def stack_template(bucket: str, compiled: dict[str, Compiled]) -> dict[str, Any]:
    """A template as the transform leaves it, cut down to what moto looks at."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": []}}}
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.12",
            "Handler": "solidstate.handler.entry.lambda_handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Timeout": 60,
            "MemorySize": 1024,
            "Code": {"ZipFile": "runs in the process of the test"},
            "Environment": {"Variables": {"SOLIDSTATE_BUCKET": {"Ref": "Data"}}},
        },
    }
    resources: dict[str, Any] = {
        "Data": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}},
        "Role": role,
        "StepFunction": function,
    }
    stack = bucket.removesuffix("-data")
    for name, one in compiled.items():
        parts = {f"{part.name}Arn": {"Ref": f"{name}{part.name}"} for part in one.parts}
        for title, definition in [(name, one.definition), *((f"{name}{p.name}", p.definition) for p in one.parts)]:
            resources[title] = {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "StateMachineName": f"{stack}-{title}",
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "DefinitionString": definition.decode(),
                    # One function does for all groups of steps.
                    "DefinitionSubstitutions": {
                        key: parts.get(key, {"Fn::GetAtt": ["StepFunction", "Arn"]})
                        for key in re.findall(r"\$\{(\w+Arn)\}", definition.decode())
                    },
                },
            }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def _not_yet(_: dict[str, Any], __: Any, /) -> dict[str, Any]:
    raise RuntimeError("no handler was set")
