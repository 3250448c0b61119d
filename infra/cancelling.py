"""Stop a run on Step Functions."""

from __future__ import annotations

import msgspec

from solidstate.errors import RunNotFound
from solidstate.infra.execution_watch import Watch
from solidstate.infra.executions import Executions
from solidstate.infra.lost_ends import Unit
from solidstate.storage.records import RunStatus, RunSummary

ERROR = "Cancelled"
MAX_CAUSE = 32_768
"""Characters of a cause (Step Functions API reference, StopExecution)."""


class Cancelled(msgspec.Struct, frozen=True):
    """What came of it. ``now``: this call stopped the run, which then was computing ``running``; ``status`` is how the
    run stands after it."""

    status: RunStatus
    now: bool
    running: list[Unit] = []


def cancel_run(executions: Executions, run: RunSummary, reason: str) -> Cancelled:
    """Stop a run and the executions nested in it; a run that has ended is left as it is. Raises RunNotFound for one
    that Step Functions does not know, and AwsUnavailable."""
    if not run.execution:
        raise RunNotFound(f"Run `{run.run}` is of no execution, so there is nothing to stop.", subject=run.run)
    if not executions.describe(run.execution).running:
        return Cancelled(run.status, now=False)
    watch = Watch(executions, run.execution)
    watch.poll()
    nested = watch.nested
    executions.stop(run.execution, ERROR, reason[:MAX_CAUSE])
    for arn in nested:  # the service stops them too, as far as the machine's role is allowed to
        executions.stop(arn, ERROR, reason[:MAX_CAUSE])
    running = [(one.step, one.item) for one in watch.invocations if one.kind == "step" and one.outcome == "running"]
    # It may have ended by itself between the two requests.
    stopped = executions.describe(run.execution).status == "ABORTED"
    return Cancelled("cancelled" if stopped else run.status, now=stopped, running=running if stopped else [])
