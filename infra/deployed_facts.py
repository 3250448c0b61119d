"""All that is known of one run of a deployed pipeline: its records in S3 put together with the execution's history."""

from __future__ import annotations

import time

import msgspec

from solidstate.errors import MissingObject, RunNotFound
from solidstate.events import AnyEvent, EngineEvent
from solidstate.handler.items import item_keys
from solidstate.handler.upstream import each
from solidstate.infra.execution_watch import MAX_CHILDREN, Watch
from solidstate.infra.executions import Execution, Executions
from solidstate.infra.lost_ends import Unit, ended_units
from solidstate.infra.run_facts import RunFacts, died_of, run_facts
from solidstate.planner.contract import RUN_REFUSED
from solidstate.planner.plan import ExecutionPlan, Step, decode_plan
from solidstate.storage import keys
from solidstate.storage.history import events_of, items_so_far, record_of, step_events, stored_summary
from solidstate.storage.records import RunRecord, RunSummary
from solidstate.storage.store import ObjectStore

WORKERS = 16


def deployed_facts(store: ObjectStore, executions: Executions, run: RunSummary) -> RunFacts:
    """Raises StorageError, AwsUnavailable for what cannot be read."""
    if not run.plan:  # the gate refused it, or it never came that far
        why = _refusal(executions.describe(run.execution))
        return RunFacts(msgspec.structs.replace(run, message=why), [], why=why)
    record = record_of(store, run.pipeline, run.run)
    try:
        plan = decode_plan(store.get(keys.plan(run.pipeline, run.plan)))
    except (MissingObject, msgspec.MsgspecError):  # a plan of another version; the events still say something
        return RunFacts(run, list(events_of(store, run)))
    execution, watch = _watched(executions, record)
    events = _events(store, run, plan)  # after the history: what it says has ended is there
    items = mapped_items(store, plan, record)
    left, invocations = 0, []
    if watch is not None:
        left = watch.look_into_maps(_lacking(plan, items) - ended_units(events))
        invocations = watch.invocations
    stored = stored_summary(store, run.pipeline, run.run)
    found = run_facts(plan, record, events, stored, execution, invocations, items, time.time())
    return msgspec.structs.replace(found, events=[*found.events, _unread(record, left)]) if left else found


def _refusal(execution: Execution) -> str:
    if execution.running:
        return ""
    return execution.cause if execution.error == RUN_REFUSED else died_of(execution)


def _watched(executions: Executions, record: RunRecord) -> tuple[Execution | None, Watch | None]:
    """The execution and its history; nothing when Step Functions has forgotten them."""
    if not record.execution:
        return None, None
    watch = Watch(executions, record.execution)
    try:
        execution = executions.describe(record.execution)
        watch.poll()
        if not execution.running:
            watch.settle()
    except RunNotFound:
        return None, None
    return execution, watch


def _events(store: ObjectStore, run: RunSummary, plan: ExecutionPlan) -> list[AnyEvent]:
    """As ``storage.history.events_of``, many requests at a time."""
    if store.exists(keys.run_events(run.pipeline, run.run)):
        return list(events_of(store, run))

    def of_step(step: Step) -> list[AnyEvent]:
        items = [""] if step.map_over is None else items_so_far(store, run.pipeline, step.name, run.run)
        return [event for item in items for event in step_events(store, run.pipeline, step.name, run.run, item=item)]

    return [event for found in each(of_step, list(plan.steps), WORKERS) for event in found]


def mapped_items(store: ObjectStore, plan: ExecutionPlan, record: RunRecord) -> dict[str, list[str]]:
    """The items that mapped steps should be run for, where the step that yields them is done."""
    selected = record.request.get("steps")
    from_run = record.request.get("from_run")
    found: dict[str, list[str]] = {}
    for step in plan.steps:
        over = step.map_over
        if over is None or (selected is not None and step.name not in selected):
            continue
        runs = [record.run] if selected is None or over.step in selected else [from_run or record.run]
        items = item_keys(store, record.pipeline, over, runs)
        if items is not None:
            found[step.name] = items
    return found


def _lacking(plan: ExecutionPlan, items: dict[str, list[str]]) -> set[Unit]:
    """All items there should be of mapped steps."""
    return {(step.name, item) for step in plan.steps for item in items.get(step.name, [])}


def _unread(record: RunRecord, left: int) -> EngineEvent:
    return EngineEvent(
        run=record.run,
        pipeline=record.pipeline,
        execution=record.execution,
        seq=3,
        time=record.started_at,
        elapsed_s=0.0,
        message=f"of the items without a record, {left} executions were not looked at",
        fields={"looked_at": MAX_CHILDREN},
    )
