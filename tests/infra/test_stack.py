"""A deployment as data: functions and machines, and who refers to whom."""

from __future__ import annotations

import pytest

from solidstate.infra.stack import PARAMETERS, RESERVED, Target, stack_of
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.plan import StepCompute
from tests.infra.templates import first, plain, stack


def pipeline_named(name: str) -> PipelineDefinition:
    from solidstate import pipeline

    @pipeline(name=name)
    def named() -> None:
        first()

    return named


def test_one_function_by_default() -> None:
    """With the defaults of `Compute`, and one machine that calls it."""
    (pipeline,) = stack("plain").pipelines
    (function,) = pipeline.functions
    (machine,) = pipeline.machines
    assert (function.id, function.target, function.compute) == (
        "PlainStepFunction",
        "shops.pipeline:plain",
        StepCompute(),
    )
    assert (machine.id, machine.definition, machine.functions) == ("Plain", "plain.asl.json", {"": "PlainStepFunction"})
    assert (machine.parts, machine.distributed) == ({}, False)
    assert stack("plain").placeholders == {}


def test_functions_of_groups() -> None:
    """The largest that any of a function's steps asks for; the machine knows them by their groups."""
    (pipeline,) = stack("shop").pipelines
    assert {function.id: function.compute for function in pipeline.functions} == {
        "ShopStepFunction": StepCompute(),
        "ShopOrdersFunction": StepCompute(),
        "ShopMemory4096Disk2048Function": StepCompute(memory_mb=4096, timeout_s=60, ephemeral_mb=2048),
        "ShopPublishReportsFunction": StepCompute(),
    }
    assert pipeline.machine.functions["Orders"] == "ShopOrdersFunction"


def test_placeholders_are_parameters() -> None:
    """Those of permissions that the template would not have otherwise, with the steps they are for."""
    assert stack("shop").placeholders == {"OrdersTableArn": ("read",)}


def test_parts_are_machines() -> None:
    """Made before those that start them; each under a file of its own."""
    (pipeline,) = stack("deep").pipelines
    *parts, own = pipeline.machines
    assert parts
    assert own.definition == "deep.asl.json"
    known: set[str] = set()
    for machine in pipeline.machines:
        assert set(machine.parts.values()) <= known
        known.add(machine.id)
    assert {part.definition for part in parts} == {f"deep.Part{number}.asl.json" for number in range(1, len(parts) + 1)}


def test_a_distributed_map_is_told() -> None:
    """Its machine starts executions of itself."""
    assert stack("mapped").pipelines[0].machine.distributed


def test_pipelines_do_not_disturb_each_other() -> None:
    """Adding one changes no id of another."""
    both = {pipeline.name: pipeline for pipeline in stack("both").pipelines}
    assert both["shop"] == stack("shop").pipelines[0]
    assert both["plain"] == stack("plain").pipelines[0]


@pytest.mark.parametrize(
    ("name", "machine"),
    [
        ("load_orders", "LoadOrders"),
        ("_private", "Private"),
        ("x2", "X2"),
        ("data", "DataPipeline"),
        ("stage", "StagePipeline"),
    ],
)
def test_logical_ids(name: str, machine: str) -> None:
    """Letters and digits, and nothing that the template has already."""
    (pipeline,) = stack_of([Target("m:x", pipeline_named(name))]).pipelines
    assert pipeline.machine.id == machine
    assert machine not in RESERVED


def test_ids_of_two_pipelines_differ() -> None:
    """Even where their names differ in what ids cannot have."""
    targets = [Target("m:x", pipeline_named(name)) for name in ("a_b", "aB", "a__b")]
    ids = [pipeline.machine.id for pipeline in stack_of(targets).pipelines]
    assert len(set(ids)) == 3


def test_every_parameter_is_reserved() -> None:
    """No pipeline's machine takes the name of one."""
    assert set(PARAMETERS) <= RESERVED
    assert plain.name not in RESERVED
