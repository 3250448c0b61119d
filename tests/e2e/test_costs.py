"""What is expected of a run is what a run does: states, events, invocations and requests, counted on the local AWS."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from solidstate import DynamicOut, DynamicOutput, pipeline, solid
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan
from solidstate.planner.costs import Counts, counts_of
from solidstate.planner.estimates import Measured, estimates_of
from tests.e2e.test_requests import Meter, moto


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Meter:
    """In place before the run makes its client."""
    return Meter(monkeypatch)


@solid
def quick() -> int:
    return 1


@solid
def slow() -> int:
    time.sleep(0.5)
    return 2


@solid
def alone(value: int) -> int:
    return value


@solid
def both(one: int, other: int) -> int:
    return one + other


@solid(outs={"words": DynamicOut(str)})
def split(total: int) -> Any:
    for key in "abc":
        yield DynamicOutput(key * total, key=key, name="words")


@solid
def measure(word: str) -> int:
    return len(word)


@solid
def gather(sizes: list[int]) -> int:
    return sum(sizes)


@pipeline
def early() -> None:
    """`both` hangs under the first of its inputs, as nothing is known of them, and that is the slow one; then a Map."""
    first, second = slow(), quick()
    alone(second)
    gather(split(both(first, second)).map(measure).collect())


@pipeline
def late() -> None:
    """`both` is there before the slow one of its inputs has ended, and parks."""
    first, second = quick(), slow()
    alone(second)
    both(first, second)


def expected(definition: Any, *parked: str) -> Counts:
    """Of a run with three items."""
    plan = build_plan(definition)
    estimates = estimates_of(plan, Measured(items={"measure": 3}))
    return counts_of({"": compile_plan(plan).definition}, plan, estimates, parked)


def history(folder: Path) -> list[dict[str, Any]]:
    """The history of the only execution."""
    (path,) = folder.glob("executions/*/history.json")
    events: list[dict[str, Any]] = json.loads(path.read_text())
    return events


def check(counts: Counts, meter: Meter, folder: Path) -> None:
    """Compare with what the run left."""
    events = history(folder)
    assert sum(event["type"].endswith("StateEntered") for event in events) == counts.transitions
    assert len(events) == counts.events[""]
    assert sum(map(len, meter.by_step.values())) == counts.invocations
    assert meter.log.pop() == ("GET", "runs")  # what the command reads when the run is over
    kinds = Counter(kind for kind, _ in meter.log)
    assert kinds["PUT"] == counts.puts
    assert kinds["GET"] + kinds["HEAD"] == counts.gets


@pytest.mark.slow
def test_a_run_uses_what_is_expected_of_it(meter: Meter, tmp_path: Path) -> None:
    """With a rendezvous that need not wait, and with a Map."""
    assert moto(early, {}, tmp_path).status == "success"
    check(expected(early), meter, tmp_path)


@pytest.mark.slow
def test_a_step_that_parks_uses_what_is_expected_of_it(meter: Meter, tmp_path: Path) -> None:
    """The state in which it goes on, and what it takes to be woken."""
    meter._turn = contextlib.nullcontext()  # type: ignore[assignment] # `slow` must not hold the others up
    assert moto(late, {}, tmp_path).status == "success"
    check(expected(late, "both"), meter, tmp_path)
