"""State names: step names wherever possible, legal and unique in the whole machine always.

Step Functions wants state names unique within a whole definition, branches included, and at most 80 characters long.
Names are given in a fixed order (our own states, then steps in plan order, then derived states), so a reader of an
execution history can compute a step's state from the plan alone.
"""

from __future__ import annotations

import hashlib
import re

from solidstate.planner.limits import MAX_STATE_NAME
from solidstate.planner.plan import ExecutionPlan

START_RUN = "Start run"
END_RUN = "End run"
READ_REFUSAL = "Read refusal"
RUN_REFUSED = "Run refused"
READ_FAILURES = "Read failures"
RUN_FAILED = "Run failed"
OWN_STATES = (START_RUN, END_RUN, READ_REFUSAL, RUN_REFUSED, READ_FAILURES, RUN_FAILED)

_ILLEGAL = re.compile(r"[^\w ._\-+=@()!']")
"""Letters and digits of any script are legal, and this punctuation."""


class NamePool:
    """Gives out names that were not given out before."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """``wanted`` if it is legal and free; else the nearest name that is: illegal characters become ``_``, the end
        of a long name becomes a hash, a repeated one gets a number."""
        text = _ILLEGAL.sub("_", wanted)
        if len(text) > MAX_STATE_NAME:
            text = f"{text[: MAX_STATE_NAME - 9]}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
        name, count = text, self._last.get(text, 1)  # of thousands of equal names each would try all before it
        while name in self._taken:
            count += 1
            mark = f" ({count})"
            name = text[: MAX_STATE_NAME - len(mark)] + mark
        self._last[text] = count
        self._taken.add(name)
        return name


def pool_for(plan: ExecutionPlan) -> tuple[NamePool, dict[str, str]]:
    """A pool in which our own states and all steps have their names, and the state of each step."""
    pool = NamePool()
    for name in OWN_STATES:
        pool.take(name)
    return pool, {step.name: pool.take(step.name) for step in plan.steps}


def state_names(plan: ExecutionPlan) -> dict[str, str]:
    """The state that runs each step."""
    return pool_for(plan)[1]
