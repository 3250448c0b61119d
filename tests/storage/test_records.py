"""Run record and run summary: JSON, and nothing else under their keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from solidstate.errors import IntermediateError
from solidstate.events import ErrorInfo
from solidstate.storage.records import (
    RunRecord,
    RunSummary,
    StepSummary,
    decode_run_record,
    decode_run_summary,
    encode_record,
)

RECORD = RunRecord(
    "r", "p", "abc", "local", 1.5, request={"solids": {"a": {"config": {"x": None}}}}, tags={"owner": "me"}
)
STEPS = [
    StepSummary("a", "a", "success", duration_s=0.1, attempts=2, outputs={"result": 7}),
    StepSummary("b", "b", "failed", error=ErrorInfo("ValueError", "no")),
    StepSummary("c", "b", "success"),
]
SUMMARY = RunSummary("r", "p", "abc", "local", "failed", 1.5, 2.5, STEPS, message="1 step failed: `b`")


def test_both_come_back() -> None:
    """As they were, with a line end for those who look with a pager."""
    assert decode_run_record(encode_record(RECORD), "k") == RECORD
    assert decode_run_summary(encode_record(SUMMARY), "k") == SUMMARY
    assert encode_record(SUMMARY).endswith(b"}\n")


def test_steps_are_counted_by_status() -> None:
    """Only what occurs."""
    assert SUMMARY.counts() == {"success": 2, "failed": 1}


@pytest.mark.parametrize(("decode", "what"), [(decode_run_record, "run record"), (decode_run_summary, "run summary")])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Input data was truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"run":1}', "Expected `str`, got `int` - at `$.run`"),
    ],
    ids=["empty", "list", "type"],
)
def test_anything_else_is_refused(decode: Callable[[bytes, str], object], what: str, body: bytes, reason: str) -> None:
    """Naming the key."""
    with pytest.raises(IntermediateError) as caught:
        decode(body, "v1/x")
    assert str(caught.value) == f"The object `v1/x` is not a {what}: {reason}."
