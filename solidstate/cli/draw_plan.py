"""A plan as a drawing: an SVG document of boxes and lines, and what each kind of line means.

The coordinates come from :mod:`solidstate.planner.layout`. The drawing stands on its own, as a file or inside a page:
no scripts, no fonts, no links; it follows the reader's light or dark scheme, every box has a tooltip, and what colour
says dashes say, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from solidstate.cli.plan_picture import Face, faces_of, links_of
from solidstate.cli.svg import element, fitted, number, text_element, text_width
from solidstate.cli.text import plural
from solidstate.planner.layout import Box, Drawing, Placed, Route, lay_out
from solidstate.planner.nest import Nest
from solidstate.planner.plan import ExecutionPlan

NAME, SMALL, TITLE = 13, 11, 18
"""Sizes of text in pixels."""
LONGEST = 900
"""Pixels a title or a description may take."""
MARGIN = 24
PADDING = 12
HEIGHT = 46
NARROWEST, WIDEST = 96, 300
TOO_WIDE = 3
"""A drawing so many times wider than high goes from left to right instead of down."""
STACK = 4
"""How far the boxes behind a mapped step look out."""

MEANINGS = {
    "data": "waits for its result",
    "optional": "an optional result: may stay out, and what needs it is then skipped",
    "rendezvous": "a rendezvous: the nesting has it elsewhere, the step waits by itself",
    "implied": "takes its result, which is there by then",
}
"""Of every kind of line, in the order of the legend."""
ITEMS = "runs once for each item"
LEGEND_ROW, LEGEND_TEXT = 18, 48
GAP = 28
"""Between the drawing and its legend."""

STYLE = """
.plan{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",Arial,sans-serif}
.plan .paper{fill:#fff}.plan .ink{fill:#1f2328}.plan .pale{fill:#59636e}
.plan .box{fill:#f6f8fa;stroke:#818b98}.plan .mapped{fill:#f3eefc;stroke:#8250df}
.plan .meets{stroke:#bc4c00;stroke-width:1.6}
.plan .line{fill:none;stroke-width:1.4;stroke:#59636e}.plan .implied{stroke:#d1d9e0}
.plan .optional{stroke-dasharray:1.5 4;stroke-linecap:round;stroke-width:1.8}
.plan .rendezvous{stroke:#bc4c00;stroke-dasharray:7 4}
.plan .head{fill:#59636e}.plan .head-implied{fill:#d1d9e0}.plan .head-rendezvous{fill:#bc4c00}
@media (prefers-color-scheme:dark){
.plan .paper{fill:#0d1117}.plan .ink{fill:#f0f6fc}.plan .pale{fill:#9198a1}
.plan .box{fill:#151b23;stroke:#656c76}.plan .mapped{fill:#211a33;stroke:#ab7df8}.plan .meets{stroke:#f0883e}
.plan .line{stroke:#9198a1}.plan .implied{stroke:#3d444d}.plan .rendezvous{stroke:#f0883e}
.plan .head{fill:#9198a1}.plan .head-implied{fill:#3d444d}.plan .head-rendezvous{fill:#f0883e}}
"""
"""Plain colours, no variables: not every program that shows SVG knows them."""


def drawing_of(plan: ExecutionPlan, nest: Nest) -> str:
    """The whole drawing as an SVG document."""
    faces = faces_of(plan, nest)
    boxes = [Box(name, _width(face), HEIGHT + (2 * STACK if face.mapped else 0)) for name, face in faces.items()]
    links = links_of(plan, nest)
    drawing, direction = lay_out(boxes, links, "down"), "down"
    if drawing.width > TOO_WIDE * drawing.height:
        turned = lay_out(boxes, links, "right")
        if turned.width < drawing.width:
            drawing, direction = turned, "right"
    return _document(plan, faces, drawing, right=direction == "right")


def _width(face: Face) -> float:
    wanted = max(text_width(face.name, NAME, bold=True), min(text_width(face.below, SMALL), 170)) + 2 * PADDING
    return min(WIDEST, max(NARROWEST, wanted)) + (2 * STACK if face.mapped else 0)


def _document(plan: ExecutionPlan, faces: Mapping[str, Face], drawing: Drawing, *, right: bool) -> str:
    lanes = [lane for lane in MEANINGS if any(route.link.lane == lane for route in drawing.routes)]
    facts = f"{plural(len(plan.steps), 'step')}, {plural(len(drawing.routes), 'edge')}"
    head, head_width, head_height = _head(plan, facts)
    legend, legend_width, legend_height = _legend(lanes, mapped=any(face.mapped for face in faces.values()))
    top = MARGIN + head_height + GAP
    below = top + drawing.height + GAP
    width = max(drawing.width, head_width, legend_width) + 2 * MARGIN
    height = below + legend_height + MARGIN
    whole = element(
        "svg",
        text_element("title", f"Plan of {plan.pipeline}", id="plan-title"),
        text_element("desc", f"{facts}; arrows lead from a step to those that need its result", id="plan-desc"),
        element("style", STYLE),
        element("defs", *(_arrow(lane) for lane in lanes)),
        element("rect", class_="paper", width=width, height=height),
        element("g", head, transform=_moved(MARGIN, MARGIN)),
        element(
            "g",
            *_lines(drawing.routes, right=right),
            *(_box(placed, faces[placed.id]) for placed in drawing.boxes),
            transform=_moved((width - drawing.width) / 2, top),
        ),
        element("g", legend, transform=_moved(MARGIN, below)),
        xmlns="http://www.w3.org/2000/svg",
        class_="plan",
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=width,
        height=height,
        role="img",
        aria_labelledby="plan-title plan-desc",
    )
    return whole + "\n"


def _moved(x: float, y: float) -> str:
    return f"translate({number(x)} {number(y)})"


def _head(plan: ExecutionPlan, facts: str) -> tuple[str, float, float]:
    """Name, size and description; with its width and height."""
    name, told = fitted(plan.pipeline, LONGEST, TITLE, bold=True), fitted(plan.description, LONGEST, NAME)
    beside = text_width(name, TITLE, bold=True) + PADDING
    lines = [
        text_element("text", name, class_="ink", font_size=TITLE, font_weight=600, y=14),
        text_element("text", facts, class_="pale", font_size=SMALL, x=beside, y=14),
    ]
    if told:
        lines.append(text_element("text", told, class_="pale", font_size=NAME, y=36))
    width = max(beside + text_width(facts, SMALL), text_width(told, NAME))
    return "".join(lines), width, 40.0 if told else 18.0


def _box(placed: Placed, face: Face) -> str:
    """A box with its two lines; behind that of a mapped step two more."""
    behind = (2 * STACK, STACK) if face.mapped else ()
    width, height = placed.width - 2 * STACK * face.mapped, placed.height - 2 * STACK * face.mapped
    x, y = placed.x - placed.width / 2, placed.y - placed.height / 2
    kind = "box" + (" mapped" if face.mapped else "") + (" meets" if face.meets else "")
    room, middle = width - 2 * PADDING, x + width / 2
    name, below = fitted(face.name, room, NAME, bold=True), fitted(face.below, room, SMALL)
    return element(
        "g",
        text_element("title", face.tooltip),
        *(
            element("rect", class_=kind, x=x + shift, y=y + shift, width=width, height=height, rx=7)
            for shift in (*behind, 0)
        ),
        element(
            "g",
            text_element("text", name, class_="ink", font_size=NAME, font_weight=600, x=middle, y=y + 20),
            text_element("text", below, class_="pale", font_size=SMALL, x=middle, y=y + 36),
            text_anchor="middle",
        ),
    )


def _lines(routes: Iterable[Route], *, right: bool) -> list[str]:
    """Routes as curves. Faint ones first, so that they lie below the others."""
    order = sorted(MEANINGS, key=lambda lane: lane != "implied")
    drawn = sorted(routes, key=lambda route: order.index(route.link.lane))
    return [
        element(
            "path",
            class_=f"line {route.link.lane}",
            d=path_of(route, right=right),
            marker_end=f"url(#plan-{route.link.lane})",
        )
        for route in drawn
    ]


def path_of(route: Route, *, right: bool) -> str:
    """A smooth path: in the direction of the drawing at both ends of each bend, straight past what lies between."""
    said = [f"M{_point(*route.start)}"]
    at = route.start
    for bend in route.bends:
        (x1, y1), (x2, y2) = bend.start, bend.end
        if bend.start != at:
            said.append(f"L{_point(x1, y1)}")
        one, other = ((x1 + x2) / 2, y1), ((x1 + x2) / 2, y2)
        if not right:
            one, other = (x1, (y1 + y2) / 2), (x2, (y1 + y2) / 2)
        said.append(f"C{_point(*one)} {_point(*other)} {_point(x2, y2)}")
        at = bend.end
    if route.end != at:
        said.append(f"L{_point(*route.end)}")
    return "".join(said)


def _point(x: float, y: float) -> str:
    return f"{number(x)} {number(y)}"


def _arrow(lane: str) -> str:
    return element(
        "marker",
        element("path", class_=f"head head-{lane}", d="M0 0L8 4L0 8z"),
        id=f"plan-{lane}",
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
    samples = [(_sample_line(lane, LEGEND_ROW * row + 6), MEANINGS[lane]) for row, lane in enumerate(lanes)]
    if mapped:
        samples.append((_sample_stack(LEGEND_ROW * len(samples)), ITEMS))
    rows = [
        sample + text_element("text", text, class_="pale", font_size=SMALL, x=LEGEND_TEXT, y=LEGEND_ROW * row + 10)
        for row, (sample, text) in enumerate(samples)
    ]
    widest = max((text_width(text, SMALL) for _, text in samples), default=0.0)
    return "".join(rows), LEGEND_TEXT + widest, float(LEGEND_ROW * len(rows))


def _sample_line(lane: str, y: float) -> str:
    return element("path", class_=f"line {lane}", d=f"M0 {number(y)}L36 {number(y)}", marker_end=f"url(#plan-{lane})")


def _sample_stack(y: float) -> str:
    return "".join(
        element("rect", class_="box mapped", x=8 + step, y=y + step, width=18, height=9, rx=2) for step in (4, 2, 0)
    )
