"""A step's answer: readable, and below 8 KiB whatever the step did."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from solidstate.events import AnyEvent, StepExpectation, StepMaterialization, StepSkipped, StepSuccess
from solidstate.handler.digest import digest_of
from solidstate.planner.contract import MAX_DIGEST_BYTES
from solidstate.storage.commits import Commit, CommittedOutput

WHO = {"run": "r", "pipeline": "p", "seq": 1, "time": 0.0, "elapsed_s": 0.0, "step": "s", "attempt": 1}


def commit_of(*names: str, type_name: str = "int") -> Commit:
    """A commit with these outputs."""
    outputs = [CommittedOutput(name, type_name, "plain", 7, "0" * 64, b"") for name in names]
    return Commit("r", "p", "s", 1, "001-q", "f", "success", outputs)


def verdict(label: str, *, success: bool) -> StepExpectation:
    """The event of one expectation."""
    return StepExpectation(**WHO, success=success, label=label)  # type: ignore[arg-type]  # WHO mixes types


def size(document: object) -> int:
    """Bytes as the longest form of JSON."""
    return len(json.dumps(msgspec.to_builtins(document)))


@given(
    count=st.integers(0, 1000),
    type_name=st.text(max_size=300),
    labels=st.lists(st.text(max_size=300), max_size=60),
    reason=st.text(max_size=2000),
    key=st.text("abc/", max_size=1024),
)
def test_the_digest_stays_below_its_bound(count: int, type_name: str, labels: list[str], reason: str, key: str) -> None:
    """A thousand outputs, long labels, any characters; status and counts are always there."""
    commit = commit_of(*(f"{'output' * 12}_{number}" for number in range(count)), type_name=type_name)
    events: list[AnyEvent] = [verdict(label, success=bool(number % 2)) for number, label in enumerate(labels)]
    events += [StepMaterialization(**WHO, label=label, path=label * 3) for label in labels]  # type: ignore[arg-type]
    digest = digest_of(commit, events, key, reason)
    assert size(digest) <= MAX_DIGEST_BYTES
    left_out = int(digest.outputs.get("...", "0 more").split()[0])
    assert len(digest.outputs) - (left_out > 0) + left_out == count
    assert digest.status == "success"


def test_a_small_step_is_shown_whole() -> None:
    """What a person reads in the console."""
    events: list[AnyEvent] = [
        verdict("fresh", success=True),
        StepMaterialization(**WHO, label="report", path="s3://b/r.html"),  # type: ignore[arg-type]  # WHO mixes types
        StepSuccess(**WHO, duration_s=1.23456),  # type: ignore[arg-type]  # WHO mixes types
    ]
    assert msgspec.to_builtins(digest_of(commit_of("late", "on_time"), events, "v1/commits/p/s/r.ndjson")) == {
        "step": "s",
        "status": "success",
        "outputs": {"late": "int, 7 bytes", "on_time": "int, 7 bytes"},
        "expectations": {"fresh": "passed"},
        "materializations": ["report s3://b/r.html"],
        "duration_s": 1.235,
        "events": "v1/commits/p/s/r.ndjson",
    }


def test_no_failed_expectation_hides_behind_a_passed_one() -> None:
    """Under the same label, or further down a long list."""
    events: list[AnyEvent] = [verdict(f"ok_{number}", success=True) for number in range(60)]
    events += [verdict("rows", success=False), verdict("rows", success=True), verdict("ok_1", success=True)]
    found = digest_of(commit_of(), events, "k").expectations
    assert next(iter(found.items())) == ("rows", "FAILED 1 of 2")
    assert (found["ok_1"], found["..."]) == ("passed 2 times", "21 more")


def test_a_skip_tells_its_reason() -> None:
    """Taken from the event when it is not given."""
    events: list[AnyEvent] = [StepSkipped(**WHO, reason="upstream `a` was skipped")]  # type: ignore[arg-type]
    assert (
        digest_of(msgspec.structs.replace(commit_of(), status="skipped"), events, "k").reason
        == "upstream `a` was skipped"
    )
