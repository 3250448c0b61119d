"""What a drawing shows: each edge for what it is, each step with what it gives."""

from __future__ import annotations

from solidstate.cli.plan_picture import faces_of, links_of
from solidstate.planner.compile import machine_nest
from solidstate.planner.layout import Link
from solidstate.planner.nest import Nest
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepInput, StepOutput
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence
from tests.planner.test_compile_run import plan_of, step
from tests.planner.test_regions import collect, item, mapped, source


def after(name: str, *outputs: tuple[str, str]) -> Step:
    """A step that needs these outputs of steps."""
    inputs = tuple(StepInput(f"in_{step}_{out}", "output", (OutputRef(step, out),)) for step, out in outputs)
    return Step(name, name, inputs=inputs, outputs=(StepOutput("result", "Table"),))


def every_line() -> tuple[ExecutionPlan, Nest]:
    """A plan with every kind of line and box, and a nest that does not depend on the compiler."""
    sort = Step(
        "sort",
        "sort",
        description='Tell <good> from "bad" & odd.',
        inputs=(StepInput("rows", "output", (OutputRef("read", "result"),)),),
        outputs=(StepOutput("good", "Table"), StepOutput("odd", "Table", optional=True)),
    )
    steps = (
        Step("read", "read_csv", outputs=(StepOutput("result", "Table"),)),
        Step("names", "names", outputs=(StepOutput("result", "list[str]"),)),
        sort,
        Step("split", "split", outputs=(StepOutput("items", "Table", dynamic=True, max_items=9),)),
        mapped("clean", "split", item("split", "items")),
        Step("total", "total", inputs=(collect("clean"),), outputs=(StepOutput("result", "int"),)),
        after("keep", ("sort", "odd")),
        after("join", ("sort", "good"), ("names", "result")),
        after("page", ("join", "result"), ("read", "result"), ("total", "result")),
    )
    tree = Parallel(
        (
            Sequence(
                (
                    Leaf("read"),
                    Leaf("sort"),
                    Parallel((Leaf("keep"), Sequence((Leaf("join", ("names",)), Leaf("page", ("total",)))))),
                )
            ),
            Leaf("names"),
            Sequence((Leaf("split"), Leaf("clean for each items"), Nested("Part1", Leaf("total")))),
        )
    )
    plan = ExecutionPlan("every_line", steps, "Everything a drawing can show.")
    nest = machine_nest(plan)
    return plan, Nest(tree, nest.regions, nest.inside)


def test_what_an_edge_is_is_told_by_its_lane() -> None:
    """A rendezvous, an optional result, an edge that others imply, or plain data."""
    plan, nest = every_line()
    assert set(links_of(plan, nest)) == {
        Link("read", "sort", "data"),
        Link("sort", "keep", "optional"),
        Link("sort", "join", "data"),
        Link("names", "join", "rendezvous"),
        Link("join", "page", "data"),
        Link("read", "page", "implied"),
        Link("total", "page", "rendezvous"),
        Link("split", "clean", "data"),
        Link("clean", "total", "data"),
    }


def test_a_gate_makes_rendezvous_of_all_behind_it() -> None:
    """And of nothing further on."""
    plan = plan_of(step("a"), step("b"), step("x", "a", "b"), step("y", "a", "b"), step("z", "x"))
    behind = Parallel((Sequence((Leaf("x"), Leaf("z"))), Leaf("y")))
    nest = Nest(Parallel((Leaf("a"), Sequence((Leaf("b"), Gate("x", ("a",)), behind)))), {}, {})
    lanes = {(link.source, link.target): link.lane for link in links_of(plan, nest)}
    assert lanes == {
        ("a", "x"): "rendezvous",
        ("a", "y"): "rendezvous",
        ("b", "x"): "data",
        ("b", "y"): "data",
        ("x", "z"): "data",
    }


def test_a_region_has_its_rendezvous_as_a_whole() -> None:
    """From the steps it waits for to those of its steps that need them."""
    plan = ExecutionPlan(
        "demo",
        (
            source("x"),
            source("y"),
            mapped("a", "x", item("x", "items")),
            mapped("b", "x", item("a")),
            mapped("c", "y", item("y", "items"), collect("b")),
            mapped("d", "y", item("y", "items")),
        ),
    )
    lanes = {(link.source, link.target): link.lane for link in links_of(plan, machine_nest(plan))}
    assert lanes["y", "c"] == "rendezvous"
    assert lanes["b", "c"] == lanes["a", "b"] == lanes["y", "d"] == "data"


def test_a_face_says_what_a_step_is() -> None:
    """Its solid where that has another name, what it gives, what it is run for; more in the tooltip."""
    plan, nest = every_line()
    faces = faces_of(plan, nest)
    assert faces["read"].below == "read_csv: Table"
    assert faces["clean"].below == "Any, each of split.items"
    assert faces["split"].below == "Table items"
    assert (faces["join"].meets, faces["clean"].mapped, faces["sort"].meets) == (True, True, False)
    assert faces["sort"].tooltip == 'sort\nTell <good> from "bad" & odd.\nsolid sort\ngives Table, Table'
    assert faces["join"].tooltip.endswith("\nalso waits for names")
    assert faces["total"].tooltip.endswith("\nin the nested execution Part1")
