"""What a deployment of pipelines consists of, as data: functions, state machines, parameters, and who refers to whom.

Made from definitions alone; nothing here knows how a template is written. Every name is a logical id of the template.
Each pipeline has functions of its own, so that adding one changes nothing for the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from solidstate.infra.policies import FunctionPolicy, function_policies
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.calls import calls_of
from solidstate.planner.compile import Compiled, compile_plan
from solidstate.planner.plan import ExecutionPlan, StepCompute

BUCKET = "DataBucket"
"""The parameter that names the data bucket, and its placeholder in permissions."""
PARAMETERS = (
    "Stage",
    "Owner",
    BUCKET,
    "CreateDataBucket",
    "KmsKeyArn",
    "RetentionDays",
    "LogRetentionDays",
    "MemorySize",
)
"""Parameters that every template has."""
RESERVED = frozenset({*PARAMETERS, "Data", "DataPolicy", "CreateBucket", "UseKmsKey"})


class Target(msgspec.Struct, frozen=True):
    """A pipeline, and the target by which its function finds it: ``package.module:name``."""

    target: str
    definition: PipelineDefinition


class FunctionSpec(msgspec.Struct, frozen=True):
    """The function of one group of steps. ``compute`` is the largest that any of its steps asks for."""

    id: str
    target: str
    policy: FunctionPolicy
    compute: StepCompute

    @property
    def role(self) -> str:
        return f"{self.id}Role"

    @property
    def logs(self) -> str:
        return f"{self.id}Logs"


class MachineSpec(msgspec.Struct, frozen=True):
    """One state machine. ``functions`` are the ids of the functions it calls by their group, ``parts`` those of the
    machines it starts by the name they have in the definition; ``distributed``: it starts executions of itself."""

    id: str
    pipeline: str
    definition: str
    functions: dict[str, str]
    parts: dict[str, str]
    distributed: bool

    @property
    def role(self) -> str:
        return f"{self.id}Role"


class PipelineSpec(msgspec.Struct, frozen=True):
    """One pipeline: its functions, the step function first, and its machines, parts before those that start them."""

    name: str
    description: str
    steps: int
    logs: str
    functions: tuple[FunctionSpec, ...]
    machines: tuple[MachineSpec, ...]

    @property
    def machine(self) -> MachineSpec:
        """The pipeline's own."""
        return self.machines[-1]


class Stack(msgspec.Struct, frozen=True):
    """Everything. ``placeholders`` are parameters that permissions name, with the steps they are for."""

    pipelines: tuple[PipelineSpec, ...]
    memory_mb: int
    placeholders: dict[str, tuple[str, ...]]


def stack_of(targets: Sequence[Target]) -> Stack:
    """Raises Errors with every CompileError when a pipeline does not fit into the services."""
    taken = set(RESERVED)
    pipelines: list[PipelineSpec] = []
    placeholders: dict[str, dict[str, None]] = {}
    for target in targets:
        plan = build_plan(target.definition)
        compiled = compile_plan(plan)
        policies = function_policies(target.definition, plan, compiled)
        pipelines.append(_pipeline(target, plan, compiled, policies, taken))
        for policy in policies:
            for name in _placeholders(policy):
                placeholders.setdefault(name, {}).update(dict.fromkeys(policy.steps))
    memory = max(pipeline.functions[0].compute.memory_mb for pipeline in pipelines)
    return Stack(tuple(pipelines), memory, {name: tuple(steps) for name, steps in placeholders.items()})


def _pipeline(
    target: Target, plan: ExecutionPlan, compiled: Compiled, policies: Sequence[FunctionPolicy], taken: set[str]
) -> PipelineSpec:
    base = _taken(_camel(plan.pipeline), taken)
    computes = {step.name: step.compute for step in plan.steps}
    functions = {
        policy.group: FunctionSpec(
            id=_taken(f"{base}{policy.group or 'Step'}Function", taken),
            target=target.target,
            policy=policy,
            compute=_largest([computes[step] for step in policy.steps]),
        )
        for policy in policies
    }
    machines: list[MachineSpec] = []
    ids: dict[str, str] = {}
    definitions = [(part.name, part.definition) for part in compiled.parts] + [("", compiled.definition)]
    for part, definition in definitions:
        calls = calls_of(definition)
        ids[part] = _taken(f"{base}{part}", taken) if part else base
        machines.append(
            MachineSpec(
                id=ids[part],
                pipeline=plan.pipeline,
                definition=f"{plan.pipeline}.{part}.asl.json" if part else f"{plan.pipeline}.asl.json",
                functions={group: functions[group].id for group in calls.groups},
                parts={name: ids[name] for name in calls.parts},
                distributed=calls.distributed,
            )
        )
    return PipelineSpec(
        name=plan.pipeline,
        description=next(iter(plan.description.strip().splitlines()), ""),
        steps=len(plan.steps),
        logs=_taken(f"{base}Logs", taken),
        functions=tuple(functions.values()),
        machines=tuple(machines),
    )


def _largest(computes: Sequence[StepCompute]) -> StepCompute:
    """What suits all of them; the defaults where there is none, in a function that only begins and ends runs."""
    every = list(computes) or [StepCompute()]
    return StepCompute(
        memory_mb=max(one.memory_mb for one in every),
        timeout_s=max(one.timeout_s for one in every),
        ephemeral_mb=max(one.ephemeral_mb for one in every),
    )


def _placeholders(policy: FunctionPolicy) -> list[str]:
    """Parameters that the policy's resources name and that the template would not have otherwise."""
    texts = [resource for statement in policy.statements for resource in statement.resources]
    names = [name for text in texts for name in re.findall(r"\$\{([A-Za-z0-9]+)\}", text)]
    return [name for name in dict.fromkeys(names) if name not in PARAMETERS]


def _camel(name: str) -> str:
    """``load_orders`` -> ``LoadOrders``: logical ids have letters and digits alone."""
    camel = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    return camel if camel[:1].isalpha() else f"Pipeline{camel}"


def _taken(name: str, taken: set[str]) -> str:
    """The name, or one like it that is not taken; from now on it is."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}Pipeline" if number == 2 else f"{name}Pipeline{number - 1}"
    taken.add(free)
    return free
