"""The states every machine has beside its steps: Start run, End run, and how a refusal or a failure becomes a cause."""

from __future__ import annotations

from typing import Any

from solidstate.planner import contract
from solidstate.planner import names as own
from solidstate.planner.limits import MAX_LAMBDA_TIMEOUT_S, TIMEOUT_MARGIN_S
from solidstate.planner.retries import SERVICE
from solidstate.planner.states import Catcher, Fail, Pass, Task
from solidstate.planner.step_states import Scope

_TIMEOUT_S = MAX_LAMBDA_TIMEOUT_S + TIMEOUT_MARGIN_S


def start_run(pipeline: str, plan_hash: str, following: str) -> Task:
    payload: dict[str, Any] = {
        "kind": "start",
        "pipeline": pipeline,
        "plan": plan_hash,
        "execution.$": "$$.Execution.Id",
        "name.$": "$$.Execution.Name",
        "input.$": "$$.Execution.Input",
    }
    return Task(
        comment="Checks the execution input and records the run",
        parameters=payload,
        timeout_seconds=_TIMEOUT_S,
        retry=(SERVICE,),
        catch=(Catcher(error_equals=(contract.RUN_REFUSED,), next=own.READ_REFUSAL),),
        next=following,
    )


def end_run() -> Task:
    return Task(
        comment="Writes the summary; fails the execution when a step failed",
        parameters={"kind": "end", "run.$": "$.run"},
        timeout_seconds=_TIMEOUT_S,
        retry=(SERVICE,),
        catch=(Catcher(error_equals=(contract.RUN_FAILED,), next=own.READ_FAILURES),),
        end=True,
    )


def endings() -> Scope:
    """For a refused request and for failed steps: two states each that fail the execution with the message the function
    raised, freed of its JSON wrapping. Two, because a path cannot reach into the result of an intrinsic function."""
    return {
        own.READ_REFUSAL: _reader(own.RUN_REFUSED),
        own.RUN_REFUSED: _fail(contract.RUN_REFUSED, "The run request is not valid"),
        own.READ_FAILURES: _reader(own.RUN_FAILED),
        own.RUN_FAILED: _fail(contract.RUN_FAILED, "At least one step failed"),
    }


def _reader(ending: str) -> Pass:
    return Pass(parameters={"cause.$": "States.StringToJson($.Cause)"}, next=ending)


def _fail(error: str, comment: str) -> Fail:
    return Fail(comment=comment, error=error, cause_path="$.cause.errorMessage")
