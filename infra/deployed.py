"""Where a deployed pipeline is: from a stack's name, a machine's ARN or a bucket to what can be asked and read."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from solidstate.errors import EngineError, SolidstateError, closest, name_list
from solidstate.infra.aws_account import AwsAccount
from solidstate.infra.aws_errors import Answered, asking
from solidstate.infra.executions import Executions, MachineArn, parse_machine_arn
from solidstate.infra.samconfig import DEFAULT_ENVIRONMENT, SamSettings, read_samconfig
from solidstate.storage.store import ObjectStore

BUCKET_VARIABLE = "SOLIDSTATE_BUCKET"
_STATE_MACHINE = "AWS::StepFunctions::StateMachine"
_ALIAS = "AWS::StepFunctions::StateMachineAlias"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of where to look. ``deployed``: the stack that samconfig.toml names, when none is given."""

    stack: str | None = None
    machine: str | None = None
    bucket: str | None = None
    deployed: bool = False
    config_env: str | None = None
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None

    @property
    def given(self) -> bool:
        """Whether anything but this machine is meant."""
        return self.deployed or any((self.stack, self.machine, self.bucket, self.config_env))

    @property
    def options(self) -> str:
        """The same again, for a command that is suggested."""
        named = {
            "--stack": self.stack,
            "--machine": self.machine,
            "--bucket": self.bucket,
            "--config-env": self.config_env,
            "--profile": self.profile,
            "--region": self.region,
            "--endpoint-url": self.endpoint_url,
        }
        by_name = self.stack or self.machine or self.bucket or self.config_env
        parts = [f" {flag} {shlex.quote(value)}" for flag, value in named.items() if value]
        return "".join(parts if by_name or not self.deployed else [" --deployed", *parts])


class DeployedMachine(msgspec.Struct, frozen=True):
    """A pipeline's state machine: ``arn`` as it is started, what its first state says, and the steps that it has
    states for."""

    arn: MachineArn
    pipeline: str
    plan: str
    function: str
    steps: list[str] = []


class Deployed:
    """An account with the machines that are meant, and the bucket their runs are in. ``place`` is how it was named,
    ``name`` what it is called in a sentence."""

    def __init__(self, account: AwsAccount, machines: list[DeployedMachine], place: Place, name: str) -> None:
        self.account = account
        self.executions = Executions(account)
        self.machines = machines
        self.place = place
        self.name = name
        self._store: ObjectStore | None = None

    @property
    def store(self) -> ObjectStore:
        """The objects of the runs. Raises EngineError when the bucket cannot be found out."""
        if self._store is None:
            self._store = self.account.store(self.place.bucket or _bucket_of(self.account, self.machines[0]))
        return self._store

    def machine_of(self, pipeline: str | None) -> DeployedMachine:
        """The machine of that pipeline, or the only one. Raises SolidstateError."""
        found = [one for one in self.machines if pipeline in (None, one.pipeline)]
        if len(found) == 1:
            return found[0]
        names = [one.pipeline for one in self.machines]
        if pipeline is None:
            raise SolidstateError(
                f"The stack has {len(names)} pipelines: {name_list(names)}.",
                subject="--pipeline",
                hint=f"choose one with `--pipeline {names[0]}`",
            )
        near = closest(pipeline, names)
        raise SolidstateError(
            f"Pipeline `{pipeline}` is not deployed here; found {name_list(names) or 'none'}.",
            subject=pipeline,
            hint=f"did you mean `{near}`?" if near else "deploy it, or name another stack",
        )


def find_deployed(place: Place, folder: Path) -> Deployed:
    """Look up what was named; ``folder`` is where samconfig.toml may be. Raises SolidstateError, AwsUnavailable."""
    if place.stack and place.machine:
        raise SolidstateError(
            "`--stack` and `--machine` both say which state machine is meant.",
            subject="--machine",
            hint="leave the one or the other out",
        )
    if place.machine:
        arn = parse_machine_arn(place.machine)
        account = AwsAccount(place.profile, place.region or arn.region, place.endpoint_url)
        found = _machine(account, arn)
        if found is None:
            raise SolidstateError(
                f"The state machine `{arn.name}` runs no pipeline of solidstate.",
                subject="--machine",
                hint="name the machine whose first state is `Start run`",
            )
        return Deployed(account, [found], place, arn.name)
    settings = _settings(place, folder)
    account = AwsAccount(place.profile or settings.profile, place.region or settings.region, place.endpoint_url)
    if not settings.stack_name:
        return Deployed(account, [], place, f"s3://{place.bucket}")
    machines = _machines_of_stack(account, settings.stack_name)
    if not machines:
        raise SolidstateError(
            f"The stack `{settings.stack_name}` has no state machine of a pipeline.",
            subject="--stack",
            hint="deploy it with the generated template.yaml, or name another stack",
        )
    return Deployed(account, machines, place, settings.stack_name)


