"""Explanations as data: complete, consistent with what is compiled, and with everything that was assumed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from solidstate.planner.compile import compile_plan, machine_nest
from solidstate.planner.estimates import Measured, estimates_of
from solidstate.planner.explain import Explanation, explained
from solidstate.planner.history import history_events
from solidstate.planner.plan import ExecutionPlan
from solidstate.planner.shape import STEP_OVERHEAD_S
from solidstate.planner.states import deployed_bytes
from tests.planner.test_compile_run import plan_of, step
from tests.planner.test_costs import definitions, mapping
from tests.planner.test_regions import plans

N_SHAPE = plan_of(step("a"), step("b"), step("c", "a"), step("d", "a", "b"))


def told(plan: ExecutionPlan, measured: Measured | None = None) -> Explanation:
    """A plan explained as the command does it."""
    estimates = estimates_of(plan, measured)
    seconds = estimates.seconds if estimates.runs else None
    return explained(plan, machine_nest(plan, seconds), definitions(compile_plan(plan, seconds)), estimates)


def test_an_n_explained() -> None:
    """Every step with its inputs, its place and its rendezvous; a run with its counts."""
    found = told(N_SHAPE)
    assert [(one.step, one.inputs, one.after, one.waits) for one in found.steps] == [
        ("a", {}, [], []),
        ("b", {}, [], []),
        ("c", {"a": ["in_a"]}, ["a"], []),
        ("d", {"a": ["in_a"], "b": ["in_b"]}, ["b"], ["a"]),
    ]
    assert [(one.steps, one.waits) for one in found.rendezvous] == [(["d"], ["a"])]
    assert [list(fork.first) for fork in found.forks] == [["a", "b"]]
    assert (found.transitions, found.invocations) == (7, 6)
    assert found.critical_path == ["a", "c"]
    assert found.critical_path_s == pytest.approx(2 * (1 + STEP_OVERHEAD_S))
    assert found.critical_path_s < found.makespan_s < found.critical_path_s + 0.2


def test_measured_durations_say_what_parks() -> None:
    """`d` hangs under the slower of its inputs; equal ones or others change nothing about what it waits for."""
    found = told(N_SHAPE, Measured(("r",), {"a": 5.0, "b": 1.0, "c": 1.0, "d": 1.0}))
    assert [(one.after, one.waits, one.parks) for one in found.rendezvous] == [(["a"], ["b"], False)]
    assert found.estimates.runs == ("r",)


@given(plans())
def test_machines_are_those_that_are_compiled(plan: ExecutionPlan) -> None:
    """With their sizes as they are deployed, and what is expected below what is possible at worst."""
    found = told(plan)
    compiled = compile_plan(plan)
    assert [machine.definition_bytes for machine in found.machines] == [
        deployed_bytes(body) for body in definitions(compiled).values()
    ]
    assert found.machines[0].events_at_worst == history_events(compiled.definition, plan)
    assert all(machine.events <= machine.events_at_worst for machine in found.machines)
    assert found.transitions == sum(found.states.values())
    assert sum(found.dollars[name] for name in ("transitions", "compute", "invocations", "storage")) == pytest.approx(
        found.dollars["total"], abs=1e-8
    )


def test_a_million_steps_count_every_item() -> None:
    """So that a mapped pipeline is not said to be dear."""
    found = told(mapping(10))
    assert found.dollars_a_million_steps == pytest.approx(found.dollars["total"] / 22 * 1e6, rel=0.001)
    assert [one.for_each for one in found.steps] == ["", "x.items", "x.items", ""]


def test_a_mapped_step_takes_its_rounds_and_its_list() -> None:
    """Times of a region are those of what it does for one item, and two states more."""
    plan = mapping(100)
    seconds = {"x": 1.0, "a": 2.0, "b": 3.0, "end": 1.0}
    found = told(plan, Measured(("r",), seconds, {"a": 8.0, "b": 12.0}, {"a": 4, "b": 4}))
    inner = (STEP_OVERHEAD_S + 2.0) + (STEP_OVERHEAD_S + 3.0)
    assert found.makespan_s == pytest.approx(
        2 * STEP_OVERHEAD_S + 2 * (STEP_OVERHEAD_S + 1.0) + (STEP_OVERHEAD_S + 0.02 + inner)
    )


def test_an_explanation_is_json() -> None:
    """All of it, prices with their sources included."""
    document = msgspec.json.decode(msgspec.json.encode(told(N_SHAPE)))
    assert document["limits"] == {"definition_bytes": 1_048_576, "events": 25_000}
    assert {price["unit"] for price in document["prices"]} >= {"Lambda invocation"}
    assert document["estimates"]["assumed"] == ["a", "b", "c", "d"]
