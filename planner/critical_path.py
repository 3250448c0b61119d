"""The longest chain of steps: what no machine can be quicker than, however many functions run at once."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from solidstate.planner.plan import ExecutionPlan
from solidstate.planner.shape import STEP_OVERHEAD_S, UNKNOWN_S


class CriticalPath(msgspec.Struct, frozen=True):
    """``steps`` in order, and how long they take one after the other."""

    seconds: float
    steps: tuple[str, ...]


def critical_path(
    plan: ExecutionPlan, seconds: Mapping[str, float] | None = None, overhead_s: float = STEP_OVERHEAD_S
) -> CriticalPath:
    """Of ``plan``, each step taking ``overhead_s`` beside its own time; mapped steps as if for one item. The same for
    the same plan: of several longest paths the one through the steps that come first."""
    known = seconds or {}
    ends: dict[str, float] = {}
    latest: dict[str, str | None] = {}
    for step in plan.steps:  # topological
        before = list(step.upstream() if step.map_over is None else (step.map_over.step, *step.upstream()))
        latest[step.name] = max(before, key=lambda name: ends[name], default=None)
        begin = max((ends[name] for name in before), default=0.0)
        ends[step.name] = begin + known.get(step.name, UNKNOWN_S) + overhead_s
    last = max(ends, key=lambda name: ends[name], default=None)
    path: list[str] = []
    at = last
    while at is not None:
        path.append(at)
        at = latest[at]
    return CriticalPath(ends[last] if last is not None else 0.0, tuple(reversed(path)))
