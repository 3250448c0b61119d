"""The nested form of a whole plan: one tree of its units, and one for what is inside of each region.

A region (steps that are mapped over the same items) is one leaf of the outer tree. Rendezvous never cross the edge of a
region: what waits for a step in it waits for the region, and inside of it each item has its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from solidstate.planner.plan import ExecutionPlan
from solidstate.planner.regions import Region, dag_inside, units_of
from solidstate.planner.shape import estimated_s, shape
from solidstate.planner.step_states import Meeting
from solidstate.planner.tree import Gate, Leaf, Tree, nodes


class Nest(msgspec.Struct, frozen=True):
    """``tree`` has the names of plain steps and of regions at its leaves, ``inside`` the steps of each region."""

    tree: Tree
    regions: dict[str, Region]
    inside: dict[str, Tree]

    def known(self, unit: str) -> str:
        """What a unit is called where others wait for it."""
        region = self.regions.get(unit)
        return region.known_as if region is not None else unit


def nest_of(plan: ExecutionPlan, seconds: Mapping[str, float] | None = None) -> Nest:
    """Shape the plan. ``seconds`` are estimates by step, of a mapped step for all of its items."""
    units = units_of(plan)
    known = dict(seconds or {})
    inside = {name: shape(dag_inside(region), known) for name, region in units.regions.items()}
    known |= {name: estimated_s(tree, known) for name, tree in inside.items()}
    return Nest(shape(units.dag, known), units.regions, inside)


def meetings_in(tree: Tree, nest: Nest) -> dict[str, Meeting]:
    """The rendezvous of one tree by unit, with the names the partners are known by."""
    waits: dict[str, tuple[str, ...]] = {}
    wakes: dict[str, list[str]] = {}
    for node in nodes(tree):
        if not isinstance(node, Leaf | Gate) or not node.waits:
            continue
        if isinstance(node, Leaf):
            waits[node.step] = tuple(nest.known(unit) for unit in node.waits)
        for unit in node.waits:
            wakes.setdefault(unit, []).append(nest.known(node.step))
    return {unit: Meeting(waits.get(unit, ()), tuple(wakes.get(unit, ()))) for unit in {**waits, **wakes}}
