"""What a drawing of a plan shows: a face for each step, a link for each edge."""

from __future__ import annotations

import msgspec

from solidstate.planner.graph import dag_of_plan, transitive_reduction
from solidstate.planner.layout import Link
from solidstate.planner.nest import Nest
from solidstate.planner.placement import Place, regions_of, rendezvous, step_places
from solidstate.planner.plan import ExecutionPlan, Step, StepOutput


class Face(msgspec.Struct, frozen=True):
    """What a box shows: two lines, and more in a tooltip. ``mapped``: it is run for each of some items. ``meets``: it
    has a rendezvous."""

    name: str
    below: str
    tooltip: str
    mapped: bool = False
    meets: bool = False


def faces_of(plan: ExecutionPlan, nest: Nest) -> dict[str, Face]:
    """By step, in plan order."""
    found = step_places(nest)
    return {step.name: _face(step, found.get(step.name, Place(step.name))) for step in plan.steps}


def _face(step: Step, place: Place) -> Face:
    gives = ", ".join(_given(out) for out in step.outputs)
    own_name = step.name.rpartition(".")[2]
    over = f"each of {step.map_over.step}.{step.map_over.output}" if step.map_over is not None else ""
    below = [f"{step.solid}:" if step.solid != own_name else "", f"{gives or 'no result'}{f', {over}' if over else ''}"]
    facts = [
        step.name,
        step.description,
        f"solid {step.solid}",
        f"gives {gives}" if gives else "",
        f"for {over}" if over else "",
        f"also waits for {', '.join(place.waits)}" if place.waits else "",
        f"in the nested execution {place.machine}" if place.machine else "",
    ]
    return Face(
        name=step.name,
        below=" ".join(part for part in below if part),
        tooltip="\n".join(fact for fact in facts if fact),
        mapped=step.map_over is not None,
        meets=bool(place.waits),
    )


def _given(out: StepOutput) -> str:
    if out.nothing:
        return "order only"
    return f"{out.type} items" if out.dynamic else out.type


def links_of(plan: ExecutionPlan, nest: Nest) -> list[Link]:
    """Every edge of the plan once. What it is stands as its lane: ``rendezvous``, ``optional`` (a result that may stay
    out), ``implied`` (by other edges, so that nothing waits for it) or ``data``."""
    region_of = regions_of(nest)
    meeting = rendezvous(nest)
    needed = set(transitive_reduction(dag_of_plan(plan)).edges())
    optional = {(step.name, out.name) for step in plan.steps for out in step.outputs if out.optional}
    links: list[Link] = []
    for step in plan.steps:
        used = {(ref.step, ref.output) for inp in step.inputs for ref in inp.sources}
        from_optional = {upstream for upstream, output in used if (upstream, output) in optional}
        here = region_of.get(step.name, step.name)
        for upstream in step.upstream():
            there = region_of.get(upstream, upstream)
            pair = (upstream, step.name) if there == here else (there, here)
            if pair in meeting and (upstream, step.name) in needed:
                lane = "rendezvous"
            elif upstream in from_optional:
                lane = "optional"
            else:
                lane = "data" if (upstream, step.name) in needed else "implied"
            links.append(Link(upstream, step.name, lane))
    return links
