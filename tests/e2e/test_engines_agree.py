"""The two engines give the same outputs, the same summary and the same events, times and ids aside."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import boto3
import msgspec

from solidstate import pipeline, solid
from solidstate.events import AnyEvent
from solidstate.infra.home import Home
from solidstate.infra.local_run import run_local
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan
from solidstate.storage import keys
from solidstate.storage.commits import decode_commit
from solidstate.storage.history import events_of, list_runs
from tests.e2e.conftest import Run
from tests.e2e.everything import LARGE, everything

VOLATILE = {"time", "elapsed_s", "duration_s", "execution", "request", "started_at", "engine"}


def plain(value: Any) -> Any:
    """Without what differs between any two runs: clocks, ids, and keys that name an attempt."""
    if isinstance(value, dict):
        return {
            k: bool(v) if k == "key" else plain(v) for k, v in value.items() if k not in VOLATILE and k != "traceback"
        }
    return [plain(item) for item in value] if isinstance(value, list) else value


def story(run: Run) -> list[dict[str, Any]]:
    """All events, read back from the home."""
    return [plain(msgspec.to_builtins(event)) for event in events_of(run.home.store, run.summary)]


def test_events_are_the_same(on_moto: Run, on_inline: Run) -> None:
    """Kind, order, attempt, facts, sizes and hashes of every one."""
    moto, inline = story(on_moto), story(on_inline)
    assert moto == inline
    kinds = {event["kind"] for event in moto}
    assert kinds == {
        "run_start",
        "run_failure",
        "step_start",
        "step_input",
        "step_output",
        "step_materialization",
        "step_expectation_result",
        "step_success",
        "step_failure",
        "step_up_for_retry",
        "step_skipped",
        "resource_init",
        "resource_teardown",
        "log",
    }


def test_what_is_shown_live_is_the_same_for_each_step(on_moto: Run, on_inline: Run) -> None:
    """Steps run at the same time on moto, so only the order within one is compared."""

    def by_step(events: list[AnyEvent]) -> dict[str, list[Any]]:
        return {
            step: [plain(msgspec.to_builtins(event)) for event in events if event.step == step]
            for step in {event.step for event in events}
        }

    moto, inline = by_step(on_moto.live), by_step(on_inline.live)
    assert moto == inline


def test_summaries_are_the_same(on_moto: Run, on_inline: Run) -> None:
    """Status, sizes, reasons, errors, message."""
    assert plain(msgspec.to_builtins(on_moto.summary)) == plain(msgspec.to_builtins(on_inline.summary))
    assert {step.step: step.status for step in on_moto.summary.steps} == {
        "split": "success",
        "skipped": "skipped",
        "skipped_too": "skipped",
        "low": "success",
        "high": "success",
        "flaky": "success",
        "asks": "success",
        "broken": "failed",
        "given_up": "failed",
        "after_failure": "skipped",
        "large": "success",
        "total": "success",
    }


def test_outputs_are_the_same_bytes(on_moto: Run, on_inline: Run) -> None:
    """Inline values and objects; the large one has an object of its own in both homes."""

    def outputs(run: Run) -> dict[str, tuple[int, str, bytes]]:
        found: dict[str, tuple[int, str, bytes]] = {}
        for step in everything.nodes:
            key = keys.commit("everything", step.name, "run-1")
            if not run.home.store.exists(key):
                continue
            for out in decode_commit(run.home.store.get(key), key).outputs:
                body = out.inline if out.inline is not None else run.home.store.get(out.key or "")
                found[f"{step.name}.{out.name}"] = (out.size, out.sha256, body)
        return found

    assert outputs(on_moto) == outputs(on_inline)
    assert outputs(on_moto)["large.result"][2] == b"\x01" * LARGE


def test_history_is_kept_in_both_homes(on_moto: Run, on_inline: Run) -> None:
    """As the next command reads it."""
    for run, engine in ((on_moto, "moto"), (on_inline, "inline")):
        (found,) = list_runs(run.home.store)
        assert (found, found.engine) == (run.summary, engine)


def test_log_lines_say_whose_they_are(on_moto: Run, on_inline: Run) -> None:
    """Each with run, step and attempt; the lines of one step are the same on both engines."""

    def lines(run: Run) -> dict[tuple[str, int], list[tuple[str, str]]]:
        found: dict[tuple[str, int], list[tuple[str, str]]] = {}
        for line in map(json.loads, run.home.log("run-1").read_text().splitlines()):
            assert line["run"] == "run-1"
            if "attempt" not in line:  # of a rendezvous, which only a state machine has
                assert line["message"] in ("parked until others have ended", "woke a parked step")
                continue
            found.setdefault((line["step"], line["attempt"]), []).append((line["level"], line["message"]))
        return found

    assert lines(on_moto) == lines(on_inline)
    assert lines(on_moto)["split", 1] == [
        ("INFO", "step started"),
        ("INFO", "splitting"),
        ("INFO", "step succeeded"),
    ]
    assert lines(on_moto)["flaky", 1][-1] == ("WARNING", "attempt failed, another follows")
    assert lines(on_moto)["flaky", 2][-1] == ("INFO", "step succeeded")


@solid
def look_at_the_machine() -> str:
    """What DescribeStateMachine says of the machine this very step is run by."""
    client = boto3.client("stepfunctions")
    (machine,) = client.list_state_machines()["stateMachines"]
    return str(client.describe_state_machine(stateMachineArn=machine["stateMachineArn"])["definition"])


@pipeline
def mirrored() -> None:
    """A step that looks at its own machine."""
    look_at_the_machine()


def test_moto_ran_the_compiled_definition(tmp_path: Path) -> None:
    """Byte for byte, but for the ARN of the function, filled in as CloudFormation fills it in."""
    home = Home(tmp_path)
    assert run_local(mirrored, {}, engine="moto", home=home, run_id="r").status == "success"
    key = keys.commit("mirrored", "look_at_the_machine", "r")
    body = decode_commit(home.store.get(key), key).outputs[0].inline
    ran = msgspec.msgpack.decode(body or b"", type=str)
    arn = "arn:aws:lambda:us-east-1:123456789012:function:solidstate-step"
    assert ran.count(arn) == 3
    assert ran.replace(arn, "${StepFunctionArn}").encode() == compile_plan(build_plan(mirrored)).definition


def test_definition_and_execution_are_kept(on_moto: Run) -> None:
    """As the console would show them."""
    compiled = compile_plan(build_plan(everything)).definition
    kept = on_moto.home.execution("run-1")
    assert (kept / "definition.asl.json").read_bytes() == compiled
    execution = json.loads((kept / "execution.json").read_text())
    assert (execution["status"], execution["error"]) == ("FAILED", "RunFailed")
    assert execution["cause"] == on_moto.summary.message


def test_a_failure_shows_in_the_execution_history(on_moto: Run) -> None:
    """The state failed and was caught, under the contract's name, with a cause that names the user's line."""
    history = json.loads((on_moto.home.execution("run-1") / "history.json").read_text())
    by_id = {event["id"]: event for event in history}

    def state_of(event: dict[str, Any]) -> str:
        while "stateEnteredEventDetails" not in event:
            event = by_id[event["previousEventId"]]
        return str(event["stateEnteredEventDetails"]["name"])

    failed = {
        state_of(event): event["lambdaFunctionFailedEventDetails"]
        for event in history
        if event["type"] == "LambdaFunctionFailed"
    }
    assert {state: details["error"] for state, details in failed.items()} == {
        "flaky": "StepFailed",
        "asks": "RetryRequested",
        "broken": "StepFailed",
        "given_up": "StepRefused",
        "End run": "RunFailed",
    }
    cause = json.loads(failed["broken"]["cause"])["errorMessage"]
    assert cause.startswith("`broken`: ValueError: cannot take 3 (")
    assert re.search(r'everything\.py:\d+, `raise ValueError\(f"cannot take {n}"\)`\)$', cause)
    left = {event["stateExitedEventDetails"]["name"] for event in history if event["type"] == "TaskStateExited"}
    assert {"broken", "given_up", "after_failure", "total"} <= left
    assert on_moto.summary.message.startswith("2 steps failed: `broken`, `given_up`\n")
