"""Local runs on the very machine: ends that steps could not record are on record when the run is over."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from solidstate import Compute, DynamicOut, DynamicOutput, RetryPolicy, pipeline, solid
from solidstate.events import AnyEvent, StepFailure, StepRetry, StepSkipped
from solidstate.infra.home import Home
from solidstate.infra.local_run import run_local
from solidstate.infra.run_history import LocalHistory


@solid(compute=Compute(timeout_s=1), retry=RetryPolicy(max_attempts=2))
def endless() -> int:
    time.sleep(20)
    return 1


@solid
def after(n: int) -> int:
    return n


@solid(outs={"result": DynamicOut(int)})
def many() -> Any:
    for n in range(3):
        yield DynamicOutput(n, f"k{n}")


@solid
def each(n: int) -> int:
    if n == 1:
        raise KeyError(n)
    return n


@pipeline
def deadly() -> None:
    after(endless())
    many().map(each)


@pytest.mark.slow
def test_a_step_that_was_killed_has_its_failure(tmp_path: Path) -> None:
    """In the summary, in the events, in what was shown live, and for who looks later."""
    live: list[AnyEvent] = []
    summary = run_local(deadly, {}, engine="moto", home=Home(tmp_path), run_id="r", observer=live.append)
    first, skipped, _, mapped = summary.steps
    assert (first.status, first.attempts, skipped.status, mapped.items) == (
        "failed",
        2,
        "skipped",
        {"success": 2, "failed": 1},
    )
    assert first.error is not None
    assert (first.error.type, first.error.hint) == (
        "Sandbox.Timedout",
        "raise `Compute(timeout_s=...)` of solid `endless` (now 1), or split its work",
    )
    assert summary.message.startswith("2 steps failed: `endless`, `each[k1]`\n")
    history = LocalHistory(Home(tmp_path))
    assert history.find("r") == summary
    events = history.facts(summary).events
    ends = [
        (event.step, event.item, event.attempt, type(event).__name__)
        for event in events
        if isinstance(event, (StepRetry, StepFailure, StepSkipped))
    ]
    assert ends == [
        ("endless", "", 1, "StepRetry"),
        ("endless", "", 2, "StepFailure"),
        ("after", "", 1, "StepSkipped"),
        ("each", "k1", 1, "StepFailure"),
    ]
    shown = [event.attempt for event in live if isinstance(event, (StepRetry, StepFailure)) and event.step == "endless"]
    assert shown == [1, 2]


def test_a_run_with_all_its_ends_is_left_as_it_is(tmp_path: Path) -> None:
    """Not even its history is read again."""

    @pipeline
    def good() -> None:
        many().map(each.alias("whole"))

    summary = run_local(good, {}, engine="moto", home=Home(tmp_path), run_id="r")
    assert summary.steps[1].items == {"success": 2, "failed": 1}
    assert LocalHistory(Home(tmp_path)).find("r") == summary
