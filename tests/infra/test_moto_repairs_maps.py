"""A distributed Map runs each item in an execution of its own, which can be listed, described and read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from solidstate.infra.local_aws import LocalAws, local_aws

ITEMS = ["a", "b", "boom"]


def invoke(name: str, event: Any, context: Any) -> Any:
    if event == "boom":
        raise ValueError("boom")
    return event


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws(invoke) as found:
        yield found


@pytest.fixture(scope="module")
def run(aws: LocalAws) -> list[dict[str, Any]]:
    """The history of an execution with a distributed Map."""
    function = aws.create_function("f", 3, 128)
    task = {"Type": "Task", "Resource": function, "End": True}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "T"}
    over = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 2,
        "ToleratedFailurePercentage": 100.0,
        "ItemProcessor": processor | {"States": {"T": task}},
        "End": True,
    }
    arn = aws.start(aws.create_machine("m", json.dumps({"StartAt": "M", "States": {"M": over}})), "e", {"items": ITEMS})
    assert aws.wait(arn, timeout_s=30)["status"] == "SUCCEEDED"
    return aws.history(arn)


def children(aws: LocalAws, run: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    (map_run,) = [event["mapRunStartedEventDetails"]["mapRunArn"] for event in run if event["type"] == "MapRunStarted"]
    page: dict[str, Any] = aws.client("stepfunctions").list_executions(mapRunArn=map_run, **more)
    return page


def test_children_are_listed(aws: LocalAws, run: list[dict[str, Any]]) -> None:
    """One for each item, with how it ended, in pages."""
    found = children(aws, run)["executions"]
    assert sorted(one["status"] for one in found) == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    assert all(one["executionArn"].startswith("arn:aws:states:us-east-1:123456789012:execution:m/") for one in found)
    assert all(one["stopDate"] >= one["startDate"] for one in found)
    first = children(aws, run, maxResults=2)
    second = children(aws, run, maxResults=2, nextToken=first["nextToken"])
    assert [*first["executions"], *second["executions"]] == found
    assert "nextToken" not in second


def test_a_child_is_described_and_read(aws: LocalAws, run: list[dict[str, Any]]) -> None:
    """Its input is the item; its history begins and ends like any other, and is in nobody else's."""
    by_item: dict[str, list[str]] = {}
    for one in children(aws, run)["executions"]:
        described = aws.describe(one["executionArn"])
        by_item[json.loads(described["input"])] = [event["type"] for event in aws.history(one["executionArn"])]
        if described["status"] == "FAILED":
            assert described["error"] == "ValueError"
    assert sorted(by_item) == ITEMS
    assert by_item["a"] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert by_item["boom"][-2:] == ["LambdaFunctionFailed", "ExecutionFailed"]
    assert not any(event["type"].startswith("LambdaFunction") for event in run)


def test_a_child_that_is_not_there_is_missing(aws: LocalAws, run: list[dict[str, Any]]) -> None:
    """As any other execution."""
    client = aws.client("stepfunctions")
    with pytest.raises(client.exceptions.ExecutionDoesNotExist):
        aws.describe("arn:aws:states:us-east-1:123456789012:execution:m/label:none")
