"""Estimates: what was measured stands, what was not is the median of it, and nothing is left out."""

from __future__ import annotations

from solidstate.planner.estimates import Estimates, Measured, estimates_of, map_concurrency, most_items
from solidstate.planner.limits import MAX_INLINE_ITEMS
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepOutput
from tests.planner.test_compile_run import plan_of, step
from tests.planner.test_regions import item, mapped, source


def mapping(most: int = 5_000) -> ExecutionPlan:
    """A source with many items, and a step for each."""
    many = Step("x", "x", outputs=(StepOutput("items", dynamic=True, max_items=most),))
    return ExecutionPlan("demo", (many, mapped("a", "x", item("x", "items")), step("end", "a")))


def test_without_a_run_every_step_takes_a_second() -> None:
    """Of a mapped step every item; ten of them, or as many as there can be."""
    assert estimates_of(mapping()) == Estimates(
        seconds={"x": 1.0, "a": 1.0, "end": 1.0},
        work={"x": 1.0, "a": 10.0, "end": 1.0},
        items={"a": 10},
        assumed=("x", "a", "end"),
    )
    assert estimates_of(mapping(most=3)).items == {"a": 3}


def test_what_was_measured_stands_and_the_rest_is_the_median() -> None:
    """Steps the plan does not have do not count."""
    plan = plan_of(step("a"), step("b"), step("c"), step("d"))
    measured = Measured(("r",), {"a": 1.0, "b": 9.0, "c": 2.0, "gone": 100.0})
    found = estimates_of(plan, measured)
    assert found.seconds == {"a": 1.0, "b": 9.0, "c": 2.0, "d": 2.0}
    assert found.work == found.seconds
    assert (found.typical_s, found.runs, found.assumed) == (2.0, ("r",), ("d",))


def test_a_mapped_step_that_was_not_measured_takes_rounds() -> None:
    """As many as its items need when so many run at a time."""
    found = estimates_of(mapping(100), Measured(("r",), {"x": 2.0}, items={"a": 90}))
    assert (found.items, found.seconds["a"], found.work["a"]) == ({"a": 90}, 6.0, 180.0)


def test_a_measured_mapped_step_has_its_own_work() -> None:
    """Which is more than the time it took."""
    found = estimates_of(mapping(), Measured(("r",), {"a": 3.0}, {"a": 50.0}, {"a": 60}))
    assert (found.seconds["a"], found.work["a"], found.items["a"]) == (3.0, 50.0, 60)


def test_how_many_items_run_at_a_time() -> None:
    """Forty of an inline Map, more of a distributed one."""
    assert map_concurrency(MAX_INLINE_ITEMS) == 40
    assert map_concurrency(MAX_INLINE_ITEMS + 1) == 200
    assert most_items(ExecutionPlan("demo", (source("x"), step("a")))) == {OutputRef("x", "items"): 10}
