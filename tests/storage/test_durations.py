"""Durations read back from runs: of what succeeded, over all items, the median over runs; and whose runs they are."""

from __future__ import annotations

import pytest

from solidstate.errors import RunNotFound, SolidstateError
from solidstate.events import AnyEvent, ErrorInfo, StepFailure, StepRetry, StepStart, StepSuccess, encode_events
from solidstate.storage import keys
from solidstate.storage.durations import Durations, StepTime, durations_of, medians, side_by_side, step_times
from solidstate.storage.memory import MemoryStore
from tests.storage.test_history import recorded

ERROR = ErrorInfo("ValueError", "no")


def succeeded(step: str, seconds: float, item: str = "", attempt: int = 1) -> AnyEvent:
    return StepSuccess(
        run="r",
        pipeline="p",
        seq=2,
        time=0.0,
        elapsed_s=seconds,
        step=step,
        attempt=attempt,
        item=item,
        duration_s=seconds,
    )


def failed(step: str, item: str = "") -> AnyEvent:
    return StepFailure(
        run="r", pipeline="p", seq=2, time=0.0, elapsed_s=1.0, step=step, item=item, duration_s=1.0, error=ERROR
    )


def run_of(store: MemoryStore, run: str, started: float, *events: AnyEvent, pipeline: str = "p") -> None:
    """A run on record with these events."""
    recorded(store, run, started, pipeline)
    store.put(keys.run_events(pipeline, run), encode_events(events))


def test_the_attempt_that_succeeded_counts() -> None:
    """Not those before it, nor steps that failed or were skipped."""
    events: list[AnyEvent] = [
        StepStart(run="r", pipeline="p", seq=1, time=0.0, elapsed_s=0.0, step="a", attempt=1, solid="a"),
        StepRetry(
            run="r",
            pipeline="p",
            seq=2,
            time=0.0,
            elapsed_s=9.0,
            step="a",
            attempt=1,
            duration_s=9.0,
            error=ERROR,
            delay_s=1.0,
        ),
        succeeded("a", 2.0, attempt=2),
        failed("b"),
    ]
    assert step_times(events, {}) == {"a": StepTime(2.0, 2.0)}


def test_a_mapped_step_takes_as_long_as_all_of_its_items() -> None:
    """So many of them at a time; one of which an item failed has measured nothing."""
    items = [succeeded("m", seconds, item) for item, seconds in zip("abcd", (3.0, 1.0, 1.0, 2.0), strict=True)]
    assert step_times(items, {"m": 2}) == {"m": StepTime(4.0, 7.0, 4)}
    assert step_times(items, {"m": 40}) == {"m": StepTime(3.0, 7.0, 4)}
    assert step_times([*items, failed("m", "e")], {"m": 2}) == {}


@pytest.mark.parametrize(
    ("times", "width", "seconds"),
    [([], 5, 0.0), ([2.0], 5, 2.0), ([1.0] * 7, 3, 3.0), ([5.0, 1.0, 1.0, 1.0], 2, 5.0), ([1.0, 2.0], 0, 3.0)],
)
def test_jobs_side_by_side(times: list[float], width: int, seconds: float) -> None:
    """Each begins as soon as there is room, in their order."""
    assert side_by_side(times, width) == seconds


def test_the_median_over_runs_is_taken() -> None:
    """Of those runs that have the step."""
    runs = [
        ("new", {"a": StepTime(3.0, 3.0), "m": StepTime(2.0, 9.0, 9)}),
        ("mid", {"a": StepTime(1.0, 1.0), "m": StepTime(4.0, 11.0, 12)}),
        ("old", {"a": StepTime(8.0, 8.0), "b": StepTime(1.0, 1.0)}),
    ]
    assert medians(runs) == Durations(
        runs=("new", "mid", "old"),
        seconds={"a": 3.0, "m": 3.0, "b": 1.0},
        work={"a": 3.0, "m": 10.0, "b": 1.0},
        items={"m": 10},
    )


@pytest.fixture
def store() -> MemoryStore:
    """Four runs of a pipeline, one of which has measured nothing, and one of another."""
    made = MemoryStore()
    for number, run in enumerate(("r1", "r2", "r3")):
        run_of(made, run, float(number), succeeded("a", number + 1.0))
    run_of(made, "r4", 9.0, failed("a"))
    run_of(made, "other", 99.0, succeeded("z", 1.0), pipeline="q")
    return made


def test_runs_are_chosen_by_id_or_by_age(store: MemoryStore) -> None:
    """An id or its beginning; the newest, or the newest few, that have measured anything."""
    assert durations_of(store, "p", "r2").seconds == {"a": 2.0}
    assert durations_of(store, "p", "last").runs == ("r3",)
    assert durations_of(store, "p", "last:2").runs == ("r3", "r2")
    assert durations_of(store, "p", "last:99").runs == ("r3", "r2", "r1")
    assert durations_of(store, "p", "last:99").seconds == {"a": 2.0}
    assert durations_of(store, "q", "oth").seconds == {"z": 1.0}


def test_a_run_whose_records_are_damaged_is_passed_over(store: MemoryStore) -> None:
    """When the newest are asked for; asked for by name it says what is wrong."""
    store.put(keys.run_summary("p", "r3"), b"{")
    assert durations_of(store, "p", "last").runs == ("r2",)


@pytest.mark.parametrize(
    ("pipeline", "wanted", "kind", "said"),
    [
        (
            "p",
            "last:0",
            SolidstateError,
            "`last:0` must be `last` or `last:N` with a whole number from 1. (fix: for the newest three runs write "
            "`last:3`)",
        ),
        (
            "p",
            "last:",
            SolidstateError,
            "`last:` must be `last` or `last:N` with a whole number from 1. (fix: for the newest three runs write "
            "`last:3`)",
        ),
        (
            "p",
            "other",
            SolidstateError,
            "Run `other` is of pipeline `q`, not of `p`. (fix: list the runs of this one with `solidstate runs "
            "--pipeline p`)",
        ),
        (
            "p",
            "r4",
            SolidstateError,
            "Run `r4` has measured nothing: no step of it has succeeded. (fix: name another run, or `last:5` for the "
            "newest five that have)",
        ),
        ("p", "r5", RunNotFound, "There is no run `r5`. (fix: list the runs with `solidstate runs`)"),
        (
            "none",
            "last",
            RunNotFound,
            "No run of pipeline `none` has measured anything yet. (fix: run it once with `solidstate run TARGET`)",
        ),
    ],
)
def test_what_cannot_be_measured_is_said(
    store: MemoryStore, pipeline: str, wanted: str, kind: type[SolidstateError], said: str
) -> None:
    """Whose run it is, that there is none, or that it has nothing."""
    with pytest.raises(kind) as raised:
        durations_of(store, pipeline, wanted)
    assert f"{raised.value.problem} (fix: {raised.value.hint})" == said
