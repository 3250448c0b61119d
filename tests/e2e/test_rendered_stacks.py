"""Rendered templates as stacks: transformed as AWS does, created by CloudFormation, executed on what came out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from solidstate.handler.entry import make_handler
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.deployed import Place, find_deployed
from solidstate.infra.local_aws import LocalAws, local_aws
from solidstate.infra.local_lambda import LambdaContext
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan
from solidstate.storage.files import open_memory
from solidstate.storage.s3 import S3Store, s3_client
from solidstate.storage.task_tokens import StepFunctionsTokens
from tests.infra import templates

pytestmark = pytest.mark.slow  # each translates a template, makes a stack and runs it

BUCKET = "the-data-bucket"
ARTIFACTS = "artifacts"


class Functions:
    """Runs steps, and remembers which function was called for which step."""

    def __init__(self) -> None:
        self.handler: Any = None
        self.called: dict[str, str] = {}

    def __call__(self, name: str, event: dict[str, Any], context: LambdaContext) -> Any:
        if event["kind"] == "step":
            self.called[event["step"]] = name
        return self.handler(event, context)


def deploy(aws: LocalAws, name: str, definition: PipelineDefinition) -> dict[str, str]:
    """Create the stack, with what `sam package` uploads beside it; gives its outputs."""
    aws.create_bucket(ARTIFACTS)
    compiled = compile_plan(build_plan(definition))
    files = {f"{definition.name}.{part.name}.asl.json": part.definition for part in compiled.parts}
    files[f"{definition.name}.asl.json"] = compiled.definition
    template = templates.translated(templates.rendered(name))
    machines = {machine.id: machine.definition for machine in templates.stack(name).pipelines[0].machines}
    for logical_id, body in template["Resources"].items():
        if body["Type"] == "AWS::Lambda::Function":
            body["Properties"]["Code"] = {"ZipFile": "the invoker is what runs"}
        elif body["Type"] == "AWS::StepFunctions::StateMachine":
            file = machines[logical_id]
            aws.client("s3").put_object(Bucket=ARTIFACTS, Key=file, Body=files[file])
            body["Properties"]["DefinitionS3Location"] = {"Bucket": ARTIFACTS, "Key": file}
    given = {"DataBucket": BUCKET, **dict.fromkeys(templates.stack(name).placeholders, "arn:aws:x:y:1:z")}
    formation = aws.client("cloudformation")
    formation.create_stack(
        StackName="stack",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    (stack,) = formation.describe_stacks(StackName="stack")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.mark.parametrize("name", ["shop", "letter_n", "mapped", "deep"])
def test_a_stack_runs_its_pipeline(name: str) -> None:
    """Groups in their functions, rendezvous, a distributed Map, nested executions: all find each other."""
    definition = templates.deep() if name == "deep" else getattr(templates, name)
    loaded = LoadedPipeline(definition, build_plan(definition))
    functions = Functions()
    with local_aws(functions) as aws:
        outputs = deploy(aws, name, definition)
        store = S3Store(s3_client(aws.endpoint_url, aws.region), outputs["DataBucket"])
        functions.handler = make_handler(
            Runtime([loaded], store, engine="aws", open_fs=open_memory, tokens=StepFunctionsTokens())
        )
        mode = {"mode": "test"} if name == "shop" else {}
        found = find_deployed(Place(stack="stack", region=aws.region, endpoint_url=aws.endpoint_url), Path())
        (machine,) = found.machines
        assert machine.arn.whole == outputs["StateMachineAlias"]
        assert found.store.location("x") == (BUCKET, "x")  # type: ignore[attr-defined]  # it is one of S3
        described = aws.wait(aws.start(machine.arn.whole, "run-1", mode), timeout_s=120)
        assert described["status"] == "SUCCEEDED", (described.get("error"), described.get("cause"))
    groups = {function.id: function.policy.group for function in templates.stack(name).pipelines[0].functions}
    ran = {step: called.split("-")[1] for step, called in functions.called.items()}
    assert {step: groups[function] for step, function in ran.items()} == {
        step.name: step.group for step in loaded.plan.steps
    }
