"""The execution input as people give it, in the console or with the AWS command line: what a wrong one is answered, and
what a right one leads to.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given, settings

from solidstate import pipeline, solid
from solidstate.errors import SolidstateError
from solidstate.infra.executions import check_execution_name
from solidstate.storage import keys
from solidstate.storage.history import record_of
from tests.e2e import gate
from tests.stacks import Stack, deployed

ROOT = Path(__file__).parents[2]
TARGET = f"{Path(gate.__file__)}:gated"
AWS = Path(sys.executable).parent / "aws"


@solid
def one(n: int = 1) -> int:
    """One."""
    return n


@pipeline
def easy() -> None:
    """Needs nothing."""
    one()


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Both pipelines, deployed."""
    with deployed("gate", [gate.gated, easy]) as found:
        yield found


def aws(*arguments: str) -> Any:
    """A command of the AWS command line, which finds the local AWS by the environment; its answer."""
    done = subprocess.run([AWS, *arguments, "--output", "json"], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def solidstate(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """A command of ours, in a process of its own, with something on standard input."""
    return subprocess.run(
        [sys.executable, "-m", "solidstate.cli.main", *arguments],
        input=given,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'examples'}"},
        capture_output=True,
        check=False,
        text=True,
    )


def test_there_are_enough_malformed_inputs() -> None:
    """Thirty at least, and each is wrong in another way."""
    assert len(gate.MALFORMED) >= 30
    assert len({json.dumps(document) for document in gate.MALFORMED.values()}) == len(gate.MALFORMED)


@pytest.mark.slow
def test_the_gate_answers_as_the_local_command_does(stack: Stack) -> None:
    """Every malformed input, started with the AWS command line, fails in the first state; its cause is byte for byte
    what `config check` says of the same input."""

    def both(item: tuple[str, Any]) -> tuple[str, dict[str, Any], subprocess.CompletedProcess[str]]:
        text = json.dumps(item[1])
        started = aws(
            *("stepfunctions", "start-execution", "--state-machine-arn", stack.machines["gated"], "--input", text)
        )
        described = stack.aws.wait(started["executionArn"], timeout_s=60)
        shown = aws("stepfunctions", "describe-execution", "--execution-arn", described["executionArn"])
        return item[0], shown, solidstate("config", "check", TARGET, "-", given=text)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(both, gate.MALFORMED.items()))
    assert {name: (shown["status"], shown["error"]) for name, shown, _ in answers} == dict.fromkeys(
        gate.MALFORMED, ("FAILED", "RunRefused")
    )
    assert {name: f"error: {shown['cause']}\n" for name, shown, _ in answers} == {
        name: local.stderr for name, _, local in answers
    }
    assert {local.returncode for _, _, local in answers} == {2}
    states = {
        name: [
            event["stateEnteredEventDetails"]["name"]
            for event in stack.aws.history(shown["executionArn"])
            if event["type"].startswith("TaskState") and "stateEnteredEventDetails" in event
        ]
        for name, shown, _ in answers
    }
    assert states == {key: ["Start run"] for key in gate.MALFORMED}


@pytest.mark.slow
def test_run_and_start_answer_the_same(stack: Stack, tmp_path: Path) -> None:
    """`run` here, `start` with a TARGET (validated here) and `start` without one (judged by the gate) say the
    same of the same mistakes."""
    (tmp_path / "request.json").write_text(json.dumps(gate.MALFORMED["several at once"], indent=1))
    arguments = ["--config", str(tmp_path / "request.json")]
    said = [
        solidstate("run", TARGET, *arguments),
        solidstate("start", TARGET, "--stack", "gate", *arguments),
        solidstate("start", "--stack", "gate", "--pipeline", "gated", *arguments),
    ]
    texts = [re.sub(r" \(line \d+, column \d+\)", "", one.stderr) for one in said]
    assert texts[0].startswith("error: Run request for pipeline `gated`: 5 errors\n  1. ")
    assert texts[1] == texts[0]
    assert re.sub(r"^started run \S+ of pipeline gated\n", "", texts[2]) == texts[0]
    assert [one.returncode for one in said] == [2, 2, 2]


