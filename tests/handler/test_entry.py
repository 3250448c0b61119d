"""The Lambda function: one entry, payload in, contract out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from solidstate import pipeline, solid
from solidstate.errors import EngineError, TargetError
from solidstate.handler.entry import Handler, make_handler
from solidstate.handler.outcome import PlanChanged, RunFailed, RunRefused, StepFailed
from solidstate.infra.inline import InlineInvocation

if TYPE_CHECKING:
    from tests.handler.conftest import Bench


@solid
def load(limit: int) -> int:
    return limit


@solid
def fail(value: int) -> None:
    raise ValueError(f"{value} is too much")


@pipeline
def pair() -> None:
    fail(load())


def invoke(handler: Handler, **event: Any) -> Any:
    """One invocation; event and answer go through JSON, as they do on Lambda."""
    return json.loads(json.dumps(handler(json.loads(json.dumps(event)), InlineInvocation(60))))


@pytest.fixture
def base(bench: type[Bench]) -> tuple[Handler, dict[str, Any]]:
    """The function, and what every payload has."""
    run = bench(pair, {"solids": {"load": {"inputs": {"limit": 1}}}}, run="other")
    return make_handler(run.runtime), {"pipeline": "pair", "plan": run.loaded.hash}


def test_a_whole_run_by_payloads(base: tuple[Handler, dict[str, Any]]) -> None:
    """Start run's answer goes to every step as `$.run`; failures are raised under their contract names."""
    handler, common = base
    request = {"solids": {"load": {"inputs": {"limit": 3}}}}
    run = invoke(handler, kind="start", **common, execution="arn:1", name="run-7", input=request)["run"]
    assert run == {
        "id": "run-7",
        "mode": "default",
        **common,
        "request": {**request, "resources": {}},
        "execution": "arn:1",
    }
    digest = invoke(handler, kind="step", step="load", run=run, retry=0)
    assert (digest["status"], digest["outputs"]) == ("success", {"result": "int, 1 bytes"})
    with pytest.raises(StepFailed, match=r"^`fail`: ValueError: 3 is too much \(.*test_entry.py:27, `raise ValueError"):
        invoke(handler, kind="step", step="fail", run=run, retry=0)
    with pytest.raises(RunFailed, match=r"^1 step failed: `fail`\n  `fail`: ValueError: 3 is too much\n    at "):
        invoke(handler, kind="end", run=run)


def test_a_run_that_went_well_says_so(base: tuple[Handler, dict[str, Any]]) -> None:
    """Counts of steps by status, and where the summary is."""
    handler, common = base
    request = {"solids": {"load": {"inputs": {"limit": 3}}}, "steps": "load"}
    run = invoke(handler, kind="start", **common, execution="arn:1", name="run-8", input=request)["run"]
    assert invoke(handler, kind="step", step="fail", run=run) == {"step": "fail", "status": "not selected"}
    invoke(handler, kind="step", step="load", run=run)
    assert invoke(handler, kind="end", run=run) == {
        "run": "run-8",
        "status": "success",
        "steps": {"success": 1, "not selected": 1},
        "summary": "v1/runs/pair/run-8/summary.json",
    }


def test_another_plan_is_refused_by_start_and_step(base: tuple[Handler, dict[str, Any]]) -> None:
    """Function and machine of different deployments."""
    handler, common = base
    other = {**common, "plan": "feedfeedfeedfeed"}
    message = f"follows plan feedfeedfeedfeed, the function holds plan {common['plan']}[.] Fix: deploy both together"
    with pytest.raises(PlanChanged, match=message):
        invoke(handler, kind="start", **other, execution="arn:1", name="run-9", input={})
    run = {"id": "run-1", "mode": "default", "request": {}, **other}
    with pytest.raises(PlanChanged, match=message):
        invoke(handler, kind="step", step="load", run=run)


def test_a_wrong_input_is_refused_in_the_words_of_the_local_api(base: tuple[Handler, dict[str, Any]]) -> None:
    """The message is the cause of the failed execution."""
    handler, common = base
    with pytest.raises(RunRefused) as caught:
        invoke(handler, kind="start", **common, execution="arn:1", name="run-9", input=[1])
    assert str(caught.value).startswith("Run request for pipeline `pair`: ")


def test_a_payload_of_no_known_kind(base: tuple[Handler, dict[str, Any]]) -> None:
    """The function was called by something else than its state machine."""
    with pytest.raises(EngineError) as caught:
        invoke(base[0], kind="stop")
    assert str(caught.value) == (
        "This function was invoked with what no state machine of solidstate sends: Invalid value 'stop' - at "
        "`$.kind`.\n  fix: start a run instead: `solidstate start`, or the state machine in the console"
    )


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "step", "step": "load", "retry": -1},
        {"kind": "step", "step": "load", "item": "\ud800"},
        {"kind": "items", "step": "load", "output": "result", "steps": []},
        {"kind": "end", "deep": json.loads("[" * 500 + "]" * 500)},
    ],
    ids=range(4),
)
def test_a_payload_that_no_machine_sends(base: tuple[Handler, dict[str, Any]], event: dict[str, Any]) -> None:
    """A number, a text or a list that only somebody's own event can hold; a part is missing."""
    run = {"id": "r", "mode": "default", **base[1]} if "deep" not in event else {}
    with pytest.raises(EngineError, match="what no state machine of solidstate sends"):
        invoke(base[0], **event, run=run)


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "step", "step": "nobody"},
        {"kind": "step", "step": "load", "waits": ["nobody"], "token": "t"},
        {"kind": "items", "step": "load", "output": "result", "steps": ["nobody"]},
    ],
    ids=["step", "waits", "items"],
)
def test_a_step_that_is_not_there(base: tuple[Handler, dict[str, Any]], event: dict[str, Any]) -> None:
    """No machine that was compiled from this plan asks for it."""
    run = {"id": "r", "mode": "default", **base[1], "request": {"solids": {}, "resources": {}}}
    with pytest.raises(TargetError) as caught:
        invoke(base[0], **event, run=run)
    assert str(caught.value) == (
        "Pipeline `pair` has no step `nobody`.\n  fix: start a run instead of invoking the function"
    )
