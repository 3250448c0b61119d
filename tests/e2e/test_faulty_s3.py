"""Runs through an S3 on its worst days: each ends with the right values or with an error of ours, nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from solidstate import DynamicOut, DynamicOutput, Out, Output, pipeline, solid
from solidstate.errors import EngineError
from solidstate.events import StorageRetry
from solidstate.infra.results import PipelineResult
from solidstate.storage import s3_repeat
from solidstate.storage.sink import INLINE_LIMIT
from solidstate.testing import LocalStack, open_account
from solidstate.testing.account import Account
from solidstate.testing.faulty_s3 import HttpFault
from tests.conftest_s3 import CLIENTS

RUNS = 30
MIX: dict[HttpFault, float] = {
    "409 ConditionalRequestConflict": 0.1,
    "503 SlowDown": 0.06,
    "500 InternalError": 0.03,
    "reset": 0.03,
    "lost answer": 0.03,
    "truncated": 0.03,
    "412 PreconditionFailed": 0.01,
    "damaged": 0.005,
    "delay": 0.002,
    "403 AccessDenied": 0.002,
}
"""Chances of each request. The first six pass; of the others a run may die, and has to say so."""
LARGE = b"l" * (INLINE_LIMIT + 1)
RIGHT: dict[str, Any] = {"make.n": 3, "double": {"k0": 0, "k1": 2, "k2": 4}, "total": 6, "join": 6 + len(LARGE)}
OURS = {
    "StepRefused",
    "StorageUnavailable",
    "StorageError",
    "RunFailed",
    "RunRefused",
    "UnreadableCommit",
    "IntermediateError",
}
"""Names that a state of such a run may fail with: of steps, and of what begins and ends the run and lists items."""


@solid(outs={"n": Out(int), "large": Out(bytes), "maybe": Out(int, optional=True)})
def make() -> Iterator[Output[Any]]:
    yield Output(3, "n")
    yield Output(LARGE, "large")


@solid(outs={"items": DynamicOut(int)})
def split(n: int) -> Iterator[DynamicOutput[int]]:
    for number in range(n):
        yield DynamicOutput(number, f"k{number}", "items")


@solid
def double(number: int) -> int:
    return number * 2


@solid
def total(numbers: list[int]) -> int:
    return sum(numbers)


@solid
def join(number: int, large: bytes) -> int:
    return number + large.count(b"l")


@solid
def never(maybe: int) -> int:
    return maybe


@pipeline
def day() -> None:
    made = make()
    join(total(split(made.n).map(double).collect()), made.large)
    never(made.maybe)


@pytest.fixture(scope="module")
def local_stack_account() -> Iterator[Account]:
    """In place of the plugin's, which lasts for the session."""
    with open_account() as account:
        yield account


def check_values(result: PipelineResult) -> None:
    """What a step has is right, whatever became of the run."""
    for summary in result.summary.steps:
        if summary.status != "success" or summary.step in ("split", "never"):
            continue
        step = summary.step
        found = result.output(step, "n") if step == "make" else result.output(step)
        assert found == RIGHT["make.n" if step == "make" else step]


def commits_written(stack: LocalStack) -> Counter[str]:
    """How often each commit was written: S3 keeps every version of it."""
    pages = stack.s3.get_paginator("list_object_versions").paginate(Bucket=stack.bucket)
    found = (version["Key"] for page in pages for version in page.get("Versions", []))
    return Counter(key for key in found if "/commits/" in key)


def errors_of(history: list[dict[str, Any]]) -> set[str]:
    """The error names of an execution's history."""
    details = (value for event in history for name, value in event.items() if name.endswith("EventDetails"))
    return {value["error"] for value in details if isinstance(value, dict) and value.get("error")}


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
def test_every_run_ends_well_or_says_why(local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch, client: str) -> None:
    """With a Map, an optional output and an object of its own, through either client."""
    monkeypatch.setattr(s3_repeat, "FIRST_WAIT_S", 0.002)
    local_stack.s3.put_bucket_versioning(Bucket=local_stack.bucket, VersioningConfiguration={"Status": "Enabled"})
    ended: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    repeated = 0
    with local_stack.faulty_s3(client) as s3:
        s3.rule("damaged", times=5, method="GET", key="*/large")  # boto3 sees it, of obstore's only solidstate does
        for number in range(RUNS):
            s3.at_random(number, MIX)
            execution = local_stack.start(day, run_id=f"{client}-{number}")
            result, died = None, ""
            try:
                result = local_stack.result(execution, timeout_s=60)
            except EngineError as error:  # Start run or End run died, so that there is no summary
                died = error.problem
            failed = errors_of(local_stack.history(execution))
            errors.update(failed)
            assert failed <= OURS, (number, failed)
            if result is None:
                ended["without a summary"] += 1
                assert any(name in died for name in OURS), (number, died)
            else:
                ended[result.summary.status] += 1
                assert result.success or result.summary.message, number
                check_values(result)
                repeated += len(result.events_of_kind(StorageRetry))
    written = commits_written(local_stack)
    print(f"\n{client}: {dict(ended)}; {len(s3.requests)} requests; {dict(s3.met())}; {repeated} repeated on record")
    print(f"states failed with {dict(errors)}; {len(written)} commits")
    assert set(written.values()) == {1}
    assert ended["success"] >= RUNS / 3
    assert set(ended) <= {"success", "failed", "without a summary"}
    assert repeated > RUNS
    assert set(s3.met()) >= set(list(MIX)[:6])
