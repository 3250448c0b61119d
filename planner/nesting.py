"""The state machine of a plan as a picture of itself: its tree, with what each Map runs inside.

What shows a plan to people (the tree, the explanation, the drawing) starts from here.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from solidstate.planner.plan import ExecutionPlan, OutputRef
from solidstate.planner.regions import Region, dag_inside, units_of
from solidstate.planner.shape import shape
from solidstate.planner.tree import Tree, entries, exits


class Nesting(msgspec.Struct, frozen=True):
    """``tree`` has units at its leaves: steps, and regions by name, which become one Map each. ``inside`` is the tree of
    what each region does with one item."""

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
        """The unit of each step that is not one itself."""
        return {step.name: name for name, region in self.regions.items() for step in region.steps}

    def over(self, unit: str) -> OutputRef | None:
        """The dynamic output whose items a region is run for."""
        return self.regions[unit].over if unit in self.regions else None


def nesting_of(plan: ExecutionPlan, seconds: Mapping[str, float] | None = None) -> Nesting:
    """The nesting that ``planner.compile`` writes down for the same plan and estimates."""
    units = units_of(plan)
    inside = {name: shape(dag_inside(region)) for name, region in units.regions.items()}
    return Nesting(shape(units.dag), units.regions, inside)
