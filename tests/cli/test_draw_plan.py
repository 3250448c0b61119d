"""Drawn plans: a box for each step, a line for each edge, and its meaning in the legend; safe, plain and legible."""

from __future__ import annotations

import os
import re
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from solidstate.cli.draw_plan import MEANINGS, drawing_of
from solidstate.cli.plan_picture import links_of
from solidstate.planner.compile import machine_nest
from solidstate.planner.nest import Nest
from solidstate.planner.plan import ExecutionPlan, Step, StepOutput
from solidstate.planner.tree import Leaf
from tests.cli.test_plan_picture import every_line
from tests.cli.test_svg import parsed
from tests.planner.test_compile_run import plan_of, step

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "svg" / "every_line.svg"
N_SHAPE = plan_of(step("a"), step("b"), step("c", "a"), step("d", "a", "b"))


def boxes(root: ET.Element) -> dict[str, list[ET.Element]]:
    """The rectangles of each step, by what its first line says."""
    groups = [group for group in root.iter("g") if group.find("title") is not None]
    return {group.findall("g/text")[0].text or "": group.findall("rect") for group in groups}


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
    began = time.thread_time()
    drawing = drawing_of(plan, nest)
    assert time.thread_time() - began < 15
    assert len(drawing) < 3_000_000
