"""A plan as a drawing: boxes for steps, lines for what they hand on, and what each kind of line means.

The coordinates come from :mod:`solidstate.planner.layout`. The drawing stands on its own, as a file or inside a page:
no scripts, no fonts, no links; it follows the reader's light or dark scheme, every box has a tooltip, and what colour
says dashes say, too.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from solidstate.cli.svg import element, fitted, number, text_element, text_width
from solidstate.cli.text import plural
from solidstate.planner.graph import dag_of_plan, transitive_reduction
from solidstate.planner.layout import Box, Direction, Drawing, Link, Placed, Route, lay_out
from solidstate.planner.nesting import Nesting
from solidstate.planner.placement import Place, places
from solidstate.planner.plan import ExecutionPlan, Step

NAME, SMALL, TITLE = 13, 11, 18
"""Sizes of text in pixels."""
MARGIN = 24
PADDING = 12
HEIGHT = 46
NARROWEST, WIDEST = 96, 300
STACK = 4
"""How far the boxes behind a mapped step look out."""

MEANINGS = {
    "data": "waits for its result",
    "optional": "an optional result: may stay out, and what needs it is skipped",
    "rendezvous": "a rendezvous: the nesting places it elsewhere, the step waits by itself",
    "implied": "takes its result, which is there by then",
}

STYLE = """
svg{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",Arial,sans-serif}
.bg{fill:#fff}.t{fill:#1f2328}.m{fill:#59636e}
.box{fill:#f6f8fa;stroke:#818b98}.mapped{fill:#f3eefc;stroke:#8250df}.meets{stroke:#bc4c00;stroke-width:1.6}
.e{fill:none;stroke-width:1.4}.data,.optional{stroke:#59636e}.implied{stroke:#d1d9e0}
.rendezvous{stroke:#bc4c00;stroke-dasharray:7 4}.optional{stroke-dasharray:1.5 4;stroke-linecap:round;stroke-width:1.8}
.a-data,.a-optional{fill:#59636e}.a-implied{fill:#d1d9e0}.a-rendezvous{fill:#bc4c00}
@media (prefers-color-scheme:dark){
.bg{fill:#0d1117}.t{fill:#f0f6fc}.m{fill:#9198a1}
.box{fill:#151b23;stroke:#656c76}.mapped{fill:#211a33;stroke:#ab7df8}.meets{stroke:#f0883e}
.data,.optional{stroke:#9198a1}.implied{stroke:#3d444d}.rendezvous{stroke:#f0883e}
.a-data,.a-optional{fill:#9198a1}.a-implied{fill:#3d444d}.a-rendezvous{fill:#f0883e}}
"""


class Face(msgspec.Struct, frozen=True):
    """What a box shows: two lines, and all of it in a tooltip."""

    name: str
    below: str
    tooltip: str
    mapped: bool = False
    meets: bool = False


def drawing_of(plan: ExecutionPlan, nesting: Nesting, direction: Direction | None = None) -> str:
    """The whole drawing as an SVG document. Without a ``direction``, the one that comes nearer to a page's shape."""
    faces = faces_of(plan, nesting)
    boxes = [Box(name, _width(face), HEIGHT + (2 * STACK if face.mapped else 0)) for name, face in faces.items()]
    links = links_of(plan, nesting)
    drawing = lay_out(boxes, links, direction or "down")
    if direction is None and drawing.width > 3 * drawing.height:
        other = lay_out(boxes, links, "right")
        if other.width * other.height < drawing.width * drawing.height or drawing.width > 8 * drawing.height:
            drawing, direction = other, "right"
    return _document(plan, faces, drawing, right=direction == "right")


def links_of(plan: ExecutionPlan, nesting: Nesting) -> list[Link]:
    """Every edge of the plan once, with what it is as its lane."""
    unit_of = nesting.unit_of()
    waits = {
        place.unit: {unit_of.get(name, name) for name in place.waits}
        for place in places(nesting.tree)
        if isinstance(place, Place)
    }
    needed = set(transitive_reduction(dag_of_plan(plan)).edges())
    optional = {(step.name, out.name) for step in plan.steps for out in step.outputs if out.optional}
    links: list[Link] = []
    for step in plan.steps:
        used = {(ref.step, ref.output) for inp in step.inputs for ref in inp.sources}
        mine = unit_of.get(step.name, step.name)
        for upstream in step.upstream():
            theirs = unit_of.get(upstream, upstream)
            if theirs != mine and theirs in waits.get(mine, ()) and (upstream, step.name) in needed:
                lane = "rendezvous"
            elif any(one in optional for one in used if one[0] == upstream):
                lane = "optional"
            else:
                lane = "data" if (upstream, step.name) in needed else "implied"
            links.append(Link(upstream, step.name, lane))
    return links


def faces_of(plan: ExecutionPlan, nesting: Nesting) -> dict[str, Face]:
    """What the box of each step shows, in plan order."""
    unit_of = nesting.unit_of()
    found = {place.unit: place for place in places(nesting.tree) if isinstance(place, Place)}
    return {step.name: _face(step, found.get(unit_of.get(step.name, step.name))) for step in plan.steps}


def _face(step: Step, place: Place | None) -> Face:
    gives = ", ".join(_output(out.type, dynamic=out.dynamic, nothing=out.nothing) for out in step.outputs)
    solid = step.solid if step.solid != step.name.rpartition(".")[2] else ""
    over = f"for each {step.map_over.output} of {step.map_over.step}" if step.map_over else ""
    facts = [
        step.name,
        step.description,
        f"solid {step.solid}",
        f"gives {gives}" if gives else "",
        over,
        f"runs in the nested execution {place.machine}" if place and place.machine else "",
        f"also waits for {', '.join(place.waits)}" if place and place.waits else "",
    ]
    below = [f"{solid}:" if solid else "", gives or ("no result" if not over else ""), over]
    return Face(
        step.name,
        " ".join(part for part in below if part),
        "\n".join(fact for fact in facts if fact),
        mapped=step.map_over is not None,
        meets=bool(place and place.waits),
    )


def _output(type_name: str, *, dynamic: bool, nothing: bool) -> str:
    return "done" if nothing else f"{type_name} items" if dynamic else type_name


def _width(face: Face) -> float:
    wanted = max(text_width(face.name, NAME, bold=True), min(text_width(face.below, SMALL), 170)) + 2 * PADDING
    return min(WIDEST, max(NARROWEST, wanted)) + (2 * STACK if face.mapped else 0)


def _document(plan: ExecutionPlan, faces: dict[str, Face], drawing: Drawing, *, right: bool) -> str:
    lanes = [lane for lane in MEANINGS if any(route.link.lane == lane for route in drawing.routes)]
    facts = f"{plural(len(plan.steps), 'step')}, {plural(len(drawing.routes), 'edge')}"
    head = _head(plan, facts)
    legend, legend_width, legend_height = _legend(lanes, mapped=any(face.mapped for face in faces.values()))
    top = MARGIN + (64 if plan.description else 44)
    width = max(drawing.width, legend_width, 360) + 2 * MARGIN
    height = top + drawing.height + 28 + legend_height + MARGIN
    left = MARGIN + max(0.0, (width - 2 * MARGIN - drawing.width) / 2)
    summary = f"{facts}; arrows lead from a step to what needs its result"
    return (
        element(
            "svg",
            text_element("title", f"Plan of {plan.pipeline}", id="title"),
            text_element("desc", summary, id="desc"),
            element("style", STYLE),
            element("defs", *(_arrow(lane) for lane in lanes)),
            element("rect", class_="bg", width=width, height=height),
            element("g", head, transform=f"translate({MARGIN} {MARGIN})"),
            element(
                "g",
                *_lines(drawing.routes, right=right),
                *(_box(placed, faces[placed.id]) for placed in drawing.boxes),
                transform=f"translate({number(left)} {number(top)})",
            ),
            element("g", legend, transform=f"translate({MARGIN} {number(top + drawing.height + 28)})"),
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {number(width)} {number(height)}",
            width=width,
            height=height,
            role="img",
            aria_labelledby="title desc",
        )
        + "\n"
    )


def _head(plan: ExecutionPlan, facts: str) -> str:
    lines = [text_element("text", plan.pipeline, class_="t", font_size=TITLE, font_weight="600", y=14)]
    lines.append(
        text_element(
            "text", facts, class_="m", font_size=SMALL, x=text_width(plan.pipeline, TITLE, bold=True) + 12, y=14
        )
    )
    if plan.description:
        lines.append(text_element("text", fitted(plan.description, 900, NAME), class_="m", font_size=NAME, y=36))
    return "".join(lines)


def _box(placed: Placed, face: Face) -> str:
    shift = STACK if face.mapped else 0
    width, height = placed.width - 2 * shift, placed.height - 2 * shift
    x, y = placed.x - placed.width / 2, placed.y - placed.height / 2
    kind = "box" + (" mapped" if face.mapped else "") + (" meets" if face.meets else "")
    behind = [
        element("rect", class_=kind, x=x + step, y=y + step, width=width, height=height, rx=7)
        for step in ((2 * shift, shift) if shift else ())
    ]
    room = width - 2 * PADDING
    middle = x + width / 2
    return element(
        "g",
        text_element("title", face.tooltip),
        *behind,
        element("rect", class_=kind, x=x, y=y, width=width, height=height, rx=7),
        text_element(
            "text",
            fitted(face.name, room, NAME, bold=True),
            class_="t",
            font_size=NAME,
            font_weight="600",
            text_anchor="middle",
            x=middle,
            y=y + 20,
        ),
        text_element(
            "text",
            fitted(face.below, room, SMALL),
            class_="m",
            font_size=SMALL,
            text_anchor="middle",
            x=middle,
            y=y + 36,
        ),
    )


def _lines(routes: Iterable[Route], *, right: bool) -> list[str]:
    """Routes as curves. Faint ones first, so that they lie below the others."""
    order = ["implied", "optional", "data", "rendezvous"]
    drawn = sorted(routes, key=lambda route: order.index(route.link.lane))
    return [
        element(
            "path", class_=f"e {route.link.lane}", d=path_of(route, right=right), marker_end=f"url(#{route.link.lane})"
        )
        for route in drawn
    ]


def path_of(route: Route, *, right: bool) -> str:
    """A smooth path: in the direction of the drawing at both ends of each bend, straight past what lies between."""
    said: list[str] = []
    for bend in route.bends:
        (x1, y1), (x2, y2) = bend.start, bend.end
        said.append(f"{'L' if said else 'M'}{number(x1)} {number(y1)}")
        if right:
            middle = (x1 + x2) / 2
            said.append(f"C{number(middle)} {number(y1)} {number(middle)} {number(y2)} {number(x2)} {number(y2)}")
        else:
            middle = (y1 + y2) / 2
            said.append(f"C{number(x1)} {number(middle)} {number(x2)} {number(middle)} {number(x2)} {number(y2)}")
    return "".join(said)


def _arrow(lane: str) -> str:
    return element(
        "marker",
        element("path", class_=f"a-{lane}", d="M0 0L8 4L0 8z"),
        id=lane,
        viewBox="0 0 8 8",
        refX=7,
        refY=4,
        markerWidth=7,
        markerHeight=7,
        orient="auto",
        markerUnits="userSpaceOnUse",
    )


def _legend(lanes: list[str], *, mapped: bool) -> tuple[str, float, float]:
    """What the lines and boxes in this drawing mean; with its width and height."""
    rows: list[str] = []
    widest = 0.0
    for lane in lanes:
        y = 18 * len(rows) + 6
        sample = element("path", class_=f"e {lane}", d=f"M0 {y}L36 {y}", marker_end=f"url(#{lane})")
        rows.append(sample + text_element("text", MEANINGS[lane], class_="m", font_size=SMALL, x=48, y=y + 4))
        widest = max(widest, 48 + text_width(MEANINGS[lane], SMALL))
    if mapped:
        y = 18 * len(rows) + 6
        stack = "".join(
            element("rect", class_="box mapped", x=8 + step, y=y - 6 + step, width=18, height=9, rx=2)
            for step in (4, 2, 0)
        )
        text = "runs once for each item"
        rows.append(stack + text_element("text", text, class_="m", font_size=SMALL, x=48, y=y + 4))
        widest = max(widest, 48 + text_width(text, SMALL))
    return "".join(rows), widest, 18.0 * len(rows)
