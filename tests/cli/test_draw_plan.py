"""Drawn plans: a box for each step, a line for each edge, and its meaning in the legend; safe, plain and legible."""

from __future__ import annotations

import os
import re
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from solidstate.cli.draw_plan import MEANINGS, drawing_of
from solidstate.cli.plan_picture import faces_of, links_of
from solidstate.planner.compile import machine_nest
from solidstate.planner.layout import Link
from solidstate.planner.nest import Nest
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepInput, StepOutput
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence
from tests.cli.test_svg import parsed
from tests.planner.test_compile_run import plan_of, step
from tests.planner.test_regions import collect, item, mapped, source

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "svg" / "every_line.svg"
N_SHAPE = plan_of(step("a"), step("b"), step("c", "a"), step("d", "a", "b"))


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


def boxes(root: ET.Element) -> dict[str, list[ET.Element]]:
    """The rectangles of each step, by what its first line says."""
    groups = [group for group in root.iter("g") if group.find("title") is not None]
    return {group.findall("g/text")[0].text or "": group.findall("rect") for group in groups}


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


def test_everything_is_drawn_and_explained() -> None:
    """Every step has its box, a mapped one three; every edge its line; every kind of line its row in the legend."""
    plan, nest = every_line()
    root = parsed(drawing_of(plan, nest))
    drawn = boxes(root)
    assert {name: len(rects) for name, rects in drawn.items()} == {
        one.name: 3 if one.map_over is not None else 1 for one in plan.steps
    }
    texts = [node.text for node in root.iter("text")]
    assert all(meaning in texts for meaning in MEANINGS.values())
    lines = [node.get("class", "") for node in root.iter("path") if node.get("class", "").startswith("line ")]
    assert len(lines) == len(links_of(plan, nest)) + len(MEANINGS)
    assert "runs once for each item" in texts


def test_the_legend_says_nothing_of_what_is_not_there() -> None:
    """A chain has one kind of line."""
    plan = plan_of(step("a"), step("b", "a"))
    texts = [node.text for node in parsed(drawing_of(plan, machine_nest(plan))).iter("text")]
    assert [text for text in texts if text in MEANINGS.values()] == [MEANINGS["data"]]


def test_nothing_of_a_name_is_markup() -> None:
    """Names, types, descriptions: of a step, of a solid, of a pipeline."""
    evil = '</title><script>alert(\'1\')</script>"><a href="javascript:alert(1)">'
    plan = ExecutionPlan(evil, (Step("a", evil, outputs=(StepOutput("result", evil),), description=evil),), evil)
    root = parsed(drawing_of(plan, Nest(Leaf("a"), {}, {})))
    allowed = {"svg", "title", "desc", "style", "defs", "marker", "path", "rect", "g", "text"}
    assert {node.tag for node in root.iter()} <= allowed
    assert not any(name.startswith("on") or "href" in name for node in root.iter() for name in node.attrib)
    tooltips = [node.text or "" for node in root.iter("title")]
    assert evil in tooltips[1]


def test_a_drawing_can_be_read_aloud_and_in_the_dark() -> None:
    """It has a role, a name and a description, and a second set of colours; it loads nothing and runs nothing."""
    plan, nest = every_line()
    drawing = drawing_of(plan, nest)
    root = parsed(drawing)
    assert root.get("role") == "img"
    labels = (root.get("aria-labelledby") or "").split()
    named = {node.get("id"): node.text for node in root.iter() if node.get("id") in labels}
    assert named["plan-title"] == "Plan of every_line"
    assert (named["plan-desc"] or "").startswith("9 steps, 9 edges")
    assert "@media (prefers-color-scheme:dark)" in drawing
    assert re.findall(r"https?://[^\"]+", drawing) == ["http://www.w3.org/2000/svg"]
    assert "url(http" not in drawing


def test_everything_is_inside_of_the_paper() -> None:
    """Boxes, title and legend."""
    plan, nest = every_line()
    root = parsed(drawing_of(plan, nest))
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    for group in root.findall("g"):
        found = re.fullmatch(r"translate\(([\d.]+) ([\d.]+)\)", group.get("transform", ""))
        assert found is not None
        left, top = float(found[1]), float(found[2])
        for rect in group.iter("rect"):
            x, y = left + float(rect.get("x", "0")), top + float(rect.get("y", "0"))
            assert 0 <= x <= x + float(rect.get("width", "0")) <= width
            assert 0 <= y <= y + float(rect.get("height", "0")) <= height


def test_a_wide_plan_is_drawn_from_left_to_right() -> None:
    """Forty steps side by side would be a strip; below each other they are a page."""
    wide = plan_of(step("a"), *(step(f"b{number}", "a") for number in range(40)))
    root = parsed(drawing_of(wide, machine_nest(wide)))
    assert float(root.get("height", "0")) > float(root.get("width", "0"))
    small = parsed(drawing_of(N_SHAPE, machine_nest(N_SHAPE)))
    first, last = (boxes(small)[name][0] for name in ("a", "c"))
    assert float(first.get("y", "0")) < float(last.get("y", "0"))


def test_the_drawing_is_the_one_on_file() -> None:
    """For people to look at when it changes; the same plan gives the same bytes."""
    plan, nest = every_line()
    drawing = drawing_of(plan, nest)
    assert drawing == drawing_of(*every_line())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(drawing)
    assert GOLDEN.read_text() == drawing


def test_two_thousand_steps_are_drawn_in_seconds() -> None:
    """And the drawing stays a file that a browser opens."""
    names = [f"step_number_{number}" for number in range(2_000)]
    plan = plan_of(*(step(name, *names[max(0, n - 45) : max(0, n - 43)]) for n, name in enumerate(names)))
    nest = machine_nest(plan)
    began = time.perf_counter()
    drawing = drawing_of(plan, nest)
    assert time.perf_counter() - began < 15
    assert len(drawing) < 3_000_000
