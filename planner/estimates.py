"""How long steps take and how many items they have: measured where runs tell, assumed where they do not.

Estimates change what a plan is said to cost and which steps are likely to park; never what waits for what.
"""

from __future__ import annotations

from statistics import median

import msgspec

from solidstate.planner.limits import MAX_INLINE_ITEMS
from solidstate.planner.map_states import DISTRIBUTED_CONCURRENCY, MAP_CONCURRENCY
from solidstate.planner.plan import ExecutionPlan, OutputRef
from solidstate.planner.shape import UNKNOWN_S
from solidstate.planner.simulated_steps import ASSUMED_ITEMS


class Measured(msgspec.Struct, frozen=True):
    """What runs have measured, by step. ``seconds``: from its beginning to its end; ``work``: of all its invocations
    together, which is more for a mapped step; ``items``: how many it was run for."""

    runs: tuple[str, ...] = ()
    seconds: dict[str, float] = {}
    work: dict[str, float] = {}
    items: dict[str, int] = {}


class Estimates(msgspec.Struct, frozen=True):
    """The same for every step of a plan. ``runs`` are those that were measured, ``assumed`` the steps they do not
    tell about: such a step is taken to last ``typical_s``."""

    seconds: dict[str, float]
    work: dict[str, float]
    items: dict[str, int]
    typical_s: float = UNKNOWN_S
    runs: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


def map_concurrency(max_items: int) -> int:
    """How many items of an output of so many at most are run at a time."""
    return MAP_CONCURRENCY if max_items <= MAX_INLINE_ITEMS else DISTRIBUTED_CONCURRENCY


def most_items(plan: ExecutionPlan) -> dict[OutputRef, int]:
    """Of each dynamic output the most items it may have."""
    return {OutputRef(step.name, out.name): out.max_items for step in plan.steps for out in step.outputs if out.dynamic}


def estimates_of(plan: ExecutionPlan, measured: Measured | None = None) -> Estimates:
    """Estimates for every step of ``plan``: what was measured, and the median of that where nothing was."""
    found = measured or Measured()
    steps = {step.name: step for step in plan.steps}
    known = [found.seconds[name] for name in steps if name in found.seconds]
    typical = median(known) if known else UNKNOWN_S
    # Where no run tells, as many items as the simulation takes, or as an output may have if these are fewer.
    most = most_items(plan)
    items = {
        name: found.items.get(name, min(ASSUMED_ITEMS, most.get(step.map_over, ASSUMED_ITEMS)))
        for name, step in steps.items()
        if step.map_over is not None
    }
    seconds: dict[str, float] = {}
    work: dict[str, float] = {}
    for name, step in steps.items():
        if name in found.seconds:
            seconds[name] = found.seconds[name]
            work[name] = found.work.get(name, seconds[name])
        elif step.map_over is None:
            seconds[name] = work[name] = typical
        else:
            rounds = -(-items[name] // map_concurrency(most.get(step.map_over, ASSUMED_ITEMS)))
            seconds[name], work[name] = typical * rounds, typical * items[name]
    assumed = tuple(name for name in steps if name not in found.seconds)
    return Estimates(seconds, work, items, typical, found.runs, assumed)
