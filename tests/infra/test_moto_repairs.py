"""Every repair of moto works, and stock moto still needs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from solidstate.errors import EngineError
from solidstate.infra import moto_repairs
from solidstate.infra.moto_inside import inside, swap

# Two processes that run every probe; what they tell changes with moto's version, which is pinned.
pytestmark = pytest.mark.slow

# probe: (what stock moto answers, what repaired moto answers)
EXPECTED: dict[str, tuple[Any, Any]] = {
    "ec2_is_imported": (True, False),
    "cached_client": (False, True),
    "definite_path": ('["x"]', '"x"'),
    "kept_threads": (True, False),
    "start_time": ("TypeError: Object of type datetime is not JSON serializable", ["t"]),
    "no_choice": ("States.Runtime", "States.NoChoiceMatched"),
    "poisoned_parser": ("refused", "accepted"),
    "status_before_output": (["exec_status=SUCCEEDED", "output=1"], ["output=1", "exec_status=SUCCEEDED"]),
    "start_execution_task": ("States.Runtime", {"a": 1}),
    "put_object_task": ("States.Runtime", "written"),
    "get_object_task": ("TypeError: Object of type datetime is not JSON serializable", "body"),
    "missing_object_task": ("s3.NoSuchKeyException", "S3.NoSuchKeyException"),
    "text_output": ("text", '"text"'),
    "null_output": (None, "null"),
    "timed_out_stop_date": (False, True),
    "two_unnamed_starts": ("ExecutionAlreadyExists", "two"),
    "paged_history": ([4, False, "ExecutionStarted"], [2, True, "ExecutionSucceeded"]),
    "task_failure_cause": (["Bad", None], ["Bad", "why"]),
    "stopped_error_and_cause": (["ABORTED", None, None], ["ABORTED", "Enough", "asked"]),
    "stopped_while_parsed": ("AttributeError: 'NoneType' object has no attribute 'set_stop'", "ABORTED"),
    "stopped_during_a_task": ("RUNNING", "ABORTED"),
    "tokens_of_two_attempts": (["SUCCEEDED", 1], ["SUCCEEDED", 2]),
    "two_answers": (["FAILED", "accepted"], ["SUCCEEDED", "TaskTimedOut"]),
    "answer_to_a_task_that_has_ended": (["accepted"] * 2, ["TaskTimedOut"] * 2),
    "answer_while_another_is_parsed": (
        "AttributeError: 'NoneType' object has no attribute 'callback_pool_manager'",
        "accepted",
    ),
    "stopped_while_it_waits": ([True, "TaskSubmitted"], [False, "ExecutionAborted"]),
    "left_when_a_neighbour_fails": (["ValueError", True], ["ValueError", False]),
    "nested_execution": ("States.Runtime", "at once"),
    "stopped_with_its_nested_execution": (
        ["States.Runtime: []"] * 2,
        ["ABORTED: ['ABORTED']", "States.Timeout: ['ABORTED']"],
    ),
    "conditional_put_winners": (2, 1),
    "conditional_multipart_winners": (2, 1),
    "notified_in_the_request": (True, False),
    "stack_with_text": ("ClientError", ["hello", 0]),
    "stack_with_object": ("ClientError", ["stored", 0]),
    "stack_with_aliases": ("KeyError", ["aliased", "stacked", "1"]),
}
KEPT: dict[str, Any] = {
    "same_name_twice": "ExecutionAlreadyExists",
    "failing_function": ["ValueError", "boom"],
    "waiting_costs": "nothing",
    "unknown_token": ["InvalidToken"] * 2,
    "definite_path_into_text": ["States.Runtime"] * 3,
}


def probed(kind: str) -> dict[str, Any]:
    """The answers of all probes in a process of their own."""
    root = Path(__file__).parents[2]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("moto_probes.py")), kind],
        env={**environment, "PYTHONPATH": str(root), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """Stock and repaired moto, probed side by side; once, when several processes share the tests."""
    if not hasattr(request.config, "workerinput"):
        return probed_both()
    shared = tmp_path_factory.getbasetemp().parent / "moto_probes"
    try:
        shared.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 240
        while not (shared / "answers.json").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
    else:
        (shared / "new.json").write_text(json.dumps(probed_both()))
        (shared / "new.json").rename(shared / "answers.json")
    both: dict[str, dict[str, Any]] = json.loads((shared / "answers.json").read_text())
    return both


def probed_both() -> dict[str, dict[str, Any]]:
    """The answers of stock and of repaired moto."""
    with ThreadPoolExecutor(2) as pool:
        stock, repaired = pool.map(probed, ("stock", "repaired"))
    return {"stock": stock, "repaired": repaired}


@pytest.mark.parametrize("name", EXPECTED)
def test_repair_is_needed_and_works(name: str, answers: dict[str, dict[str, Any]]) -> None:
    """Stock moto still answers wrongly (else the repair can go) and repaired moto rightly."""
    wrong, right = EXPECTED[name]
    assert (answers["stock"][name], answers["repaired"][name]) == (wrong, right)


@pytest.mark.parametrize("name", KEPT)
def test_right_answer_is_kept(name: str, answers: dict[str, dict[str, Any]]) -> None:
    """What stock moto answers rightly and a repair touches stays right."""
    assert (answers["stock"][name], answers["repaired"][name]) == (KEPT[name], KEPT[name])


def test_every_probe_has_an_expectation(answers: dict[str, dict[str, Any]]) -> None:
    """No probe is left unjudged."""
    assert answers["stock"].keys() == EXPECTED.keys() | KEPT.keys()


def test_applying_twice_changes_nothing() -> None:
    """The second call leaves the very functions of the first in place."""
    moto_repairs.apply_repairs()
    first = inside("stepfunctions.responses").StepFunctionResponse.describe_execution
    moto_repairs.apply_repairs()
    assert inside("stepfunctions.responses").StepFunctionResponse.describe_execution is first


def test_installed_moto_is_supported() -> None:
    """The version under test is the pinned one."""
    moto_repairs.require_supported_moto()


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ("5.2.6", "Running on the local AWS needs `moto` 5.2.5 exactly, but version 5.2.6 is installed."),
        (None, "Running on the local AWS needs `moto` 5.2.5 exactly, but it is not installed."),
    ],
)
def test_other_moto_is_refused(monkeypatch: pytest.MonkeyPatch, found: str | None, text: str) -> None:
    """Another version, or none, is an error that says what to install."""
    monkeypatch.setattr(moto_repairs, "installed_moto", lambda: found)
    with pytest.raises(EngineError) as caught:
        moto_repairs.require_supported_moto()
    assert str(caught.value) == text + "\n  fix: pip install 'solidstate[local]', which brings moto 5.2.5"


def test_moved_attribute_is_reported() -> None:
    """A repair whose place moto has moved says which."""
    with pytest.raises(EngineError) as caught:
        swap(inside("s3.responses").S3Response, "put_thing", None)
    assert str(caught.value) == "moto has no `S3Response.put_thing` to repair.\n  fix: install the pinned moto"


def test_moved_module_is_reported() -> None:
    """A module that moto has no more says which."""
    with pytest.raises(EngineError, match=r"The module `moto\.nowhere`, which a repair of moto needs"):
        inside("nowhere")
