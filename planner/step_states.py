"""The states of one step: the Task that runs it and, where it needs them, those that wait, wake and end a branch.

A plain step is one Task. One with a rendezvous is two: a callback Task, whose own invocation runs the step at once when
its inputs are there and parks otherwise, and a plain Task that is entered when it has been woken. Two, because the
local interpreter does not enter a state again that catches to itself. A step that others have a rendezvous with has a
Task behind its Catch that records its end and wakes them, whatever it failed of.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from solidstate.errors import escaped
from solidstate.planner import contract
from solidstate.planner.limits import MAX_LAMBDA_TIMEOUT_S, PARK_S, TIMEOUT_MARGIN_S
from solidstate.planner.plan import Step
from solidstate.planner.retries import ENDED_SERVICE, PARK_AGAIN, step_retriers
from solidstate.planner.states import (
    CALLBACK,
    FUNCTION,
    STATES_ALL,
    Catcher,
    Retrier,
    State,
    Succeed,
    Task,
    function_arn,
)

RESULT = "$.result"
COMMENT_LENGTH = 200
Scope = dict[str, State]
"""States by name, in reading order."""


class Way(msgspec.Struct, frozen=True, omit_defaults=True):
    """How it goes on: to the state ``following`` of the same scope, or out of the branch. ``joined``: what the last
    state of a branch answers may be handed over, as the branches are few enough."""

    following: str | None = None
    joined: bool = False

    def onward(self) -> dict[str, Any]:
        """The fields of a state that say so."""
        if self.following is not None:
            return {"next": self.following}
        return {"end": True, "output_path": RESULT if self.joined else None}


class StepNames(msgspec.Struct, frozen=True):
    """The states of a step: ``run`` has the step's own name."""

    run: str
    woken: str = ""
    failed: str = ""


class Meeting(msgspec.Struct, frozen=True):
    """The rendezvous a step takes part in: ``waits`` for others, ``wakes`` others, by the names they are known by."""

    waits: tuple[str, ...] = ()
    wakes: tuple[str, ...] = ()


def step_states(step: Step, names: StepNames, meeting: Meeting, way: Way) -> Scope:
    """All states of a step. ``names.woken`` is needed for one that waits, ``names.failed`` for one that wakes others or
    is the last of a branch."""
    payload = step_payload(step, meeting)
    failed = names.failed or way.following or ""
    every = Catcher(error_equals=(STATES_ALL,), result_path=RESULT, next=failed)
    retry = step_retriers(step)
    comment = comment_of(step.description)
    states: Scope = {}
    if meeting.waits:
        waiting = also_waits(meeting.waits)
        told = comment_of(f"{comment}; {waiting}" if comment else waiting)
        waiter = callback(payload, told, retry, names.woken, way, function=function_arn(step.group))
        states[names.run] = msgspec.structs.replace(waiter, catch=(*waiter.catch, every))
        payload = {key: value for key, value in payload.items() if key not in ("token.$", "waits")} | {"woken": True}
    states[names.woken if meeting.waits else names.run] = Task(
        comment=comment or UNSET,
        resource=function_arn(step.group),
        parameters=payload,
        timeout_seconds=step.compute.timeout_s + TIMEOUT_MARGIN_S,
        result_path=RESULT,
        retry=retry,
        catch=(every,),
        **way.onward(),
    )
    if names.failed and meeting.wakes:
        note = f"{step.name} has failed: wakes {few(meeting.wakes)}"
        states[names.failed] = ended_task(step.name, meeting.wakes, note, way, item=step.map_over is not None)
    elif names.failed:
        states[names.failed] = Succeed(output_path=None)
    return states


def step_payload(step: Step, meeting: Meeting) -> dict[str, Any]:
    """What the function is told of a step; with a token when the step waits."""
    payload: dict[str, Any] = {"kind": "step", "step": step.name, "run.$": "$.run", "retry.$": "$$.State.RetryCount"}
    if step.map_over is not None:
        payload["item.$"] = "$.item"
        if any(step.map_over in inp.sources for inp in step.inputs):
            payload["entry.$"] = "$.entry"
    if meeting.waits:
        payload |= {"token.$": "$$.Task.Token", "waits": list(meeting.waits)}
    if meeting.wakes:
        payload["wakes"] = list(meeting.wakes)
    return payload


def callback(
    payload: dict[str, Any],
    comment: str,
    retry: tuple[Retrier, ...],
    ready: str,
    way: Way,
    *,
    function: str = FUNCTION,
) -> Task:
    """A Task that goes on when its token is answered, or at ``ready`` when it parked and was woken. Its time-out is how
    long it parks before it looks again; what runs in its invocation is bounded by the function itself."""
    return Task(
        comment=comment,
        resource=CALLBACK,
        parameters={"FunctionName": function, "Payload": payload},
        timeout_seconds=PARK_S,
        result_path=RESULT,
        retry=(PARK_AGAIN, *retry),
        catch=(Catcher(error_equals=(contract.READY,), result_path=RESULT, next=ready),),
        **way.onward(),
    )


def ended_task(step: str, wakes: tuple[str, ...], comment: str, way: Way, *, item: bool) -> Task:
    """Puts on record that a step has ended and wakes those that wait for it. Nothing catches its failure: a run whose
    steps cannot be woken must not wait for ever."""
    payload: dict[str, Any] = {"kind": "ended", "step": step, "wakes": list(wakes), "run.$": "$.run"}
    if item:
        payload["item.$"] = "$.item"
    return Task(
        comment=comment_of(comment),
        parameters=payload,
        timeout_seconds=MAX_LAMBDA_TIMEOUT_S + TIMEOUT_MARGIN_S,
        result_path=None,
        retry=(ENDED_SERVICE,),
        **_without_result(way),
    )


def gate_task(step: str, waits: tuple[str, ...], way: Way, *, item: bool) -> Task:
    """One wait before the steps of a block that begin at once. Woken or not, it goes on to them."""
    if way.following is None:
        raise ValueError("a gate stands before what it holds up")
    payload: dict[str, Any] = {"kind": "gate", "step": step, "run.$": "$.run", "token.$": "$$.Task.Token"}
    if item:
        payload["item.$"] = "$.item"
    payload["waits"] = list(waits)
    gate = callback(payload, also_waits(waits), (ENDED_SERVICE,), way.following, way)
    return msgspec.structs.replace(gate, result_path=None)


def _without_result(way: Way) -> dict[str, Any]:
    return {"next": way.following} if way.following is not None else {"end": True, "output_path": None}


def also_waits(waits: tuple[str, ...]) -> str:
    return comment_of(f"also waits for {few(waits)}")


def few(names: tuple[str, ...], limit: int = 6) -> str:
    """Names for a comment; the payload beside it has all of them."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def comment_of(text: str) -> str:
    """The first line, bounded, printable, and free of ``${``, which CloudFormation would take for a substitution."""
    if not text:
        return ""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "").replace("${", "$ {")
    line = escaped(line)
    return line if len(line) <= COMMENT_LENGTH else line[: COMMENT_LENGTH - 3] + "..."
