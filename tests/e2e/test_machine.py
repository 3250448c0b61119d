"""The state machine itself, started as the console starts it: what it says to wrong and to empty input."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from solidstate import pipeline, solid
from solidstate.errors import RequestErrors
from solidstate.handler.entry import make_handler
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.in_process import execute_pipeline
from solidstate.infra.local_aws import local_aws
from solidstate.infra.time_limits import TimeLimited
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan, substitute
from solidstate.storage.files import open_memory
from solidstate.storage.s3 import S3Store, s3_client
from tests.e2e.everything import everything


@solid
def one(n: int = 1) -> int:
    return n


@pipeline
def easy() -> None:
    """Needs nothing."""
    one()


Start = Callable[[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Starts an execution of a machine with any text as its input, and gives its description."""
    loaded = [LoadedPipeline(definition, build_plan(definition)) for definition in (easy, everything)]
    invoker = TimeLimited({})
    with local_aws(invoker) as aws:
        aws.create_bucket("data")
        store = S3Store(s3_client(aws.endpoint_url, aws.region), "data")
        invoker.handler = make_handler(Runtime(loaded, store, engine="moto", open_fs=open_memory))
        function = aws.create_function("steps", 60, 1024)
        machines = {
            one.definition.name: aws.create_machine(
                one.definition.name, substitute(compile_plan(one.plan).definition, function).decode()
            )
            for one in loaded
        }

        def begin(name: str, text: str) -> dict[str, Any]:
            return aws.wait(aws.start(machines[name], None, text), timeout_s=60)

        yield begin


WRONG = [
    [],
    "text",
    {"solids": {"splt": {}}},
    {"mode": "prod", "solids": {"split": {"config": {"top": "many", "tpo": 1}}}},
    {"solids": {"split": {"inputs": {"numbers": [1, "zw\u00f6lf", None]}}}, "tags": {"n": 1}, "steps": "nothing*"},
    {"preset": "\u202e\x1b[2J"},
]


@pytest.mark.parametrize("document", WRONG, ids=range(len(WRONG)))
def test_a_wrong_document_fails_with_the_text_of_the_local_api(start: Start, document: Any) -> None:
    """Byte for byte, as the cause of the failed execution."""
    with pytest.raises(RequestErrors) as local:
        execute_pipeline(everything, document)
    found = start("everything", json.dumps(document))
    assert (found["status"], found["error"]) == ("FAILED", "RunRefused")
    assert found["cause"] == str(local.value)


@pytest.mark.parametrize("text", ["{}", '{"tags": {"owner": "me"}}'])
def test_an_empty_document_is_enough_where_nothing_is_required(start: Start, text: str) -> None:
    """The console's default input."""
    found = start("easy", text)
    assert found["status"] == "SUCCEEDED"
    output = json.loads(found["output"])
    assert (output["status"], output["steps"]) == ("success", {"success": 1})
    assert output["run"] == found["name"]


def test_a_refusal_of_thousands_of_errors_is_still_readable(start: Start) -> None:
    """Cut at its end, not in the middle of the JSON document that carries it."""
    found = start("easy", json.dumps({"solids": {f"step\u4e2d{number}": {} for number in range(2000)}}))
    assert (found["status"], found["error"]) == ("FAILED", "RunRefused")
    assert found["cause"].startswith("Run request for pipeline `easy`: 2000 errors\n  1. ")
    assert found["cause"].endswith("...")
