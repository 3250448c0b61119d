"""An execution and all that belongs to it, read from their histories: once, or again and again while it runs.

What is nested is an execution of its own and is read like the first one. The items of a distributed Map are, too, by
the thousand: their histories are only read for items of which nothing else is known, and not too many of them.
"""

from __future__ import annotations

from collections.abc import Collection

from solidstate.errors import RunNotFound
from solidstate.handler.upstream import each
from solidstate.infra.execution_history import Invocation, Timeline, read_history
from solidstate.infra.executions import Execution, Executions
from solidstate.infra.lost_ends import Unit

WORKERS = 8
MAX_CHILDREN = 400
"""Child executions whose histories are read for one answer: as many GetExecutionHistory requests as the service takes
at once (Step Functions developer guide, "Service quotas", API throttling)."""
_AT_A_TIME = 40


class Watch:
    """One execution with those nested in it."""

    def __init__(self, executions: Executions, arn: str) -> None:
        self._executions = executions
        self._timelines: dict[str, Timeline] = {arn: Timeline()}

    @property
    def invocations(self) -> list[Invocation]:
        """All that are known so far."""
        return [one for timeline in self._timelines.values() for one in timeline.invocations]

    @property
    def nested(self) -> list[str]:
        """The executions nested in it that have not ended."""
        return [arn for arn, timeline in list(self._timelines.items())[1:] if not timeline.over]

    @property
    def maps(self) -> tuple[int, int]:
        """How many distributed Maps there were so far, whose items are run in executions that are not read here; and
        how many of them go on."""
        timelines = self._timelines.values()
        return sum(len(one.map_runs) for one in timelines), sum(one.open_map_runs for one in timelines)

    def poll(self) -> list[Invocation]:
        """Read what is new; gives the invocations that began or ended with it. Raises RunNotFound for an execution that
        Step Functions has forgotten."""
        changed: list[Invocation] = []
        todo = list(self._timelines)
        for arn in todo:  # grows meanwhile
            timeline = self._timelines[arn]
            if timeline.over:
                continue
            changed += timeline.take(self._executions.history(arn, after=timeline.last))
            fresh = [one for one in timeline.nested if one not in self._timelines]
            self._timelines.update({one: Timeline() for one in fresh})
            todo += fresh
        return changed

    def settle(self) -> None:
        """The execution is known to have ended, whether its history says so yet or not."""
        for invocation in self.invocations:
            invocation.settled = True

    def look_into_maps(self, wanted: Collection[Unit]) -> int:
        """Read the histories of items until all the ``wanted`` are found; gives how many executions were not read.

        The longest first: what timed out, was throttled or ran out of memory took its time.
        """
        missing = set(wanted) - {(one.step, one.item) for one in self.invocations if one.kind == "step"}
        if not missing:
            return 0
        maps = [arn for timeline in list(self._timelines.values()) for arn in timeline.map_runs]
        children = sorted((child for arn in maps for child in self._executions.children(arn)), key=_telling)
        looked_at = children[:MAX_CHILDREN]
        for begin in range(0, len(looked_at), _AT_A_TIME):
            chunk = looked_at[begin : begin + _AT_A_TIME]
            for child, timeline in zip(chunk, each(self._read, chunk, WORKERS), strict=True):
                self._timelines[child.arn] = timeline
                missing -= {(one.step, one.item) for one in timeline.invocations}
            if not missing:
                return 0
        return len(children) - len(looked_at)

    def _read(self, child: Execution) -> Timeline:
        try:
            return read_history(self._executions.history(child.arn))
        except RunNotFound:  # forgotten meanwhile
            return Timeline()


def _telling(child: Execution) -> tuple[bool, float]:
    """Sorts those first that have something to tell."""
    took = (child.stopped_at or child.started_at) - child.started_at
    return child.status == "SUCCEEDED", -took
