"""The generated parts of a template, as text: parameters, conditions, resources, outputs of a stack."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from solidstate.infra.stack import FunctionSpec, MachineSpec, PipelineSpec, Stack
from solidstate.infra.template_bucket import REDRIVE_DAYS, bucket_resources
from solidstate.infra.template_policies import function_role, machine_role, map_run_policy, token_policy
from solidstate.infra.yaml_text import Note, Open, Tagged, get_att, ref, sub, yaml_text
from solidstate.planner.limits import MEMORY_MB

ALIAS = "live"
"""Machines call functions by this alias, which each deployment moves to the version it publishes."""
HANDLER = "solidstate.handler.entry.lambda_handler"
MACHINES = "build/machines"
"""Where ``solidstate build`` leaves the definitions."""
_LOG_DAYS = [1, 7, 14, 30, 60, 90, 180, 365, 731, 1827, 3653]
_FEW_STEPS = 6
"""So many steps are named in a description."""


def blocks_of(stack: Stack, written_by_hand: Collection[str] = ()) -> dict[str, str]:
    """The text of each section, indented by two. Parameters ``written_by_hand`` are left out."""
    return {
        "Parameters": yaml_text(_parameters(stack, written_by_hand), 2),
        "Conditions": yaml_text(_conditions(), 2),
        "Resources": yaml_text(_resources(stack), 2),
        "Outputs": yaml_text(_outputs(stack), 2),
    }


def _parameters(stack: Stack, written_by_hand: Collection[str]) -> dict[Any, Any]:
    low, high = MEMORY_MB
    parameters: dict[str, dict[Any, Any]] = {
        "Stage": _text("dev", "[a-z][a-z0-9-]{0,15}", "What this deployment is for. A tag on everything in it."),
        "Owner": _text("unknown", ".{1,128}", "Who answers for it. A tag on everything in it."),
        "DataBucket": Open(
            Type="String",
            AllowedPattern="[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
            Description="The S3 bucket for commits, intermediates and events. Bucket names are unique in the world.",
        ),
        "CreateDataBucket": Open(
            Type="String",
            Default="true",
            AllowedValues=["true", "false"],
            Description="Whether the stack creates the bucket. A bucket that is there already keeps its own settings.",
        ),
        "KmsKeyArn": _text(
            "", "(arn:.+)?", "A KMS key for the data bucket. Left empty, S3 encrypts with keys of its own."
        ),
        "RetentionDays": Open(
            Type="Number",
            Default=30,
            MinValue=REDRIVE_DAYS + 1,
            Description="How long intermediates are kept. Results of steps and the history of runs stay.",
        ),
        "LogRetentionDays": Open(
            Type="Number", Default=30, AllowedValues=_LOG_DAYS, Description="How long logs are kept."
        ),
        "MemorySize": Open(
            Type="Number",
            Default=stack.memory_mb,
            MinValue=low,
            MaxValue=high,
            Description="Memory in MiB of the functions whose steps ask for nothing else.",
        ),
    }
    for name, steps in stack.placeholders.items():
        parameters[name] = Open(Type="String", Description=f"What the permissions of {_few(steps)} leave open.")
    return {name: value for name, value in parameters.items() if name not in written_by_hand}


def _text(default: str, pattern: str, description: str) -> dict[Any, Any]:
    return Open(Type="String", Default=default, AllowedPattern=pattern, Description=description)


def _conditions() -> dict[Any, Any]:
    return {
        "CreateBucket": Tagged("Equals", [ref("CreateDataBucket"), "true"]),
        "UseKmsKey": Tagged("Not", [Tagged("Equals", [ref("KmsKeyArn"), ""])]),
    }


def _resources(stack: Stack) -> dict[Any, Any]:
    resources = bucket_resources(_tag_list())
    for pipeline in stack.pipelines:
        resources[Note("")] = None
        steps = f"{pipeline.steps} step{'' if pipeline.steps == 1 else 's'}"
        resources[Note(f"Pipeline {pipeline.name}: {steps}. {pipeline.description}".rstrip())] = None
        resources |= _of_pipeline(pipeline)
    return resources


def _of_pipeline(pipeline: PipelineSpec) -> dict[Any, Any]:
    found: list[tuple[str, dict[Any, Any]]] = []
    for function in pipeline.functions:
        found.append((function.id, _function(function, pipeline)))
        found.append((function.role, function_role(function)))
        found.append((function.logs, _logs(pipeline)))
    for machine in pipeline.machines:
        found.append((machine.id, _machine(machine, pipeline)))
        found.append((machine.role, machine_role(machine)))
        items = map_run_policy(machine)
        if items is not None:
            found.append((f"{machine.id}Items", items))
    found.append((pipeline.logs, _logs(pipeline, f"/aws/vendedlogs/states/${{AWS::StackName}}-{pipeline.name}")))
    tokens = token_policy(pipeline)
    if tokens is not None:
        found.append((f"{pipeline.machine.id}TaskTokens", tokens))
    resources: dict[Any, Any] = {}
    for number, (name, body) in enumerate(found):
        if number:
            resources[Note("")] = None
        resources[name] = body
    return resources


def _function(function: FunctionSpec, pipeline: PipelineSpec) -> dict[Any, Any]:
    steps = function.policy.steps
    own = "" if function.policy.group else "Begins and ends runs"
    runs = f"runs {_few(steps)}" if steps else ""
    told = "; ".join(part for part in (own, runs) if part)
    plain = not function.policy.group
    return Open(
        Type="AWS::Serverless::Function",
        Metadata={"BuildMethod": "makefile"},
        Properties=Open(
            Description=f"{told[:1].upper()}{told[1:]}"[:256],
            CodeUri=".",
            Handler=HANDLER,
            MemorySize=ref("MemorySize") if plain else function.compute.memory_mb,
            Timeout=function.compute.timeout_s,
            EphemeralStorage={"Size": function.compute.ephemeral_mb},
            Role=get_att(function.role, "Arn"),
            AutoPublishAlias=ALIAS,
            AutoPublishAliasAllProperties=True,
            Environment=Open(
                Variables=Open(
                    SOLIDSTATE_PIPELINES=function.target,
                    SOLIDSTATE_BUCKET=ref("DataBucket"),
                    SOLIDSTATE_RETENTION_DAYS=ref("RetentionDays"),
                    POWERTOOLS_SERVICE_NAME="solidstate",
                )
            ),
            LoggingConfig={"LogGroup": ref(function.logs)},
            Tags=_tags(pipeline),
        ),
    )


def _machine(machine: MachineSpec, pipeline: PipelineSpec) -> dict[Any, Any]:
    substitutions: dict[str, Any] = Open(
        {f"{group or 'Step'}FunctionArn": ref(f"{function}.Alias") for group, function in machine.functions.items()}
    )
    substitutions |= {f"{name}Arn": ref(part) for name, part in machine.parts.items()}
    destination = {"CloudWatchLogsLogGroup": {"LogGroupArn": get_att(pipeline.logs, "Arn")}}
    return Open(
        Type="AWS::Serverless::StateMachine",
        Properties=Open(
            Type="STANDARD",
            DefinitionUri=f"{MACHINES}/{machine.definition}",
            DefinitionSubstitutions=substitutions,
            Role=get_att(machine.role, "Arn"),
            AutoPublishAlias=ALIAS,
            Tracing={"Enabled": True},
            Logging=Open(Level="ERROR", IncludeExecutionData=False, Destinations=[destination]),
            Tags=_tags(pipeline),
        ),
    )


def _logs(pipeline: PipelineSpec, name: str = "") -> dict[Any, Any]:
    properties: dict[Any, Any] = Open()
    if name:
        properties["LogGroupName"] = sub(name)
    properties["RetentionInDays"] = ref("LogRetentionDays")
    properties["Tags"] = _tag_list(pipeline)
    return Open(Type="AWS::Logs::LogGroup", Properties=properties)


def _tags(pipeline: PipelineSpec) -> dict[str, Any]:
    return {"solidstate:pipeline": pipeline.name, "Stage": ref("Stage"), "Owner": ref("Owner")}


def _tag_list(pipeline: PipelineSpec | None = None) -> list[Any]:
    tags: dict[str, Any] = _tags(pipeline) if pipeline else {"Stage": ref("Stage"), "Owner": ref("Owner")}
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _outputs(stack: Stack) -> dict[Any, Any]:
    outputs: dict[str, Any] = {}
    for pipeline in stack.pipelines:
        machine = pipeline.machine.id
        prefix = "" if len(stack.pipelines) == 1 else machine
        outputs[f"{prefix}StateMachine"] = Open(
            Description=f"Start executions of this state machine to run {pipeline.name}.", Value=ref(machine)
        )
        outputs[f"{prefix}StateMachineAlias"] = Open(
            Description="The same, in the version of the last deployment.", Value=ref(f"{machine}Alias{ALIAS}")
        )
    outputs["DataBucket"] = Open(Description="Commits, intermediates and events.", Value=ref("DataBucket"))
    return outputs


def _few(steps: tuple[str, ...]) -> str:
    more = f" and {len(steps) - _FEW_STEPS} more" if len(steps) > _FEW_STEPS else ""
    return ", ".join(steps[:_FEW_STEPS]) + more
