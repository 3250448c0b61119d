"""Mapped steps drawn together into Map states: never a cycle, nothing lost, no order turned round."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from solidstate.planner.graph import dag_of_plan
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepInput, StepOutput
from solidstate.planner.regions import dag_inside, units_of

ITEMS = ("x", "y", "z")


def source(name: str) -> Step:
    """A step with a dynamic output."""
    return Step(name, name, outputs=(StepOutput("items", dynamic=True, max_items=10),))


def mapped(name: str, over: str, *inputs: StepInput) -> Step:
    """A step that runs for each item of `over`."""
    return Step(name, name, inputs=inputs, outputs=(StepOutput("result"),), map_over=OutputRef(over, "items"))


def item(name: str, output: str = "result") -> StepInput:
    return StepInput(f"i_{name}", "item", (OutputRef(name, output),))


def collect(name: str) -> StepInput:
    return StepInput(f"c_{name}", "collect", (OutputRef(name, "result"),))


def test_a_chain_over_the_same_items_is_one_unit() -> None:
    """With whatever is broadcast into it."""
    plan = ExecutionPlan(
        "demo",
        (
            source("x"),
            mapped("a", "x", item("x", "items")),
            mapped("b", "x", item("a")),
            Step("end", "end", inputs=(collect("b"),)),
        ),
    )
    units = units_of(plan)
    assert units.dag.names == ("x", "a for each items", "end")
    assert [step.name for step in units.regions["a for each items"].steps] == ["a", "b"]


def test_items_that_are_left_and_entered_again_are_two_units() -> None:
    """A collect between two maps over the same items has to lie between two Map states."""
    plan = ExecutionPlan(
        "demo",
        (
            source("x"),
            mapped("a", "x", item("x", "items")),
            Step("sum", "sum", inputs=(collect("a"),), outputs=(StepOutput("result"),)),
            mapped("b", "x", item("a"), StepInput("s", "output", (OutputRef("sum", "result"),))),
        ),
    )
    assert units_of(plan).dag.names == ("x", "a for each items", "sum", "b for each items")


def test_two_regions_that_wait_for_each_other_crosswise_are_four_units() -> None:
    """Regions are cycles of units although no step waits for itself: x's first, y's second, and the other way round."""
    plan = ExecutionPlan(
        "demo",
        (
            source("x"),
            source("y"),
            mapped("x1", "x", item("x", "items")),
            mapped("y1", "y", item("y", "items")),
            mapped("y2", "y", item("y", "items"), collect("x1")),
            mapped("x2", "x", item("x", "items"), collect("y1")),
        ),
    )
    units = units_of(plan)
    assert [tuple(step.name for step in region.steps) for region in units.regions.values()] == [
        ("x1",),
        ("y1",),
        ("y2",),
        ("x2",),
    ]


@st.composite
def plans(draw: st.DrawFn) -> ExecutionPlan:
    """Any plan: steps over one of three dynamic outputs or none, reading any earlier steps in any way there is."""
    steps = [source(name) for name in ITEMS]
    for number in range(draw(st.integers(0, 14))):
        over = draw(st.sampled_from([*ITEMS, None]))
        inputs = [item(over, "items")] if over else []
        for before in draw(st.lists(st.sampled_from(steps), max_size=3, unique_by=lambda step: step.name)):
            if before.name in ITEMS:
                continue
            same = over is not None and before.map_over == OutputRef(over, "items")
            if before.map_over is None:
                inputs.append(StepInput(f"o_{before.name}", "output", (OutputRef(before.name, "result"),)))
            elif same and draw(st.booleans()):
                inputs.append(item(before.name))
            else:
                inputs.append(collect(before.name))
        name = f"s{number}"
        made = OutputRef(over, "items") if over else None
        steps.append(Step(name, name, inputs=tuple(inputs), outputs=(StepOutput("result"),), map_over=made))
    return ExecutionPlan("demo", tuple(steps))


@given(plans())
def test_units_keep_every_step_and_every_order(plan: ExecutionPlan) -> None:
    """Each step is in one unit; what waits for another step waits for its unit or stands after it in the same one; a
    collect never reads from its own unit."""
    units = units_of(plan)  # would raise for a cycle
    unit_of = {step.name: step.name for step in plan.steps if step.map_over is None}
    for name, region in units.regions.items():
        unit_of.update({step.name: name for step in region.steps})
        assert {step.map_over for step in region.steps} == {region.over}
    assert sorted(unit_of) == sorted(step.name for step in plan.steps)
    assert set(units.dag.names) == set(unit_of.values())
    place = {name: number for number, name in enumerate(units.dag.names)}
    inside = {name: dag_inside(region).edges() for name, region in units.regions.items()}
    for step in plan.steps:
        for inp in step.inputs:
            for ref in inp.sources:
                one, other = unit_of[ref.step], unit_of[step.name]
                assert place[one] <= place[other]
                assert one != other or (inp.kind != "collect" and (ref.step, step.name) in inside[one])
    assert len(dag_of_plan(plan).names) == len(plan.steps)