def _settings(place: Place, folder: Path) -> SamSettings:
    """What samconfig.toml says, where it was asked and nothing else was named."""
    if place.stack or (place.bucket and not place.config_env):
        return SamSettings(place.stack or "")
    return read_samconfig(folder, place.config_env or DEFAULT_ENVIRONMENT)


def _machines_of_stack(account: AwsAccount, stack: str) -> list[DeployedMachine]:
    try:
        with asking(f"look at the stack `{stack}`", "cloudformation:ListStackResources"):
            pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
            resources = [one for page in pages for one in page["StackResourceSummaries"]]
    except Answered as answer:
        raise SolidstateError(
            f"There is no stack `{stack}`: {answer.message or answer.code}.",
            subject="--stack",
            hint="check the name, the region and the profile; `sam list stack-outputs` or the console shows stacks",
        ) from answer
    arns = [parse_machine_arn(arn) for arn in _physical(resources, _STATE_MACHINE)]
    aliases = [parse_machine_arn(arn) for arn in _physical(resources, _ALIAS)]
    found = (_machine(account, _alias_of(arn, aliases)) for arn in arns)
    return [machine for machine in found if machine is not None]


def _physical(resources: list[dict[str, Any]], kind: str) -> list[str]:
    return [one["PhysicalResourceId"] for one in resources if one["ResourceType"] == kind]


def _alias_of(arn: MachineArn, aliases: list[MachineArn]) -> MachineArn:
    """The machine by its alias, when it has exactly one: deployments move it when a new version is healthy."""
    own = [alias for alias in aliases if alias.bare == arn.bare]
    return own[0] if len(own) == 1 else arn


class _Start(msgspec.Struct):
    """The part of a first state's payload that says which pipeline the machine runs."""

    kind: str = ""
    pipeline: str = ""
    plan: str = ""


def _machine(account: AwsAccount, arn: MachineArn) -> DeployedMachine | None:
    """None for a machine of something else, or of a part of a pipeline, which is never started by itself."""
    definition = Executions(account).definition(arn)
    first = definition.get("States", {}).get(definition.get("StartAt"), {})
    parameters = first.get("Parameters") or {}
    called = first.get("Resource", "")
    if "FunctionName" in parameters:
        called, parameters = parameters["FunctionName"], parameters.get("Payload") or {}
    try:
        start = msgspec.convert(parameters, _Start)
    except msgspec.ValidationError:
        return None
    if start.kind != "start":
        return None
    steps = list(dict.fromkeys(_steps_in(definition)))
    return DeployedMachine(arn, start.pipeline, start.plan, called, steps)


def _steps_in(part: Any) -> Iterator[str]:
    """The steps that payloads anywhere in a definition are for."""
    if isinstance(part, dict):
        if part.get("kind") == "step" and isinstance(part.get("step"), str):
            yield part["step"]
        for inner in part.values():
            yield from _steps_in(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _steps_in(inner)


def _bucket_of(account: AwsAccount, machine: DeployedMachine) -> str:
    """What the function itself is told; all its versions are told the same."""
    function = ":".join(machine.function.split(":")[:7])  # without the alias that the machine calls it by
    hint = "name the bucket with `--bucket NAME`"
    try:
        with asking("look at the function's settings", "lambda:GetFunctionConfiguration"):
            found = account.client("lambda").get_function_configuration(FunctionName=function)
    except Answered as answer:
        raise EngineError(
            f"The function of the state machine `{machine.arn.name}` was not found: {answer.message}.",
            subject=machine.function,
            hint=hint,
        ) from answer
    bucket = found.get("Environment", {}).get("Variables", {}).get(BUCKET_VARIABLE)
    if not bucket:
        raise EngineError(
            f"The function of the state machine `{machine.arn.name}` is not told its bucket: "
            f"the variable `{BUCKET_VARIABLE}` is not set.",
            subject=machine.function,
            hint=hint,
        )
    return str(bucket)
