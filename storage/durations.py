"""How long the steps of runs took, from the events they left: what estimates for the planner are made of."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

import msgspec

from solidstate.errors import RunNotFound, SolidstateError
from solidstate.events import AnyEvent, StepFailure, StepSuccess
from solidstate.storage.history import events_of, find_run, list_runs
from solidstate.storage.records import RunSummary
from solidstate.storage.store import ObjectStore


class StepTime(msgspec.Struct, frozen=True):
    """One step in one run. ``seconds`` from its beginning to its end, ``work`` of all its invocations together; the
    two differ for a step that was mapped, over so many ``items``."""

    seconds: float
    work: float
    items: int | None = None


class Durations(msgspec.Struct, frozen=True):
    """The medians over ``runs``, by step. ``items`` has the mapped steps only."""

    runs: tuple[str, ...]
    seconds: dict[str, float]
    work: dict[str, float]
    items: dict[str, int]


def durations_of(
    store: ObjectStore, pipeline: str, wanted: str, at_a_time: Mapping[str, int] | None = None
) -> Durations:
    """What the run ``wanted`` has measured: an id or the beginning of one, ``last``, or ``last:N`` for the newest N
    that have measured anything. ``at_a_time`` is how many items of a mapped step run side by side.

    Raises RunNotFound when there is none, and SolidstateError for one that is of another pipeline or has no step that
    succeeded."""
    if wanted.partition(":")[0] == "last":
        return _of_the_last(store, pipeline, wanted, at_a_time or {})
    run = find_run(store, wanted)
    if run.pipeline != pipeline:
        raise SolidstateError(
            f"Run `{run.run}` is of pipeline `{run.pipeline}`, not of `{pipeline}`.",
            subject=wanted,
            hint=f"list the runs of this one with `solidstate runs --pipeline {pipeline}`",
        )
    times = step_times(events_of(store, run), at_a_time or {})
    if not times:
        raise SolidstateError(
            f"Run `{run.run}` has measured nothing: no step of it has succeeded.",
            subject=wanted,
            hint="name another run, or `last:5` for the newest five that have",
        )
    return medians([(run.run, times)])


def _of_the_last(store: ObjectStore, pipeline: str, wanted: str, at_a_time: Mapping[str, int]) -> Durations:
    _, colon, count = wanted.partition(":")
    if colon and not (count.isascii() and count.isdigit() and int(count) > 0):
        raise SolidstateError(
            f"`{wanted}` must be `last` or `last:N` with a whole number from 1.",
            subject=wanted,
            hint="for the newest three runs write `last:3`",
        )
    found: list[tuple[str, dict[str, StepTime]]] = []
    for run in list_runs(store, pipeline):
        if len(found) == int(count or "1"):
            break
        times = step_times(_events(store, run), at_a_time)
        if times:
            found.append((run.run, times))
    if not found:
        raise RunNotFound(
            f"No run of pipeline `{pipeline}` has measured anything yet.",
            subject=wanted,
            hint="run it once with `solidstate run TARGET`",
        )
    return medians(found)


def _events(store: ObjectStore, run: RunSummary) -> Iterator[AnyEvent]:
    """None of a run whose records cannot be read: it has status ``interrupted`` and no plan."""
    return iter(()) if not run.plan else events_of(store, run)


def step_times(events: Iterable[AnyEvent], at_a_time: Mapping[str, int]) -> dict[str, StepTime]:
    """The steps of one run that have succeeded, a mapped one for all of its items. What an attempt took that failed
    does not count."""
    took: dict[str, dict[str, float]] = {}
    failed: set[str] = set()
    for event in events:
        if isinstance(event, StepSuccess):
            took.setdefault(event.step, {})[event.item] = event.duration_s
        elif isinstance(event, StepFailure):
            failed.add(event.step)
    return {step: _time(items, at_a_time.get(step, 1)) for step, items in took.items() if step not in failed}


def _time(items: Mapping[str, float], width: int) -> StepTime:
    if list(items) == [""]:
        return StepTime(items[""], items[""])
    times = [seconds for item, seconds in items.items() if item]
    return StepTime(side_by_side(times, width), round(sum(times), 6), len(times))


def side_by_side(times: Sequence[float], width: int) -> float:
    """When the last of so many jobs ends, if ``width`` of them run at a time and each begins as soon as there is room.
    What a clock says of it depends on the machine that ran it; this does not."""
    free = [0.0] * max(1, min(width, len(times)))
    for seconds in times:
        heapq.heapreplace(free, free[0] + seconds)
    return round(max(free), 6)


def medians(runs: Sequence[tuple[str, Mapping[str, StepTime]]]) -> Durations:
    """The median of each step over the runs that have it, in the order of the newest run."""
    steps = dict.fromkeys(step for _, times in runs for step in times)
    found = {step: [times[step] for _, times in runs if step in times] for step in steps}
    items = {step: [one.items for one in times if one.items is not None] for step, times in found.items()}
    return Durations(
        runs=tuple(run for run, _ in runs),
        seconds={step: median(one.seconds for one in times) for step, times in found.items()},
        work={step: median(one.work for one in times) for step, times in found.items()},
        items={step: round(median(counts)) for step, counts in items.items() if counts},
    )
