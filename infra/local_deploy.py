"""A pipeline in a local AWS: its function and its machines, and what an execution of them has left when it is over."""

from __future__ import annotations

from typing import Any

from solidstate.errors import EngineError, MissingObject
from solidstate.handler.end import close
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.execution_advice import explained
from solidstate.planner.compile import Compiled, substitute
from solidstate.planner.contract import RunHandle
from solidstate.planner.plan import ExecutionPlan
from solidstate.storage import keys
from solidstate.storage.history import record_of
from solidstate.storage.records import RunStatus, RunSummary, decode_run_summary
from solidstate.storage.store import ObjectStore


def not_installed(error: ModuleNotFoundError, otherwise: str = "") -> EngineError:
    """The refusal of a run on moto where moto is not there; ``otherwise`` is what else one could do."""
    return EngineError(
        f"The moto engine needs `{error.name}`, which is not installed.",
        subject="moto",
        hint=f"`pip install 'solidstate[local]'`{otherwise}",
    )


def create_function(aws: Any, name: str, plan: ExecutionPlan) -> str:
    """Create the one function of all steps, with the most time and memory that any of them asks for. Gives its ARN."""
    compute = [step.compute for step in plan.steps]
    return str(aws.create_function(name, max(c.timeout_s for c in compute), max(c.memory_mb for c in compute)))


def create_machines(aws: Any, name: str, compiled: Compiled, function: str) -> str:
    """Create the state machine ``name`` and those of its parts in a local AWS, calling the function of this ARN. Gives
    its ARN."""
    arns: dict[str, str] = {}
    for part in compiled.parts:
        definition = substitute(part.definition, function, arns)
        arns[part.name] = aws.create_machine(f"{name[:60]}-{part.name}", definition.decode())
    return str(aws.create_machine(name, substitute(compiled.definition, function, arns).decode()))


def summary_after(
    runtime: Runtime, loaded: LoadedPipeline, store: ObjectStore, run_id: str, described: dict[str, Any]
) -> RunSummary:
    """The summary End run wrote; made here when the execution broke down before it."""
    key = keys.run_summary(loaded.definition.name, run_id)
    try:
        return decode_run_summary(store.get(key), key)
    except MissingObject:
        pass
    told = explained(described.get("error") or described["status"], described.get("cause") or "", None)
    reason = f"{told.type}: {told.message}".rstrip(": .")
    if not store.exists(keys.run_record(loaded.definition.name, run_id)):
        raise EngineError(f"The execution ended before the run began: {reason}.", subject=run_id, hint=told.hint)
    close_run(runtime, loaded, store, run_id, "failed")
    raise EngineError(f"The execution ended as {described['status']}: {reason}.", subject=run_id, hint=told.hint)


def close_run(runtime: Runtime, loaded: LoadedPipeline, store: ObjectStore, run_id: str, ended: RunStatus) -> None:
    try:
        record = record_of(store, loaded.definition.name, run_id)
    except MissingObject:
        return  # stopped before Start run had written anything: there is no run to close
    handle = RunHandle(
        id=run_id, mode=record.mode, pipeline=record.pipeline, plan=record.plan, execution=record.execution
    )
    close(runtime, loaded, handle, ended=ended)
