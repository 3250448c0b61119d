"""What the simulated function says of steps whose inputs will never come, and of items."""

from __future__ import annotations

import pytest

from solidstate.planner.contract import STEP_FAILED
from solidstate.planner.plan import OutputRef, Step, StepInput, StepOutput
from solidstate.planner.simulated_steps import ASSUMED_ITEMS, Behaviour
from tests.planner.thought import MAPPED, outcome, plan_of, run, step

FAILS = Behaviour(error=STEP_FAILED)
WITHHELD = Behaviour(withheld=("result",))
MAKE = OutputRef("make", "items")


def test_an_output_left_out_skips_who_reads_it() -> None:
    """And whoever reads those in turn; not who reads another step."""
    plan = plan_of(step("a", optional=True), step("b", "a"), step("c", "b"), step("d"))
    assert outcome(run(plan, behaviours={"a": WITHHELD})) == {"a": "done", "d": "done", "b": "skipped", "c": "skipped"}


def collected(**behaviours: Behaviour) -> dict[str, str]:
    """Three items, each worked on with the output of a step beside them, which may be left out; all collected."""
    make = Step("make", "make", outputs=(StepOutput("items", dynamic=True, max_items=50),))
    items = StepInput("item", "item", (MAKE,))
    side = StepInput("side", "output", (OutputRef("side", "result"),))
    outputs = (StepOutput("result", optional=True),)
    work = Step("work", "work", inputs=(items, side), outputs=outputs, map_over=MAKE)
    again = Step(
        "again",
        "again",
        inputs=(StepInput("work", "item", (OutputRef("work", "result"),)),),
        outputs=outputs,
        map_over=MAKE,
    )
    total = Step("sum", "sum", inputs=(StepInput("all", "collect", (OutputRef("again", "result"),)),))
    plan = plan_of(make, step("side", optional=True), work, again, total)
    named = {name.replace("_", "[") + "]" if "_" in name else name: how for name, how in behaviours.items()}
    found = outcome(run(plan, behaviours=named, items={MAKE: 3}))
    return {name: how for name, how in found.items() if name not in ("make", "side")}


GOOD = {f"{name}[{number}]": "done" for name in ("work", "again") for number in range(3)}


@pytest.mark.parametrize(
    ("behaviours", "changed", "total"),
    [
        ({}, {}, "done"),
        # An item that is left out on purpose is missing from the list, and no more.
        ({"work_1": WITHHELD}, {"again[1]": "skipped"}, "done"),
        ({"again_1": WITHHELD}, {}, "done"),
        # An item that failed fails the whole.
        ({"work_1": FAILS}, {"work[1]": "failed", "again[1]": "skipped"}, "skipped"),
        ({"again_2": FAILS}, {"again[2]": "failed"}, "skipped"),
        # What is left out beside the items concerns all of them, and so the whole.
        ({"side": WITHHELD}, dict.fromkeys(GOOD, "skipped"), "skipped"),
        ({"side": FAILS}, dict.fromkeys(GOOD, "skipped"), "skipped"),
    ],
)
def test_items_and_what_collects_them(behaviours: dict[str, Behaviour], changed: dict[str, str], total: str) -> None:
    """As the engines have it."""
    assert collected(**behaviours) == {**GOOD, **changed, "sum": total}


def test_without_items_mapped_steps_are_skipped() -> None:
    """A dynamic output whose step failed, or that was withheld, has none."""
    found = run(MAPPED, behaviours={"make": FAILS})
    assert outcome(found) == {
        "side": "done",
        "after": "done",
        "make": "failed",
        "work": "skipped",
        "sum": "skipped",
        "join": "skipped",
    }
    none = outcome(run(MAPPED, items={MAKE: 0}))
    assert none == dict.fromkeys(["make", "side", "sum", "join", "after"], "done")


def test_items_are_assumed_within_the_limit() -> None:
    """Ten, unless fewer are allowed or it is known better."""
    make, *others = MAPPED.steps
    many = Step("make", "make", outputs=(StepOutput("items", dynamic=True, max_items=50), StepOutput("count")))
    assert sum(name.startswith("work[") for name in run(MAPPED).done) == 4
    assert sum(name.startswith("work[") for name in run(plan_of(many, *others)).done) == ASSUMED_ITEMS
    assert sum(name.startswith("work[") for name in run(plan_of(many, *others), items={MAKE: 12}).done) == 12
    assert make.output("items").max_items == 4
