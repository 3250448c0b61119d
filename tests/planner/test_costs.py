"""What a run uses, counted on definitions: states, invocations, events, requests; and what that costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.planner.compile import Compiled, compile_plan, machine_nest
from solidstate.planner.costs import OWN_S, Counts, cost_of, counts_of
from solidstate.planner.estimates import Estimates, Measured, estimates_of, most_items
from solidstate.planner.graph import dag_of
from solidstate.planner.history import history_events
from solidstate.planner.placement import rendezvous
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepCompute, StepInput, StepOutput
from solidstate.planner.simulate import simulate
from solidstate.planner.tree import Gate, Parallel, nodes
from tests.planner.test_compile_run import plan_of, step
from tests.planner.test_regions import collect, item, mapped, plans
from tests.planner.test_shape import Edges, graphs

N_SHAPE = plan_of(step("a"), step("b"), step("c", "a"), step("d", "a", "b"))


def definitions(compiled: Compiled) -> dict[str, bytes]:
    """By the name of their machine."""
    return {"": compiled.definition, **{part.name: part.definition for part in compiled.parts}}


def counted(plan: ExecutionPlan, *parked: str, estimates: Estimates | None = None) -> Counts:
    """A run of a plan as it is compiled."""
    return counts_of(definitions(compile_plan(plan)), plan, estimates or estimates_of(plan), parked)


@given(graphs())
def test_a_run_has_one_transition_for_each_step_and_each_fork(graph: tuple[list[str], Edges]) -> None:
    """And two for its beginning and its end; every state but a fork is an invocation."""
    names, edges = graph
    plan = plan_of(*(step(name, *(a for a, b in edges if b == name)) for name in dag_of(names, edges).names))
    forks = sum(isinstance(node, Parallel) for node in nodes(machine_nest(plan).tree))
    counts = counted(plan)
    gates = counts.states.get("gate", 0)
    assert counts.states.get("fork", 0) == forks
    assert counts.transitions == len(names) + forks + gates + 2
    assert counts.invocations == counts.transitions - forks
    assert counts.puts == len(names) + 4
    assert sum(counts.events.values()) <= history_events(compile_plan(plan).definition, plan)


def test_requests_are_a_get_for_each_input_and_a_put_for_each_step() -> None:
    """A step that others have a rendezvous with looks for each of them; End run reads every step."""
    counts = counted(N_SHAPE)
    inputs, woken, end = 3, 1, 1 + 4
    assert (counts.gets, counts.puts) == (inputs + woken + end, 4 + 2 + 2)
    assert counts.states == {"start": 1, "fork": 1, "step": 4, "end": 1}


def test_a_step_that_parks_costs_a_state_more() -> None:
    """An invocation that reads the inputs again, a token stored between two looks, and the events of a state."""
    (waiting,) = machine_nest_waits(N_SHAPE)
    at_once, parked = counted(N_SHAPE), counted(N_SHAPE, waiting)
    assert parked.transitions == at_once.transitions + 1
    assert parked.invocations == at_once.invocations + 1
    assert (parked.gets, parked.puts) == (at_once.gets + 4 + 2, at_once.puts + 1)
    assert parked.events[""] == at_once.events[""] + 5
    assert parked.gb_seconds == pytest.approx(at_once.gb_seconds + OWN_S)


def machine_nest_waits(plan: ExecutionPlan) -> list[str]:
    """The steps of a plan that have a rendezvous."""
    return sorted({step for _, step in rendezvous(machine_nest(plan))})


GATED = plan_of(step("a"), step("b"), step("c", "a"), *(step(f"m{number}", "a", "b") for number in range(9)))


def test_a_gate_that_parks_goes_on_by_itself() -> None:
    """It costs a token between two looks."""
    (gate,) = (node.step for node in nodes(machine_nest(GATED).tree) if isinstance(node, Gate))
    at_once, parked = counted(GATED), counted(GATED, gate)
    assert at_once.states["gate"] == 1
    assert parked.transitions == at_once.transitions
    assert (parked.gets, parked.puts) == (at_once.gets + 4, at_once.puts + 1)


@given(graphs(), st.data())
def test_counts_are_those_of_a_simulated_run(graph: tuple[list[str], Edges], data: st.DataObject) -> None:
    """Whoever parks: transitions, invocations, events."""
    names, edges = graph
    plan = plan_of(*(step(name, *(a for a, b in edges if b == name)) for name in dag_of(names, edges).names))
    seconds = {name: float(data.draw(st.integers(0, 5))) for name in names}
    compiled = compile_plan(plan)
    run = simulate(plan, compiled.definition, seconds=seconds)
    counts = counts_of(definitions(compiled), plan, estimates_of(plan, Measured(("r",), seconds)), run.parked)
    assert (counts.transitions, counts.invocations) == (run.transitions, run.invocations)
    assert counts.events == {"": run.histories[0][1]}


@given(plans(), st.integers(0, 12))
def test_mapped_runs_are_counted_as_simulated(plan: ExecutionPlan, items: int) -> None:
    """Items side by side, inline or distributed."""
    compiled = compile_plan(plan)
    most = most_items(plan)
    count = {step.map_over: min(items, most[step.map_over]) for step in plan.steps if step.map_over is not None}
    run = simulate(plan, compiled.definition, items=count)
    measured = Measured(items={step.name: count[step.map_over] for step in plan.steps if step.map_over is not None})
    counts = counts_of(definitions(compiled), plan, estimates_of(plan, measured), run.parked)
    assert (counts.transitions, counts.invocations) == (run.transitions, run.invocations)
    assert counts.events == {"": run.histories[0][1]}


def mapping(most: int) -> ExecutionPlan:
    """Two mapped steps and one that collects them."""
    many = Step("x", "x", outputs=(StepOutput("items", dynamic=True, max_items=most),))
    steps = (many, mapped("a", "x", item("x", "items")), mapped("b", "x", item("a")))
    return ExecutionPlan("demo", (*steps, Step("end", "end", inputs=(collect("b"),))))


def test_an_inline_map_counts_for_each_item() -> None:
    """Whoever needs them all reads which there are, and each of them."""
    plan = mapping(100)
    measured = Measured(("r",), {"a": 2.0}, {"a": 8.0}, {"a": 4, "b": 4})
    counts = counted(plan, estimates=estimates_of(plan, measured))
    assert counts.states == {"start": 1, "step": 2 + 2 * 4, "items": 1, "map": 1, "end": 1}
    assert counts.invocations == 1 + 10 + 1 + 1
    assert counts.gets == 1 + 4 + 4 + (1 + 4) + (1 + 1 + 2 + 2 * 4)
    assert counts.puts == 2 + 10 + 2
    assert counts.events == {"": 2 + 5 * 5 + 4 + 4 * (2 + 2 * 5)}
    assert counts.gb_seconds == pytest.approx(3 * OWN_S + 2.0 + 8.0 + 8.0 + 2.0)  # b is not measured: 2 s an item


def test_the_items_of_a_distributed_map_have_histories_of_their_own() -> None:
    """Transitions and invocations are the same; their list is an object more."""
    plan = mapping(100_000)
    counts = counted(plan)
    assert counts.states == {"start": 1, "step": 2 + 2 * 10, "items": 1, "map": 1, "end": 1}
    assert counts.puts == 2 + 22 + 2 + 1
    assert counts.events == {"": 2 + 5 * 5 + 4}


def test_parts_are_counted_where_they_are_started() -> None:
    """A pipeline in several machines has a transition more for each, and a history of its own in each."""
    names = [f"s{number}" for number in range(4_000)]
    plan = plan_of(step(names[0]), *(step(name, names[0]) for name in names[1:]))
    compiled = compile_plan(plan)
    counts = counts_of(definitions(compiled), plan, estimates_of(plan), {})
    assert len(compiled.parts) == counts.states["nested execution"] > 0
    assert counts.states["step"] == 4_000
    assert counts.invocations == 4_002
    assert set(counts.events) == {"", *(part.name for part in compiled.parts)}
    assert sum(counts.events.values()) > 4_000 * 5


def test_memory_counts() -> None:
    """Seconds are paid for in gigabytes of the step's own function."""
    large = Step("large", "large", compute=StepCompute(memory_mb=4096))
    plan = plan_of(large, Step("small", "small", compute=StepCompute(memory_mb=128)))
    assert counted(plan).gb_seconds == pytest.approx(4.0 + 0.125 + 2 * OWN_S)


def test_a_run_costs_the_sum_of_its_parts() -> None:
    """By the table of prices."""
    counts = Counts(states={"step": 800, "fork": 200}, invocations=1_000_000, gets=10_000, puts=1_000, gb_seconds=60.0)
    cost = cost_of(counts)
    parts = (cost.transitions, cost.compute, cost.invocations, cost.storage)
    assert parts == pytest.approx((0.025, 0.001000002, 0.2, 0.005 + 0.004))
    assert cost.total == pytest.approx(sum(parts))


def test_an_input_from_the_request_costs_no_request() -> None:
    """Only results of other steps are read."""
    plan = plan_of(Step("a", "a", inputs=(StepInput("limit", "config"),)), step("b", "a"))
    assert counted(plan).gets == 1 + (1 + 2)
    assert OutputRef("a", "result") in plan.steps[1].inputs[0].sources
