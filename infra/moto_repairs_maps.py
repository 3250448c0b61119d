"""Repair of moto's distributed Maps: each item is run by an execution of its own, which can be listed and read."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Iterator
from typing import Any

from solidstate.infra.moto_inside import inside, swap

_WORKER = (
    "stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.distributed_item_processor_worker"
)


class _Child:
    """The execution that runs one item. ``events`` is its history, growing while it runs."""

    def __init__(self, record: Any, item: Any) -> None:
        name = str(uuid.uuid4())
        machine = record.map_state_machine_arn
        self.record = record
        self.manager = inside("stepfunctions.parser.asl.eval.event.event_manager").EventManager()
        self.described: dict[str, Any] = {
            "executionArn": f"{machine.replace(':stateMachine:', ':execution:')}:{name}",
            "stateMachineArn": machine,
            "mapRunArn": record.map_run_arn,
            "name": name,
            "status": "RUNNING",
            "startDate": _now(),
            "input": json.dumps(item),
        }

    @property
    def events(self) -> list[Any]:
        return self.manager._history_event_list  # type: ignore[no-any-return]  # moto's own list

    def end(self, state: Any) -> None:
        """Note how the item's program ended."""
        states = inside("stepfunctions.parser.asl.eval.program_state")
        kinds = {states.ProgramError: "FAILED", states.ProgramStopped: "ABORTED", states.ProgramTimedOut: "TIMED_OUT"}
        self.described["status"] = kinds.get(type(state), "SUCCEEDED")
        self.described["stopDate"] = _now()
        error = getattr(state, "error", None)
        if isinstance(error, dict):
            self.described.update({key: error[key] for key in ("error", "cause") if error.get(key)})


def child_executions() -> None:
    """The items of a distributed Map have no executions: ListExecutions of a map run dies with a TypeError, and their
    events are thrown away."""
    responses = inside("stepfunctions.responses")
    result = inside("core.responses").ActionResult
    missing = inside("stepfunctions.exceptions").ExecutionDoesNotExist
    history = inside("stepfunctions.parser.asl.eval.event.event_manager").EventHistoryContext
    details = inside("stepfunctions.parser.asl.eval.event.event_detail").EventDetails
    api = inside("stepfunctions.parser.api")
    worker = inside(_WORKER).DistributedItemProcessorWorker

    def evaluate(self: Any, env: Any, job: Any) -> None:
        child = _Child(self._map_run_record, job.job_input)
        children_of(self._map_run_record).append(child)
        env.event_manager = child.manager
        env.event_history_context = history.of_program_start()
        started = api.ExecutionStartedEventDetails(input=child.described["input"])
        child.manager.add_event(
            context=env.event_history_context,
            event_type=api.HistoryEventType.ExecutionStarted,
            event_details=details(executionStartedEventDetails=started),
        )
        try:
            evaluate_original(self, env, job)
        finally:
            child.end(env.program_state())
            ended = {"FAILED": "ExecutionFailed", "ABORTED": "ExecutionAborted", "TIMED_OUT": "ExecutionTimedOut"}
            kind = ended.get(child.described["status"], "ExecutionSucceeded")
            child.manager.add_event(context=env.event_history_context, event_type=kind)

    def listed(self: Any) -> Any:
        run = self._get_param("mapRunArn")
        if not run:
            return list_original(self)
        hidden = ("input", "error", "cause")
        found = [child.described for child in _all(self.stepfunction_backend) if child.record.map_run_arn == run]
        shown = [{key: value for key, value in one.items() if key not in hidden} for one in reversed(found)]
        size, begin = int(self._get_param("maxResults") or 100), int(self._get_param("nextToken") or 0)
        page: dict[str, Any] = {"executions": shown[begin : begin + size]}
        if begin + size < len(shown):
            page["nextToken"] = str(begin + size)
        return result(page)

    def described(self: Any) -> Any:
        child = _found(self)
        return result(child.described) if child is not None else describe_original(self)

    def history_of(self: Any) -> Any:
        child = _found(self)
        if child is None:
            return history_original(self)
        return result({"events": list(reversed(child.events) if self._get_param("reverseOrder") else child.events)})

    def _found(self: Any) -> _Child | None:
        arn = str(self._get_param("executionArn"))
        if "/" not in arn:
            return None
        for child in _all(self.stepfunction_backend):
            if child.described["executionArn"] == arn:
                return child
        raise missing(f"Execution Does Not Exist: '{arn}'")

    evaluate_original = swap(worker, "_eval_job", evaluate)
    list_original = swap(responses.StepFunctionResponse, "list_executions", listed)
    describe_original = swap(responses.StepFunctionResponse, "describe_execution", described)
    history_original = swap(responses.StepFunctionResponse, "get_execution_history", history_of)


def children_of(record: Any) -> list[_Child]:
    """The executions of a map run, kept with moto's record of it."""
    found: list[_Child] = record.__dict__.setdefault("child_executions", [])
    return found


def _all(backend: Any) -> Iterator[_Child]:
    for machine in list(backend.state_machines):
        for execution in list(machine.executions):
            worker = getattr(execution, "exec_worker", None)
            if worker is not None and worker.env is not None:
                for record in worker.env.map_run_record_pool_manager.get_all():
                    yield from list(children_of(record))


def _now() -> datetime.datetime:
    return datetime.datetime.now(tz=datetime.UTC)
