"""The nested form: what every node knows of those below it."""

from __future__ import annotations

import time

from hypothesis import given

from solidstate.planner.compile import compile_plan
from solidstate.planner.graph import dag_of
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepInput, StepOutput
from solidstate.planner.shape import shape
from solidstate.planner.tree import Gate, Leaf, Nested, first_step, leaves, nodes, size
from tests.planner.test_shape import Edges, graphs


@given(graphs(most=12))
def test_each_node_knows_its_first_step_and_how_many_there_are(graph: tuple[list[str], Edges]) -> None:
    """The same that going down to the leaves tells."""
    tree = shape(dag_of(*graph))
    for node in (Nested("Part1", tree), *nodes(tree)):
        steps = list(leaves(node))
        assert size(node) == len(steps)
        if not isinstance(node, Gate):
            held = next(inner for inner in nodes(node) if isinstance(inner, Leaf | Gate))
            assert first_step(node) == held.step


def test_a_deep_nest_compiles_as_fast_as_a_flat_one() -> None:
    """Two thousand joins, each of one step more: an in-tree as deep as it has joins. Processor time, as other work may
    go on beside it. Looking for the first step anew from each level would take several times as long."""
    out = (StepOutput("result"),)
    steps = [Step("join0", "one", outputs=out)]
    for number in range(1, 2_000):
        inputs = tuple(
            StepInput(name, "output", (OutputRef(name, "result"),)) for name in (f"join{number - 1}", f"leaf{number}")
        )
        steps += [Step(f"leaf{number}", "one", outputs=out), Step(f"join{number}", "two", inputs=inputs, outputs=out)]
    began = time.process_time()
    compile_plan(ExecutionPlan("demo", tuple(steps)))
    assert time.process_time() - began < 4
