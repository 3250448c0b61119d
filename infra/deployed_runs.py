"""The history of a deployed pipeline: Step Functions says which runs there are and how they stand, S3 what they did.

Of a bucket alone, the run records in it are the list; then Step Functions is asked about the runs that are shown.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from solidstate.errors import IntermediateError, MissingObject, RunNotFound, closest
from solidstate.handler.recorder import Observer
from solidstate.handler.upstream import each
from solidstate.infra.deployed import Deployed, DeployedMachine
from solidstate.infra.deployed_facts import deployed_facts
from solidstate.infra.executions import Execution
from solidstate.infra.following import Follower
from solidstate.infra.reconciling import Repair, lacking, repair
from solidstate.infra.run_facts import RunFacts
from solidstate.infra.run_history import Listing
from solidstate.storage import keys
from solidstate.storage.history import find_run, list_runs, record_of, run_ids, step_names, summary_of
from solidstate.storage.records import RunStatus, RunSummary
from solidstate.storage.store import ObjectStore

WORKERS = 16
_STATUS: dict[str, RunStatus] = {
    "RUNNING": "running",
    "PENDING_REDRIVE": "running",
    "SUCCEEDED": "success",
    "ABORTED": "cancelled",
}


class DeployedHistory:
    """Runs of a stack, a machine, or a bucket."""

    local = False

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        self._executions = deployed.executions

    @property
    def place(self) -> str:
        return self._deployed.name

    @property
    def options(self) -> str:
        return self._deployed.place.options

    def latest(self, pipeline: str | None, limit: int) -> Listing:
        if not self._deployed.machines:
            every = list_runs(self._deployed.store)
            found = [run for run in every if pipeline in (None, run.pipeline)]
            names = list(dict.fromkeys(run.pipeline for run in every))
            shown = each(self._now, found[:limit], WORKERS)
            return Listing(shown, max(0, len(found) - limit), names)
        machines = [one for one in self._deployed.machines if pipeline in (None, one.pipeline)]
        names = [one.pipeline for one in self._deployed.machines]
        found_ones = list(itertools.islice(self._newest(machines), limit + 1))
        rows = each(lambda pair: self.of_execution(*pair), found_ones[:limit], WORKERS)
        return Listing(rows, None if len(found_ones) > limit else 0, names)

    def _newest(self, machines: list[DeployedMachine]) -> Iterator[tuple[DeployedMachine, Execution]]:
        """The executions of several machines, each newest first, as one list."""
        heads: list[tuple[DeployedMachine, Execution, Iterator[Execution]]] = []
        for machine in machines:
            executions = self._executions.latest(machine.arn)
            heads += [(machine, first, executions) for first in itertools.islice(executions, 1)]
        while heads:
            machine, newest, others = max(heads, key=lambda head: head[1].started_at)
            yield machine, newest
            heads.remove((machine, newest, others))
            heads += [(machine, following, others) for following in itertools.islice(others, 1)]

    def of_execution(self, machine: DeployedMachine, execution: Execution) -> RunSummary:
        """The run of an execution, as it stands; one that was refused at the gate has no record."""
        run = keys.run_id_from(execution.name)
        try:
            found = summary_of(self._deployed.store, machine.pipeline, run)
        except MissingObject:
            found = None
        except IntermediateError as error:  # damaged: must not hide the others
            return msgspec.structs.replace(_bare(machine, execution), status="interrupted", message=error.problem)
        if found is None or found.execution != execution.arn:
            return _bare(machine, execution)
        return _standing(found, execution)

    def _now(self, run: RunSummary) -> RunSummary:
        if run.status != "running" or not run.execution:
            return run
        try:
            return _standing(run, self._executions.describe(run.execution))
        except RunNotFound:
            return msgspec.structs.replace(run, status="interrupted")

    def find(self, wanted: str) -> RunSummary:
        machines = self._deployed.machines
        if not machines:
            return self._now(find_run(self._deployed.store, wanted))
        if wanted == "last":
            for machine, execution in self._newest(machines):
                return self.of_execution(machine, execution)
            raise RunNotFound(
                f"No run of `{self.place}` is on record.",
                subject=wanted,
                hint=f"start one with `solidstate start{self.options}`",
            )
        return self._named(wanted) or self._beginning(wanted)

    def _named(self, wanted: str) -> RunSummary | None:
        """The run of exactly that id or execution name."""
        run = keys.run_id_from(wanted)
        for machine in self._deployed.machines:
            try:
                found = summary_of(self._deployed.store, machine.pipeline, run)
            except MissingObject:
                continue
            return self._now_standing(found)
        for machine in self._deployed.machines:
            try:
                execution = self._executions.describe(machine.arn.execution(wanted))
            except RunNotFound:
                continue
            return self.of_execution(machine, execution)
        return None

    def _now_standing(self, run: RunSummary) -> RunSummary:
        try:
            return _standing(run, self._executions.describe(run.execution)) if run.execution else run
        except RunNotFound:
            return run

    def _beginning(self, wanted: str) -> RunSummary:
        """The only run whose id begins so."""
        store = self._deployed.store
        pipelines = {machine.pipeline for machine in self._deployed.machines}
        known = [pair for pipeline in pipelines for pair in run_ids(store, pipeline)]
        matches = [pair for pair in known if pair[1].startswith(wanted)]
        if len(matches) == 1:
            return self._now_standing(summary_of(store, *matches[0]))
        if matches:
            names = ", ".join(f"`{run}` ({owner})" for owner, run in matches[:5])
            raise RunNotFound(
                f"{len(matches)} runs begin with `{wanted}`: {names}.", subject=wanted, hint="write more of the id"
            )
        near = closest(wanted, [run for _, run in known])
        raise RunNotFound(
            f"There is no run `{wanted}` in `{self.place}`.",
            subject=wanted,
            hint=f"did you mean `{near}`?" if near else f"list the runs with `solidstate runs{self.options}`",
        )

    def facts(self, run: RunSummary) -> RunFacts:
        return deployed_facts(self._deployed.store, self._executions, run)

    def follow(self, run: RunSummary, observer: Observer) -> None:
        if run.status == "running" and run.execution:
            store, executions = self._deployed.store, self._executions
            Follower(executions, store, run.pipeline, run.run, run.execution, observer).follow()

    @property
    def store(self) -> ObjectStore:
        return self._deployed.store

    def every(self, pipeline: str | None) -> Iterator[RunSummary]:
        for owner in self._owners(pipeline):
            for of, run in run_ids(self.store, owner):
                try:
                    found = summary_of(self.store, of, run)
                except IntermediateError:
                    continue
                # What has succeeded cannot be taken up again: one request less for most of them.
                yield found if found.status == "success" else self._now_standing(found)

    def _owners(self, pipeline: str | None) -> list[str | None]:
        machines = [one.pipeline for one in self._deployed.machines if pipeline in (None, one.pipeline)]
        return [*machines] if self._deployed.machines else [pipeline]

    def lacking(self, pipeline: str | None) -> Iterator[RunSummary]:
        for owner in self._owners(pipeline):
            for of, run in lacking(self.store, owner):
                yield self._now_standing(summary_of(self.store, of, run))

    def repair(self, run: RunSummary, *, dry_run: bool) -> Repair | None:
        return repair(self._deployed.store, self.facts(run), dry_run=dry_run)

    def request(self, run: RunSummary) -> dict[str, Any]:
        return record_of(self._deployed.store, run.pipeline, run.run).request if run.plan else {}

    def steps(self, run: RunSummary) -> list[str]:
        return step_names(self._deployed.store, run.pipeline, run.plan) if run.plan else []


def _bare(machine: DeployedMachine, execution: Execution) -> RunSummary:
    """A run of which only the execution is known."""
    stopped = execution.stopped_at if execution.stopped_at is not None else time.time()
    return RunSummary(
        run=keys.run_id_from(execution.name),
        pipeline=machine.pipeline,
        plan="",
        mode="",
        status=_STATUS.get(execution.status, "failed"),
        started_at=execution.started_at,
        duration_s=round(max(0.0, stopped - execution.started_at), 3),
        execution=execution.arn,
        engine="aws",
    )


def _standing(run: RunSummary, execution: Execution) -> RunSummary:
    """A run as its summary has it, or, where that is not the last word, as its execution stands."""
    status = _STATUS.get(execution.status, "failed")
    if status == "success" and run.status != "running":
        status = run.status
    stopped = execution.stopped_at
    duration = run.duration_s if run.status != "running" or stopped is None else stopped - execution.started_at
    return msgspec.structs.replace(run, status=status, duration_s=round(duration, 3))