def test_an_empty_input_is_enough_where_nothing_is_required(stack: Stack) -> None:
    """The console's default; `config scaffold --json` prints the very same."""
    found = stack.run("easy", {})
    assert (found["status"], json.loads(found["output"])["status"]) == ("SUCCEEDED", "success")
    printed = solidstate("config", "scaffold", f"{__file__}:easy", "--json")
    assert (printed.returncode, printed.stdout) == (0, "{}\n")


def test_what_scaffold_prints_can_be_pasted(stack: Stack) -> None:
    """Its values are of the right types, so that the gate lets it in."""
    printed = solidstate("config", "scaffold", TARGET, "--json")
    assert printed.returncode == 0, printed.stderr
    described = stack.aws.wait(stack.aws.start(stack.machines["gated"], "pasted", printed.stdout), timeout_s=60)
    record = record_of(stack.store, "gated", "pasted")
    assert (described["status"], record.mode) == ("SUCCEEDED", "test")
    assert list(record.request["solids"]) == ["read", "prepare.scale", "prepare.shift"]


def test_outputs_of_states_are_digests_to_read(stack: Stack) -> None:
    """Names, types and sizes of outputs, never data; where the events are."""
    described = stack.run("gated", gate.VALID, "digests")
    assert described["status"] == "SUCCEEDED"
    outputs = {
        event["stateExitedEventDetails"]["name"]: json.loads(event["stateExitedEventDetails"]["output"])
        for event in stack.aws.history(described["executionArn"])
        if event["type"] == "TaskStateExited"
    }
    digest = outputs["read"]["result"]
    assert digest.pop("duration_s", 0.0) >= 0
    assert digest == {
        "step": "read",
        "status": "success",
        "outputs": {"result": "list[int], 2 bytes"},
        "events": "v1/commits/gated/read/digests.ndjson",
    }
    assert outputs["End run"] == {
        "run": "digests",
        "status": "success",
        "steps": {"success": 4},
        "summary": "v1/runs/gated/digests/summary.json",
    }


LEGAL = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp", "Cn"],
        exclude_characters='<>{}[]?*"#%\\^|~`$&,;:/',
    ),
    min_size=1,
    max_size=80,
)
PLAIN = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", fullmatch=True)
TRIED: set[str] = set()
TRICKY = st.sampled_from(
    ["..", ".", "-", "...", "a..b", ".a", "run.json", "x" * 80, "日本語", "a@b", "é" * 80, "v1", "="]
)


@settings(max_examples=25)
@given(name=st.one_of(LEGAL, PLAIN, TRICKY))
def test_every_legal_name_of_an_execution_is_safe(stack: Stack, name: str) -> None:
    """Whatever Step Functions takes as a name, the run has an id that is part of keys of the right depth, under its
    pipeline; plain names stay as they are; the run can be found by the name."""
    assert check_execution_name(name) == name
    assume(name not in TRIED)  # a machine takes each name once
    TRIED.add(name)
    known = {info.key for info in stack.store.list("v1/runs/easy/")}
    found = stack.run("easy", {}, name)
    run = keys.run_id_from(name)
    assert (found["status"], json.loads(found["output"])["run"]) == ("SUCCEEDED", run)
    fresh = sorted({info.key for info in stack.store.list("v1/runs/easy/")} - known)
    assert fresh == [f"v1/runs/easy/{run}/{file}" for file in ("events.ndjson", "run.json", "summary.json")]
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", run)
    assert (run == name) == bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", name))
    assert record_of(stack.store, "easy", run).execution == found["executionArn"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "it is empty"),
        ("x" * 81, "it has 81 characters and 80 are allowed"),
        ("a b", "it holds ' '"),
        ("a/b", "it holds '/'"),
        ("a\nb", r"it holds '\n'"),
        ("a:b", "it holds ':'"),
    ],
)
def test_other_names_are_refused_here(name: str, why: str) -> None:
    """Before anything is asked of AWS, in words."""
    with pytest.raises(SolidstateError) as caught:
        check_execution_name(name)
    assert caught.value.problem.endswith(f"cannot be the name of an execution: {why}.")
