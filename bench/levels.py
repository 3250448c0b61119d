"""The baseline: a barrier per level, which is what one writes for Step Functions by hand.

All steps of a level run at once, and the next level begins when the last of them has ended. Written with the compiler's
own states and divided by its own rules, so that only the nesting differs.
"""

from __future__ import annotations

from solidstate.planner.compile import Compiled, Part, fitted
from solidstate.planner.emit import emit
from solidstate.planner.graph import dag_of_plan
from solidstate.planner.nest import Nest
from solidstate.planner.plan import ExecutionPlan
from solidstate.planner.states import encode_machine
from solidstate.planner.tree import Leaf, Tree, parallel, sequence


def compile_levels(plan: ExecutionPlan) -> Compiled:
    """The machines of a plan of plain steps, level by level."""
    return emitted(plan, level_tree(plan))


def level_tree(plan: ExecutionPlan) -> Tree:
    """One Parallel after the other."""
    dag = dag_of_plan(plan)
    rank = {name: number for number, name in enumerate(dag.names)}
    levels: dict[int, list[Tree]] = {}
    for name, level in zip(dag.names, dag.levels(), strict=True):
        levels.setdefault(level, []).append(Leaf(name))
    return sequence(parallel(levels[level], rank) for level in sorted(levels))


def emitted(plan: ExecutionPlan, tree: Tree) -> Compiled:
    """The machines of any tree of the plan's steps."""
    own, *parts = emit(plan, fitted(plan, Nest(tree, {}, {}), brief=False))
    return Compiled(
        encode_machine(own.machine, readable=False),
        tuple(Part(part.name, encode_machine(part.machine, readable=False)) for part in reversed(parts)),
    )
