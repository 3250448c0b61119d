"""Compiled pipelines run in thought: exact times, and what must hold for any graph, durations and failures."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.graphs import read_graph
from bench.levels import compile_levels
from solidstate import events, execute_pipeline
from solidstate.planner import fit
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan
from solidstate.planner.contract import STEP_FAILED
from solidstate.planner.critical_path import critical_path
from solidstate.planner.history import history_events
from solidstate.planner.limits import MAX_DEFINITION_BYTES, MAX_HISTORY_EVENTS
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepInput, StepOutput
from solidstate.planner.simulated_steps import Behaviour
from solidstate.planner.simulated_time import Latencies
from tests.infra.graphs_by_hand import Op, bodies, build
from tests.planner.graph_sets import graph_sets
from tests.planner.thought import (
    MAPPED,
    N_SHAPE,
    NO_TIME,
    durations,
    held_up,
    outcome,
    plain_plans,
    plan_of,
    run,
    step,
)

CRASH = "Runtime.ExitError"
ENDINGS: dict[type, str] = {events.StepSuccess: "done", events.StepFailure: "failed", events.StepSkipped: "skipped"}


def test_a_chain_takes_its_steps_and_two_states() -> None:
    """Each state is entered and calls a function: 50 ms, five times; three steps of a second."""
    found = run(plan_of(step("a"), step("b", "a"), step("c", "b")))
    assert found.makespan_s == pytest.approx(3 * 1.05 + 2 * 0.05)
    assert found.ended_s - found.begun_s == pytest.approx(
        critical_path(plan_of(step("a"), step("b", "a"), step("c", "b"))).seconds
    )
    assert (found.transitions, found.invocations, found.peak, found.parked) == (5, 5, 1, ())
    assert found.histories == (("demo", 2 + 5 * 5),)
    assert found.starts == pytest.approx({"a": 0.1, "b": 1.15, "c": 2.2})
    assert found.ends == pytest.approx({"a": 1.1, "b": 2.15, "c": 3.2})
    assert (found.succeeded, outcome(found)) == (True, dict.fromkeys("abc", "done"))


def test_a_fork_costs_one_transition() -> None:
    """Branches run at once, and the step that joins them begins when the slower one has ended."""
    plan = plan_of(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))
    found = run(plan, seconds={"b": 5.0})
    assert found.makespan_s == pytest.approx(2 * 0.05 + 1.05 + 0.02 + 5.05 + 1.05)
    assert (found.transitions, found.peak) == (2 + 4 + 1, 2)


def test_a_step_that_has_to_wait_parks_once() -> None:
    """`d` hangs under `b`, which is the quicker one: it is called, parks, is woken and called again."""
    compiled = compile_plan(N_SHAPE, {"b": 9.0})
    found = run(N_SHAPE, compiled, seconds={"a": 10.0})
    assert found.parked == ("d",)
    assert found.starts["d"] == pytest.approx(found.ends["a"] + 0.06 + 0.05)
    assert (found.transitions, found.invocations) == (2 + 4 + 1 + 1, 2 + 4 + 1)


def test_a_step_whose_inputs_are_there_runs_at_once() -> None:
    """With the same machine, and `a` the quicker one."""
    found = run(N_SHAPE, compile_plan(N_SHAPE, {"b": 9.0}), seconds={"b": 10.0})
    assert found.parked == ()
    assert found.starts["d"] == pytest.approx(found.ends["b"] + 0.05)


def test_items_run_at_once() -> None:
    """Four items of a Map take as long as one; what needs only the step beside it does not wait for them."""
    found = run(MAPPED, seconds={"work": 20.0}, items={OutputRef("make", "items"): 4})
    assert found.ends["work[3]"] == pytest.approx(found.ends["work[0]"])
    assert found.ends["after"] < found.starts["work[0]"] + 2
    assert {"work[0]", "work[3]", "sum", "join", "after"} < found.done
    assert "work[4]" not in found.done


def test_chance_comes_from_outside() -> None:
    """The same seed gives the same run; without jitter no chance is taken."""
    jittery = Latencies(jitter=0.5)
    one, two, other = (run(N_SHAPE, latencies=jittery, chance=random.Random(seed)) for seed in (1, 1, 2))
    assert one == two
    assert one.makespan_s != other.makespan_s
    assert run(N_SHAPE, chance=random.Random(1)) == run(N_SHAPE)


@given(st.data())
def test_a_step_begins_the_moment_its_inputs_have_ended(data: st.DataObject) -> None:
    """Whatever the durations, and whatever they were taken to be: with no overhead no step is ever held up."""
    plan = data.draw(plain_plans())
    compiled = compile_plan(plan, data.draw(durations(plan)))
    seconds = data.draw(durations(plan))
    found = run(plan, compiled, seconds=seconds, latencies=NO_TIME)
    assert held_up(plan, found) == []
    assert found.makespan_s == critical_path(plan, seconds, 0.0).seconds


def test_a_barrier_would_be_found() -> None:
    """Level by level, `c` waits for `b`, which it does not need."""
    found = run(N_SHAPE, compile_levels(N_SHAPE), seconds={"b": 9.0}, latencies=NO_TIME)
    assert held_up(N_SHAPE, found) == ["c"]


@given(st.data())
def test_all_transitions_are_accounted_for(data: st.DataObject) -> None:
    """Steps, forks, gates, Start run and End run; one more for each step that was woken. A gate is left when woken."""
    plan = data.draw(plain_plans())
    compiled = compile_plan(plan, data.draw(durations(plan)))
    found = run(plan, compiled, seconds=data.draw(durations(plan)))
    text = compiled.definition.decode()
    gates = text.count('"kind": "gate"')
    woken = sum(f'"{name} (after wait)": {{' in text for name in found.parked)
    assert found.transitions == 2 + len(plan.steps) + text.count('"Type": "Parallel"') + gates + woken
    assert found.invocations == 2 + len(plan.steps) + gates + woken
    assert all(events <= history_events(compiled.definition, plan) for _, events in found.histories)


@given(plain_plans())
def test_one_function_at_a_time_is_enough(plan: ExecutionPlan) -> None:
    """A parked step holds no function, so no cap can make a run stand still."""
    found = run(plan, cap=1)
    assert found.peak == 1
    assert len(found.done) == len(plan.steps)
    assert found.makespan_s >= 1.0 * len(plan.steps)


@given(st.data())
def test_the_outcome_is_that_of_running_in_order(data: st.DataObject) -> None:
    """Steps that fail, crash or leave their optional output out: who is done, failed and skipped does not depend on how
    the graph was nested."""
    plan = data.draw(plain_plans())
    kinds = data.draw(st.fixed_dictionaries({one.name: st.sampled_from("....fcw") for one in plan.steps}))
    behaviours: dict[str, Behaviour] = {}
    expected: dict[str, str] = {}
    complete: set[str] = set()
    for one in plan.steps:
        kind = kinds[one.name]
        if not complete.issuperset(one.upstream()):
            expected[one.name] = "skipped"
        elif kind in "fc":
            expected[one.name] = "failed"
        else:
            expected[one.name] = "done"
            complete.update([one.name] if kind != "w" or not one.outputs[0].optional else [])
        if kind in "fc":
            behaviours[one.name] = Behaviour(error=STEP_FAILED if kind == "f" else CRASH)
        elif kind == "w" and one.outputs[0].optional:
            behaviours[one.name] = Behaviour(withheld=("result",))
    compiled = compile_plan(plan, data.draw(durations(plan)))
    found = run(
        plan,
        compiled,
        seconds=data.draw(durations(plan)),
        behaviours=behaviours,
        cap=data.draw(st.sampled_from([None, 1, 2])),
    )
    assert outcome(found) == expected
    assert found.succeeded is ("failed" not in expected.values())


@settings(max_examples=150)
@given(bodies())
def test_the_outcome_is_that_of_the_engine(ops: list[Op]) -> None:
    """Maps, collects and composites: what a run in one process says of each step and item holds of the machine."""
    built, _ = build(ops)
    plan = build_plan(built)
    ending: dict[tuple[str, str], str] = {}
    given_out: dict[tuple[str, str], set[str]] = {}
    keys: dict[str, list[str]] = {}
    for event in execute_pipeline(built, raise_on_error=False).events:
        place = (event.step, event.item)
        if isinstance(event, events.StepOutput):
            given_out.setdefault(place, set()).add(event.name)
            keys.setdefault(event.step, []).extend([event.output_item] if event.output_item else [])
        elif type(event) in ENDINGS:
            ending[place] = ENDINGS[type(event)]
    steps = {one.name: one for one in plan.steps}
    labels = {
        (name, item): f"{name}[{keys[over.step].index(item)}]" if (over := steps[name].map_over) and item else name
        for name, item in ending
    }
    behaviours = {}
    for place, how in ending.items():
        optional = [out.name for out in steps[place[0]].outputs if out.optional]
        absent = tuple(name for name in optional if name not in given_out.get(place, set()))
        if how == "failed":
            behaviours[labels[place]] = Behaviour(error=STEP_FAILED)
        elif how == "done" and absent:
            behaviours[labels[place]] = Behaviour(withheld=absent)
    items = {
        OutputRef(one.name, out.name): len(keys.get(one.name, ()))
        for one in plan.steps
        for out in one.outputs
        if out.dynamic
    }
    found = run(plan, behaviours=behaviours, items=items)
    assert outcome(found) == {labels[place]: how for place, how in ending.items()}


@given(st.data())
def test_a_run_may_be_spread_over_machines(data: st.DataObject) -> None:
    """Cut into machines of a few steps each, everything holds as before, and no history is longer than was proved."""
    plan = data.draw(plain_plans())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "MAX_DEFINITION_BYTES", fit.ROOT.size + 4_500)
        compiled = compile_plan(plan, data.draw(durations(plan)))
    assert len(plan.steps) < 9 or compiled.parts
    seconds = data.draw(durations(plan))
    found = run(plan, compiled, seconds=seconds, latencies=NO_TIME)
    assert held_up(plan, found) == []
    assert len(found.done) == len(plan.steps)
    definitions = {"demo": compiled.definition, **{part.name: part.definition for part in compiled.parts}}
    assert sorted(name for name, _ in found.histories) == sorted(definitions)
    assert all(events <= history_events(definitions[name], plan) for name, events in found.histories)
    assert len(run(plan, compiled, cap=1).done) == len(plan.steps)
    failing = data.draw(st.sampled_from(plan.steps)).name
    whole = run(plan, behaviours={failing: Behaviour(error=CRASH)})
    divided = run(plan, compiled, behaviours={failing: Behaviour(error=CRASH)})
    assert outcome(divided) == outcome(whole)


@pytest.mark.parametrize("room", [2_000, 3_000, 4_500])
def test_items_may_be_spread_over_machines(room: int) -> None:
    """What is done for one item is cut, too: each item starts parts of its own, and meets in them with itself only."""
    over = OutputRef("make", "items")

    def mapped(name: str, *reads: OutputRef) -> Step:
        inputs = tuple(StepInput(f"in_{ref.step}", "item", (ref,)) for ref in reads)
        return Step(name, name, inputs=inputs, outputs=(StepOutput("result"),), map_over=over)

    def result(name: str) -> OutputRef:
        return OutputRef(name, "result")

    plan = plan_of(
        Step("make", "make", outputs=(StepOutput("items", dynamic=True, max_items=4),)),
        mapped("w0", over),
        mapped("x", over),
        *(mapped(f"w{number}", result(f"w{number - 1}")) for number in range(1, 6)),
        mapped("z", result("w0"), result("x")),
        Step("sum", "sum", inputs=(StepInput("all", "collect", (result("w5"),)),)),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "MAX_DEFINITION_BYTES", fit.ROOT.size + room)
        compiled = compile_plan(plan)
    inside = sum(part.item for part in compiled.parts)
    assert inside
    found = run(plan, compiled)
    assert outcome(found) == outcome(run(plan))
    assert set(outcome(found).values()) == {"done"}
    assert len(found.histories) == 1 + 4 * inside + len(compiled.parts) - inside


@pytest.mark.slow
@pytest.mark.parametrize("graph", graph_sets())
def test_real_graphs_run_at_the_speed_of_their_critical_path(graph: Path) -> None:
    """On every public set: no step is held up for a moment, whatever was known of durations; with all overheads the run
    takes at most 3 % longer than its critical path; every machine keeps the quotas."""
    read = read_graph(graph)
    plan, seconds = read.plan(), read.seconds()
    floor = critical_path(plan, seconds, Latencies().per_step_s).seconds
    for estimates in (seconds, None, read.misjudged(0.5)):
        compiled = compile_plan(plan, estimates)
        exact = run(plan, compiled, seconds=seconds, latencies=NO_TIME)
        assert held_up(plan, exact) == []
        assert exact.makespan_s == pytest.approx(critical_path(plan, seconds, 0.0).seconds)
        found = run(plan, compiled, seconds=seconds)
        assert (found.ended_s - found.begun_s) / floor <= 1.03
        assert len(found.done) == len(plan.steps)
    for definition in (compiled.definition, *(part.definition for part in compiled.parts)):
        assert len(definition) <= MAX_DEFINITION_BYTES
        assert history_events(definition, plan) <= MAX_HISTORY_EVENTS
