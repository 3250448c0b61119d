"""What each pass of the compiler makes of one graph, beside each other: reduce, contract, split, embed, fit, emit."""

from __future__ import annotations

import os
from pathlib import Path

from solidstate.planner.compile import compile_plan
from solidstate.planner.embed import embed
from solidstate.planner.fit import Weight, fit
from solidstate.planner.graph import dag_of
from solidstate.planner.lint import lint
from solidstate.planner.modules import Net
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepInput, StepOutput, encode_plan
from solidstate.planner.shape import contract, estimated_s, reduce, shape
from solidstate.planner.split import split
from solidstate.planner.tree import Leaf, leaves
from tests.planner.drawing import drawn_graph, drawn_net, on_one_line

GOLDEN = Path(__file__).parent.parent / "golden" / "passes"

# Two sources, each cleaned; what is joined needs both, what is counted one of them: an N, beside a diamond, before a
# report. And one edge that others imply.
STEPS = ["read", "lookup", "clean", "screen", "left", "right", "both", "join", "count", "map", "report", "mail"]
EDGES = [
    ("read", "clean"),
    ("clean", "left"),
    ("clean", "right"),
    ("left", "both"),
    ("right", "both"),
    ("lookup", "screen"),
    ("clean", "join"),
    ("screen", "join"),
    ("screen", "count"),
    ("screen", "map"),
    ("both", "report"),
    ("join", "report"),
    ("read", "report"),
    ("count", "mail"),
    ("map", "mail"),
]
SECONDS = {"clean": 30.0, "screen": 5.0}


def passes() -> str:
    """All of them as text."""
    dag = dag_of(STEPS, EDGES)
    reduced = reduce(dag)
    net = contract(reduced)
    blocks: list[str] = []

    def marked(block: Net, room: int) -> Leaf:
        blocks.append(f"block of {sorted(block.part)}, room for {room} Parallels")
        return Leaf(f"block {len(blocks)}")

    cut = split(contract(reduced), marked)
    tree = split(contract(reduced), lambda block, room: embed(block, lambda part: estimated_s(part, SECONDS), room))
    assert tree == shape(dag, SECONDS)
    assert sorted(leaves(tree)) == sorted(STEPS)
    names = iter(f"Part{number}" for number in range(1, 99))
    fitted, weight = fit(tree, lambda leaf: Weight(240_000, 400), lambda: next(names))
    chapters = {
        "graph": drawn_graph(dag),
        "reduce": drawn_graph(reduced),
        "contract": drawn_net(net),
        "split": [on_one_line(cut), *blocks],
        "embed, read in 1 s, clean in 30, screen in 5": [on_one_line(tree)],
        "fit, were a step a quarter of a machine": [on_one_line(fitted), f"the outermost machine: {weight}"],
    }
    return "\n\n".join("\n".join([f"# {title}", *lines]) for title, lines in chapters.items()) + "\n"


def test_every_pass_is_the_golden_one() -> None:
    """``UPDATE_GOLDEN=1`` rewrites the files; their difference is the review."""
    step = {
        name: Step(
            name,
            name,
            inputs=tuple(StepInput(f"in_{a}", "output", (OutputRef(a, "result"),)) for a, b in EDGES if b == name),
            outputs=(StepOutput("result"),),
        )
        for name in STEPS
    }
    plan = ExecutionPlan("passes", tuple(step[name] for name in dag_of(STEPS, EDGES).names))
    compiled = compile_plan(plan, SECONDS)
    files = {
        GOLDEN / "passes.txt": passes(),
        GOLDEN / "emit.plan.json": encode_plan(plan).decode() + "\n",
        GOLDEN / "emit.asl.json": compiled.definition.decode(),
    }
    for file, text in files.items():
        if os.environ.get("UPDATE_GOLDEN") == "1":
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8"), file.name
    assert lint(compiled.definition) == []


def test_the_same_whatever_order_edges_come_in() -> None:
    """Every pass, byte for byte."""
    assert shape(dag_of(STEPS, EDGES[::-1]), SECONDS) == shape(dag_of(STEPS, EDGES), SECONDS)
