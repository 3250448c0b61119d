"""Pipeline definition -> execution plan. Definitions go in, names come out; config and mode do not change a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from solidstate.composition import Binding, Node
from solidstate.errors import DefinitionError, shown
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.graph import ordered
from solidstate.planner.groups import STEP_FUNCTION, Wish, groups_of
from solidstate.planner.needs import Need, needs_of
from solidstate.planner.plan import ExecutionPlan, OutputRef, Retry, Step, StepCompute, StepInput, StepOutput
from solidstate.solid import InputDefinition, OutputDefinition, SolidDefinition


def build_plan(pipeline: PipelineDefinition) -> ExecutionPlan:
    """The plan of a checked pipeline: its steps in topological order, definition order among equals."""
    nodes = {node.name: node for node in pipeline.nodes}
    edges = [
        (source.node, node.name)
        for node in pipeline.nodes
        for binding in node.bindings.values()
        for source in binding.sources
    ]
    told: dict[int, _OfSolid] = {}
    steps = [_step(nodes[name], nodes, told) for name in ordered(list(nodes), edges)]
    plan = ExecutionPlan(
        pipeline=pipeline.name,
        steps=tuple(_grouped(steps, needs_of(pipeline))),
        description=pipeline.description,
    )
    _check_text(plan)
    return plan


def _check_text(plan: ExecutionPlan) -> None:
    """Descriptions, tags and names of types may be any text, but a plan is a file."""
    texts = [plan.description, *(step.description for step in plan.steps)]
    texts += [text for step in plan.steps for pair in step.tags.items() for text in pair]
    texts += [text for step in plan.steps for out in step.outputs for text in (out.type, out.description)]
    texts += [inp.type for step in plan.steps for inp in step.inputs]
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        around = error.object[max(0, error.start - 10) : error.end + 10]
        raise DefinitionError(
            f"A text of pipeline `{plan.pipeline}` holds half a surrogate pair, which no file can hold: "
            f"{shown(around)}.",
            subject=plan.pipeline,
            hint="correct the description, the tag or the name of a type that it stands in",
        ) from error


def _grouped(steps: Sequence[Step], needs: Mapping[str, Sequence[Need]]) -> list[Step]:
    """Every step with the group of the function that runs it."""
    wishes: dict[tuple[StepCompute, int], Wish] = {}
    first: list[str] = []  # for each step the first one that wants the same
    for step in steps:
        wanted = needs[step.name]
        place = step.compute, id(wanted)
        wish = wishes.get(place)
        if wish is None:
            permissions = frozenset(need.permission for need in wanted)
            reasons = tuple(dict.fromkeys(need.reason for need in wanted))
            wish = wishes[place] = Wish(step.name, step.compute, permissions, reasons)
        first.append(wish.step)
    groups = groups_of(list(wishes.values()))
    if set(groups.values()) == {STEP_FUNCTION}:
        return list(steps)
    return [msgspec.structs.replace(step, group=groups[one]) for step, one in zip(steps, first, strict=True)]


def _step(node: Node, nodes: Mapping[str, Node], told: dict[int, _OfSolid]) -> Step:
    solid = node.solid
    same = told.get(id(solid))
    if same is None:  # under many aliases it is told once
        same = told[id(solid)] = _OfSolid(solid)
    return Step(
        name=node.name,
        solid=solid.name,
        inputs=tuple([_input(node, inp, nodes) for inp in solid.inputs]),
        outputs=same.outputs,
        description=solid.description,
        resources=solid.resources,
        retry=same.retry,
        compute=same.compute,
        tags={**solid.tags, **node.tags},
        map_over=OutputRef(node.map_over.node, node.map_over.output) if node.map_over else None,
    )


class _OfSolid:
    """What is the same for all steps that a solid is run as."""

    def __init__(self, solid: SolidDefinition) -> None:
        self.outputs = tuple(_output(out) for out in solid.outputs)
        self.retry = None
        if solid.retry is not None:
            self.retry = Retry(
                max_attempts=solid.retry.max_attempts,
                delay_s=solid.retry.delay_s,
                backoff=solid.retry.backoff,
                max_delay_s=solid.retry.max_delay_s,
                jitter=solid.retry.jitter,
            )
        self.compute = StepCompute(
            memory_mb=solid.compute.memory_mb,
            timeout_s=solid.compute.timeout_s,
            ephemeral_mb=solid.compute.ephemeral_mb,
        )


def _input(node: Node, inp: InputDefinition, nodes: Mapping[str, Node]) -> StepInput:
    binding = node.bindings.get(inp.name)
    if binding is None:
        return StepInput(inp.name, "config", type=inp.type.name, has_default=inp.has_default)
    return StepInput(
        inp.name,
        _kind(node, binding, nodes),
        sources=tuple([OutputRef(source.node, source.output) for source in binding.sources]),
        type=inp.type.name,
        nothing=inp.type.nothing,
    )


def _kind(node: Node, binding: Binding, nodes: Mapping[str, Node]) -> Literal["output", "fan_in", "item", "collect"]:
    if binding.collect:
        return "collect"
    if binding.fan_in:
        return "fan_in"
    source = binding.sources[0]
    by_item = node.map_over is not None and node.map_over in (source, nodes[source.node].map_over)
    return "item" if by_item else "output"


def _output(out: OutputDefinition) -> StepOutput:
    return StepOutput(
        out.name, out.type.name, out.optional, out.type.nothing, out.description, out.dynamic, out.max_items
    )
