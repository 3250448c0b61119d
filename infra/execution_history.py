"""What an execution's history tells of the function's invocations: which step, which attempt, how it ended.

Pure: events as GetExecutionHistory answers them go in, one at a time or all at once, invocations come out. An event
names the one it follows (``previousEventId``), so that branches which run at the same time are told apart. Which step
an invocation was for stands in its payload, whatever its state is called.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from solidstate.planner.contract import READY

Outcome = Literal["running", "succeeded", "failed", "parked"]
"""``parked``: a callback task that sleeps, or was woken to go on in another state."""

_SCHEDULED = {"LambdaFunctionScheduled": "lambdaFunctionScheduled", "TaskScheduled": "taskScheduled"}
_ONGOING = {"LambdaFunctionStarted", "TaskStarted", "TaskSubmitted"}
_SUCCEEDED = {"LambdaFunctionSucceeded", "TaskSucceeded"}
_FAILED = {
    "LambdaFunctionFailed": "lambdaFunctionFailed",
    "LambdaFunctionTimedOut": "lambdaFunctionTimedOut",
    "LambdaFunctionScheduleFailed": "lambdaFunctionScheduleFailed",
    "LambdaFunctionStartFailed": "lambdaFunctionStartFailed",
    "TaskFailed": "taskFailed",
    "TaskTimedOut": "taskTimedOut",
    "TaskStartFailed": "taskStartFailed",
    "TaskSubmitFailed": "taskSubmitFailed",
}
_ENDED = {"ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted", "ExecutionSucceeded"}
_TIMED_OUT = {"LambdaFunctionTimedOut", "TaskTimedOut"}
_CALLBACK = "invoke.waitForTaskToken"


class _Payload(msgspec.Struct):
    """The part of a payload that says what it is for."""

    kind: str = ""
    step: str = ""
    item: str | None = None
    retry: int = 0


class _Submitted(msgspec.Struct, rename="pascal"):
    execution_arn: str = ""


class Invocation(msgspec.Struct):
    """One attempt of one payload. ``state`` is the state it was made in, ``number`` the id of the event that scheduled
    it; times in seconds since 1970, ``ended`` None while it runs. ``followed``: the state has made another attempt;
    ``settled``: it will make none."""

    kind: str
    step: str
    item: str
    attempt: int
    state: str
    number: int
    began: float
    callback: bool = False
    outcome: Outcome = "running"
    ended: float | None = None
    error: str = ""
    cause: str = ""
    followed: bool = False
    settled: bool = False

    @property
    def open(self) -> bool:
        """Whether its step is still being worked on: it runs, or has failed and may be repeated."""
        return self.outcome != "succeeded" and not self.followed and not self.settled


class Timeline:
    """One execution as far as its events have been taken, the last of which is ``last``; ``over``: it has ended.
    ``nested`` are the executions it has started, ``map_runs`` the distributed Maps, of which ``open_map_runs`` go on.
    """

    def __init__(self) -> None:
        self.invocations: list[Invocation] = []
        self.nested: list[str] = []
        self.map_runs: list[str] = []
        self.open_map_runs = 0
        self.last = 0
        self.over = False
        self._of: dict[int, Invocation] = {}  # by event id, as far as later events may name it
        self._states: dict[int, str] = {}
        self._starting: set[int] = set()

    def take(self, events: Iterable[dict[str, Any]]) -> list[Invocation]:
        """Take more events, oldest first; gives the invocations that began or ended with them."""
        changed: dict[int, Invocation] = {}
        for event in events:
            self.last = max(self.last, int(event["id"]))
            invocation = self._take(event, str(event["type"]))
            if invocation is not None:
                changed[invocation.number] = invocation
        return list(changed.values())

    def _take(self, event: dict[str, Any], kind: str) -> Invocation | None:
        number, previous = int(event["id"]), int(event.get("previousEventId", 0))
        if kind.endswith("StateEntered"):
            self._states[number] = str(event["stateEnteredEventDetails"]["name"])
            return None
        if kind in _SCHEDULED:
            return self._scheduled(event, number, previous, event[f"{_SCHEDULED[kind]}EventDetails"])
        if kind == "MapRunStarted":
            self.map_runs.append(str(event["mapRunStartedEventDetails"]["mapRunArn"]))
            self.open_map_runs += 1
        elif kind.startswith("MapRun"):  # MapRunSucceeded, MapRunFailed, MapRunAborted
            self.open_map_runs -= 1
        elif kind in _ENDED:
            self.over = True
            self._leave_off(moment(event["timestamp"]))
        elif kind in _ONGOING and previous in self._starting:
            self._starting.add(number)
            self._note_nested(event)
        elif previous in self._of:
            return self._continued(event, kind, number, self._of[previous])
        return None

    def _scheduled(
        self, event: dict[str, Any], number: int, previous: int, details: dict[str, Any]
    ) -> Invocation | None:
        callback = details.get("resource") == _CALLBACK
        if details.get("resourceType") == "states":
            self._starting.add(number)
            return None
        payload = _payload(details)
        before = self._of.get(previous)
        if before is not None:
            before.followed = True
        invocation = Invocation(
            kind=payload.kind,
            step=payload.step,
            item=payload.item or "",
            attempt=payload.retry + 1,
            state=before.state if before is not None else self._states.get(previous, ""),
            number=number,
            began=moment(event["timestamp"]),
            callback=callback,
        )
        self._of[number] = invocation
        self.invocations.append(invocation)
        return invocation

    def _note_nested(self, event: dict[str, Any]) -> None:
        details = event.get("taskSubmittedEventDetails")
        if details is not None and details.get("output"):
            self.nested.append(msgspec.json.decode(details["output"], type=_Submitted).execution_arn)

    def _continued(self, event: dict[str, Any], kind: str, number: int, invocation: Invocation) -> Invocation | None:
        self._of[number] = invocation
        if kind in _SUCCEEDED:
            invocation.outcome = "succeeded"
        elif kind in _FAILED:
            details = event.get(f"{_FAILED[kind]}EventDetails") or {}
            invocation.error = details.get("error") or ("States.Timeout" if kind in _TIMED_OUT else "")
            invocation.cause = details.get("cause") or ""
            invocation.outcome = "failed"
            if invocation.callback and invocation.error in (READY, "States.Timeout"):
                invocation.outcome, invocation.error = "parked", ""
        elif kind == "TaskStateExited":
            invocation.settled = True
            return invocation
        else:
            return None
        invocation.ended = moment(event["timestamp"])
        return invocation

    def _leave_off(self, when: float) -> None:
        """The execution has ended: what still ran then was left alone."""
        for invocation in self.invocations:
            invocation.settled = True
            if invocation.ended is None:
                invocation.ended = when


def read_history(events: Iterable[dict[str, Any]]) -> Timeline:
    """The timeline of a whole history."""
    timeline = Timeline()
    timeline.take(events)
    return timeline


def moment(value: Any) -> float:
    """A timestamp in seconds since 1970: as boto3 gives it, or as text in a history that was kept."""
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value)
    return float(value.timestamp() if isinstance(value, datetime.datetime) else value)


def _payload(details: dict[str, Any]) -> _Payload:
    """What the function was told. A task that calls something else, or whose data may not be seen, has an empty one."""
    text = details.get("input") or details.get("parameters") or "{}"
    try:
        found = msgspec.json.decode(text)
        if isinstance(found, dict) and "FunctionName" in found:
            found = found.get("Payload")
        return msgspec.convert(found, _Payload)
    except msgspec.MsgspecError:
        return _Payload()
