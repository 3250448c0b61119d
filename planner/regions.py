"""Steps that are mapped over the same items, gathered into units that become one Map state each.

A step belongs to the items of one dynamic output or to none. What is ordered between the two kinds counts: a region
that is left by a collect and entered again must become two Map states, or the machine would wait for itself. So every
step has a phase: how often, on the way to it, the items were changed (entered, left, collected, or exchanged for those
of another output). Along every edge the phase stays or grows, and it grows along every edge between units that are not
plain steps; so units of steps with equal items and equal phase cannot form a cycle.
"""

from __future__ import annotations

import msgspec

from solidstate.planner.graph import Dag, dag_of
from solidstate.planner.limits import MAX_INLINE_ITEMS
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step


class Region(msgspec.Struct, frozen=True):
    """Steps that run side by side for each item of ``over``, in plan order. ``name`` is the unit's in the graph of
    units; no step can have it."""

    name: str
    over: OutputRef
    steps: tuple[Step, ...]
    max_items: int = 1
    listed: bool = False

    @property
    def known_as(self) -> str:
        """What the region is called where others have a rendezvous with it; outside of it nothing else has the name."""
        return self.steps[0].name


class Units(msgspec.Struct, frozen=True):
    """A plan with each region drawn together. ``dag`` has the names of plain steps and of regions."""

    dag: Dag
    regions: dict[str, Region]


def units_of(plan: ExecutionPlan) -> Units:
    """The regions of a plan, and the graph in which each is one node."""
    steps = {step.name: step for step in plan.steps}
    phases = _phases(plan, steps)
    members: dict[tuple[OutputRef, int], list[Step]] = {}
    for step in plan.steps:
        if step.map_over is not None:
            members.setdefault((step.map_over, phases[step.name]), []).append(step)
    regions: dict[str, Region] = {}
    unit_of = {step.name: step.name for step in plan.steps}
    for (over, _), inside in members.items():
        name = f"{inside[0].name} for each {over.output}"
        most = steps[over.step].output(over.output).max_items
        regions[name] = Region(name, over, tuple(inside), most, listed=most > MAX_INLINE_ITEMS)
        unit_of.update({step.name: name for step in inside})
    edges = [
        (unit_of[upstream], unit_of[step.name])
        for step in plan.steps
        for upstream in _awaited(step)
        if unit_of[upstream] != unit_of[step.name]
    ]
    return Units(dag_of(list(dict.fromkeys(unit_of[step.name] for step in plan.steps)), edges), regions)


def dag_inside(region: Region) -> Dag:
    """The graph of a region's own steps."""
    names = {step.name for step in region.steps}
    edges = [(upstream, step.name) for step in region.steps for upstream in step.upstream() if upstream in names]
    return dag_of([step.name for step in region.steps], edges)


def _awaited(step: Step) -> tuple[str, ...]:
    """What must be done before a step; for a mapped one its items must be there."""
    if step.map_over is None:
        return step.upstream()
    return tuple(dict.fromkeys((step.map_over.step, *step.upstream())))


def _phases(plan: ExecutionPlan, steps: dict[str, Step]) -> dict[str, int]:
    phases: dict[str, int] = {}
    for step in plan.steps:
        phase = 0
        collected = {ref.step for inp in step.inputs if inp.kind == "collect" for ref in inp.sources}
        for upstream in _awaited(step):
            changed = steps[upstream].map_over != step.map_over or upstream in collected
            phase = max(phase, phases[upstream] + changed)
        phases[step.name] = phase
    return phases
