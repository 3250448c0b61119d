"""States of parts and of what is done for one item: what they are called, and what they are given."""

from __future__ import annotations

from typing import Any

import msgspec

from solidstate.planner.emit import Emitted, emit
from solidstate.planner.nest import Nest, nest_of
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepInput, StepOutput
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence, Tree

REGION = "a for each items"


def plan() -> ExecutionPlan:
    """A list, four steps for each of its items, and two that read nothing of each other."""
    over = OutputRef("make", "items")

    def mapped(name: str, *reads: OutputRef) -> Step:
        inputs = tuple(StepInput(f"in_{ref.step}", "item", (ref,)) for ref in reads)
        return Step(name, name, inputs, (StepOutput("result"),), map_over=over)

    return ExecutionPlan(
        "demo",
        (
            Step("make", "make", outputs=(StepOutput("items", dynamic=True, max_items=4),)),
            mapped("a", over),
            mapped("b", OutputRef("a", "result")),
            mapped("c", OutputRef("a", "result")),
            mapped("d", OutputRef("a", "result")),
            Step("far", "far", outputs=(StepOutput("result"),)),
            Step("end", "end", outputs=(StepOutput("result"),)),
        ),
    )


def emitted(tree: Tree, inside: Tree) -> list[Emitted]:
    """The machines of the plan in this form; ``inside`` is what is done for one item."""
    made = nest_of(plan())
    return emit(plan(), Nest(tree, made.regions, {REGION: inside}))


def states_of(machine: Any) -> dict[str, dict[str, Any]]:
    """All states by name, those in branches and Maps included."""
    found: dict[str, dict[str, Any]] = {}
    todo: list[Any] = [msgspec.json.decode(msgspec.json.encode(machine))]
    while todo:
        for name, state in todo.pop()["States"].items():
            assert name not in found
            found[name] = state
            todo.extend(state.get("Branches", ()))
            todo.extend([state["ItemProcessor"]] if "ItemProcessor" in state else [])
    return found


def test_parts_are_called_by_what_is_in_them() -> None:
    """By their first step and how many more; whether they are run for one item is known."""
    rest = Nested("Part2", Sequence((Leaf("c"), Leaf("d"))))
    inside = Sequence((Leaf("a"), Nested("Part1", Leaf("b")), rest))
    tree = Sequence((Leaf("far"), Leaf("make"), Leaf(REGION), Nested("Part3", Leaf("end"))))
    own, *parts = emitted(tree, inside)
    told = "as an execution of its own"
    comments = {name: state.get("Comment") for name, state in states_of(own.machine).items() if "part " in name}
    assert comments == {name: f"{name} {told}" for name in ("part b", "part c and 1 more", "part end")}
    assert [(one.name, one.item, one.machine.comment) for one in (own, *parts)] == [
        ("", False, "solidstate pipeline demo"),
        ("Part1", True, "solidstate pipeline demo, part b"),
        ("Part2", True, "solidstate pipeline demo, part c and 1 more"),
        ("Part3", False, "solidstate pipeline demo, part end"),
    ]


def test_a_part_gets_the_item_it_is_run_for() -> None:
    """And nothing of the kind where there is none."""
    inside = Sequence((Leaf("a"), Nested("Part1", Parallel((Leaf("b"), Leaf("c"), Leaf("d"))))))
    tree = Sequence((Leaf("make"), Leaf(REGION), Nested("Part2", Parallel((Leaf("far"), Leaf("end"))))))
    states = states_of(emitted(tree, inside)[0].machine)
    by = {"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id", "run.$": "$.run"}
    assert states["part b and 2 more"]["Parameters"] == {
        "StateMachineArn": "${Part1Arn}",
        "Input": {**by, "item.$": "$.item", "entry.$": "$.entry"},
    }
    assert states["part far and 1 more"]["Parameters"] == {"StateMachineArn": "${Part2Arn}", "Input": by}


def test_a_gate_inside_of_a_map_knows_its_item() -> None:
    """One before steps that are run once does not."""
    gated = Sequence((Leaf("a"), Gate("c", ("b",)), Parallel((Leaf("c"), Leaf("d")))))
    outer = Sequence((Leaf("make"), Gate("far", ("end",)), Parallel((Leaf("far"), Leaf(REGION)))))
    states = states_of(emitted(Parallel((Leaf("end"), outer)), Parallel((Leaf("b"), gated)))[0].machine)
    gates = {name: state["Parameters"]["Payload"] for name, state in states.items() if "wait before" in name}
    common = {"kind": "gate", "run.$": "$.run", "token.$": "$$.Task.Token"}
    assert gates == {
        "wait before c": {**common, "step": "c", "item.$": "$.item", "waits": ["b"]},
        "wait before far": {**common, "step": "far", "waits": ["end"]},
    }


def test_a_region_that_waits_is_entered_anew_once_woken() -> None:
    """By a state of its own, which reads the items again; one that waits for nothing has none."""
    inside = Parallel((Leaf("a"), Leaf("b"), Leaf("c"), Leaf("d")))
    read = "items of make for a"
    waiting = Parallel((Sequence((Leaf("make"), Leaf(REGION, ("far",)))), Leaf("far"), Leaf("end")))
    states = states_of(emitted(waiting, inside)[0].machine)
    assert [name for name in states if name.startswith(read)] == [read, f"{read} (after wait)"]
    assert states[read]["Catch"][0]["Next"] == f"{read} (after wait)"
    assert states[f"{read} (after wait)"]["Parameters"]["woken"] is True
    plain = Parallel((Sequence((Leaf("make"), Leaf(REGION))), Leaf("far"), Leaf("end")))
    assert [name for name in states_of(emitted(plain, inside)[0].machine) if name.startswith(read)] == [read]
