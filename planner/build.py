"""Pipeline definition -> execution plan. Definitions go in, names come out; config and mode do not change a plan."""

from __future__ import annotations

from solidstate.composition import Node
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.graph import dag_of
from solidstate.planner.plan import ExecutionPlan, OutputRef, Retry, Step, StepCompute, StepInput, StepOutput
from solidstate.solid import InputDefinition, OutputDefinition


def build_plan(pipeline: PipelineDefinition) -> ExecutionPlan:
    """The plan of a checked pipeline: its steps in topological order, definition order among equals."""
    nodes = {node.name: node for node in pipeline.nodes}
    edges = [
        (source.node, node.name)
        for node in pipeline.nodes
        for binding in node.bindings.values()
        for source in binding.sources
    ]
    order = dag_of(list(nodes), edges).names
    return ExecutionPlan(
        pipeline=pipeline.name,
        steps=tuple(_step(nodes[name]) for name in order),
        description=pipeline.description,
    )


def _step(node: Node) -> Step:
    solid = node.solid
    return Step(
        name=node.name,
        solid=solid.name,
        inputs=tuple(_input(node, inp) for inp in solid.inputs),
        outputs=tuple(_output(out) for out in solid.outputs),
        description=solid.description,
        resources=solid.resources,
        retry=Retry(
            max_attempts=solid.retry.max_attempts,
            delay_s=solid.retry.delay_s,
            backoff=solid.retry.backoff,
            max_delay_s=solid.retry.max_delay_s,
            jitter=solid.retry.jitter,
        )
        if solid.retry
        else None,
        compute=StepCompute(
            memory_mb=solid.compute.memory_mb,
            timeout_s=solid.compute.timeout_s,
            ephemeral_mb=solid.compute.ephemeral_mb,
        ),
        tags={**solid.tags, **node.tags},
    )


def _input(node: Node, inp: InputDefinition) -> StepInput:
    binding = node.bindings.get(inp.name)
    if binding is None:
        return StepInput(inp.name, "config", type=inp.type.name, has_default=inp.has_default)
    return StepInput(
        inp.name,
        "fan_in" if binding.fan_in else "output",
        sources=tuple(OutputRef(source.node, source.output) for source in binding.sources),
        type=inp.type.name,
        nothing=inp.type.nothing,
    )


def _output(out: OutputDefinition) -> StepOutput:
    return StepOutput(out.name, out.type.name, out.optional, out.type.nothing, out.description)
