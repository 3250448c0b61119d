"""The tree of a plan as lines: everything a tree can hold, however deep."""

from __future__ import annotations

from solidstate.cli.render_plan import plan_lines
from solidstate.cli.text import plain
from solidstate.planner.nest import Nest
from solidstate.planner.plan import ExecutionPlan
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence, Tree
from tests.planner.test_compile_run import plan_of, step


def drawn(plan: ExecutionPlan, tree: Tree) -> list[str]:
    """The lines below the title, without what steps take and give."""
    lines = plain(plan_lines(plan, Nest(tree, {}, {}))).splitlines()[2:]
    return [line for line in lines if not line.lstrip(" │├╰┆").startswith(("in ", "out "))]


def test_gates_and_nested_executions_are_told() -> None:
    """One wait for what follows; a part with its size, set off from what runs in the machine itself."""
    plan = plan_of(step("a"), step("b"), step("x", "a", "b"), step("y", "a", "b"), step("z", "x", "y"))
    fork = Parallel((Leaf("x"), Leaf("y")))
    behind = Nested("Part1", Sequence((fork, Leaf("z"))))
    tree = Parallel((Leaf("a"), Sequence((Leaf("b"), Gate("x", ("a",)), behind))))
    assert drawn(plan, tree) == [
        "┬ 2 side by side",
        "├─ a",
        "╰─ b",
        "   ◇ what follows waits for a",
        "   ▣ Part1: 3 steps in a nested execution",
        "   ┆  ┬ 2 side by side",
        "   ┆  ├─ x",
        "   ┆  ╰─ y",
        "   ┆  z",
    ]
    title = plain(plan_lines(plan, Nest(tree, {}, {}))).splitlines()[0]
    assert title == "demo  5 steps, 3 one after the other, 2 with a rendezvous, 2 state machines"


def test_a_deep_nest_is_drawn() -> None:
    """Deeper than Python likes to recurse."""
    steps = [step("s0")]
    tree: Tree = Leaf("s0")
    for number in range(1, 1_500, 2):
        steps += [step(f"s{number}"), step(f"s{number + 1}")]
        inner = tree.parts if isinstance(tree, Sequence) else (tree,)
        fork = Parallel((Sequence((*inner, Leaf(f"s{number}"))), Leaf(f"s{number + 1}")))
        tree = Sequence((fork, Leaf(f"t{number}")))
        steps.append(step(f"t{number}"))
    lines = drawn(plan_of(*steps), tree)
    assert len(lines) == len(steps) + 750
