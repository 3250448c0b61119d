"""The nesting of a whole plan, as everything that shows a plan to people starts from it: the tree, the explanation and
the drawing."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from solidstate.planner.plan import ExecutionPlan
from solidstate.planner.regions import Region, dag_inside, units_of
from solidstate.planner.shape import shape
from solidstate.planner.tree import Tree, entries, exits


class Nesting(msgspec.Struct, frozen=True):
    """``tree`` has units at its leaves: steps, and regions by name, which become one Map each. ``inside`` is the tree
    of what each region does with one item."""

    tree: Tree
    regions: dict[str, Region] = {}
    inside: dict[str, Tree] = {}

    def first_steps(self, unit: str) -> list[str]:
        """The steps a unit begins with: itself, or those of its region."""
        return entries(self.inside[unit]) if unit in self.inside else [unit]

    def last_steps(self, unit: str) -> list[str]:
        """The steps a unit ends with."""
        return exits(self.inside[unit]) if unit in self.inside else [unit]

    def unit_of(self) -> dict[str, str]:
        """The region of each step that is in one."""
        return {step.name: name for name, region in self.regions.items() for step in region.steps}


def nesting_of(plan: ExecutionPlan, seconds: Mapping[str, float] | None = None) -> Nesting:
    """The nesting that is compiled for the same plan and estimates."""
    units = units_of(plan)
    inside = {name: shape(dag_inside(region)) for name, region in units.regions.items()}
    return Nesting(shape(units.dag), units.regions, inside)
