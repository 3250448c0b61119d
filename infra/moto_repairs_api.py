"""Repairs of moto's Step Functions API: what starting, stopping, describing and reading an execution answers."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from solidstate.infra.moto_inside import inside, swap

_PARSED_WITHIN_S = 60.0
_DEFAULT_PAGE = 100


def describe_execution() -> None:
    """DescribeExecution leaves a string output unencoded, a null output out, and a timed-out run without stopDate."""
    responses = inside("stepfunctions.responses")

    def describe(self: Any) -> Any:
        answer = original(self)
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        # Read back what was answered, not the live object: it may have moved on since.
        described = answer._result
        if described["status"] == "SUCCEEDED" and hasattr(execution, "exec_worker"):
            described["output"] = json.dumps(execution.output)
        if described["status"] != "RUNNING" and execution.stop_date:
            described["stopDate"] = execution.stop_date
        return answer

    original = swap(responses.StepFunctionResponse, "describe_execution", describe)


def execution_names() -> None:
    """StartExecution without a name makes an ARN that ends in ``:None``, so that the second such start collides with
    the first; AWS draws a random name."""
    backend = inside("stepfunctions.parser.models").StepFunctionsParserBackend

    def start(self: Any, state_machine_arn: str, name: str | None = None, *rest: Any, **named: Any) -> Any:
        return original(self, state_machine_arn, name or str(uuid.uuid4()), *rest, **named)

    original = swap(backend, "start_execution", start)


def page_history() -> None:
    """GetExecutionHistory ignores maxResults, nextToken and reverseOrder: it always answers all, oldest first."""
    responses = inside("stepfunctions.responses")
    result = inside("core.responses").ActionResult

    def history(self: Any) -> Any:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        worker = getattr(execution, "exec_worker", None)
        if worker is None:
            return original(self)
        events = [] if worker.env is None else list(worker.env.event_manager._history_event_list)
        if self._get_param("reverseOrder"):
            events.reverse()
        size = int(self._get_param("maxResults") or 0) or _DEFAULT_PAGE
        begin = int(self._get_param("nextToken") or 0)
        page: dict[str, Any] = {"events": events[begin : begin + size]}
        if begin + size < len(events):
            page["nextToken"] = str(begin + size)
        return result(page)

    original = swap(responses.StepFunctionResponse, "get_execution_history", history)


def keep_failure_cause() -> None:
    """SendTaskFailure drops the cause."""
    responses = inside("stepfunctions.responses")
    empty = inside("core.responses").EmptyResult

    def fail(self: Any) -> Any:
        self.stepfunction_backend.send_task_failure(
            self._get_param("taskToken"), error=self._get_param("error"), cause=self._get_param("cause")
        )
        return empty()

    swap(responses.StepFunctionResponse, "send_task_failure", fail)


def stop_execution() -> None:
    """StopExecution drops error and cause, dies with AttributeError while the definition is still being parsed (1 to
    2 ms a state, so seconds for a large machine), and leaves the execution RUNNING until its tasks have returned."""
    responses = inside("stepfunctions.responses")
    result = inside("core.responses").ActionResult

    def stop(self: Any) -> Any:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        if getattr(execution, "exec_worker", None) is None:
            return original(self)
        abort(execution, self._get_param("error"), self._get_param("cause"))
        return result({"stopDate": execution.stop_date})

    original = swap(responses.StepFunctionResponse, "stop_execution", stop)


def abort(execution: Any, error: str | None, cause: str | None) -> None:
    """Let an execution be ABORTED from now on; one that has ended is left alone."""
    deadline = time.monotonic() + _PARSED_WITHIN_S
    while execution.exec_worker.env is None and time.monotonic() < deadline:
        time.sleep(0.005)
    if execution.status != "RUNNING":
        return
    when = inside("core.utils").utcnow()
    execution.error, execution.cause = error, cause
    execution.stop(stop_date=when, error=error, cause=cause)
    execution.stop_date, execution.exec_status = when, inside("stepfunctions.parser.api").ExecutionStatus.ABORTED
