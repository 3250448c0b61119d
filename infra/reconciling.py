"""Runs that have ended, and of which S3 does not say so: their ends are put on record for them.

End run writes a run's summary and its merged events. It does not when the execution was stopped or timed out, when it
could not be invoked, or when the process of a local run was killed; and it cannot know why a step was killed. Readers
put that together each time, from a history that Step Functions keeps for 90 days; here it is written down.

It may be done at any time, by any number of people: what is missing is created and never overwritten, an end that
somebody else has written meanwhile stands, and a second time there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from solidstate.errors import IntermediateError
from solidstate.events import AnyEvent, decode_events, encode_events
from solidstate.infra.run_facts import RunFacts
from solidstate.storage import keys
from solidstate.storage.history import run_ids, stored_summary
from solidstate.storage.records import RunSummary, StepSummary, encode_record
from solidstate.storage.store import ObjectStore


class Repair(msgspec.Struct, frozen=True):
    """What was missing of a run: ``summary`` is how it ended, ``events`` are those that nobody had recorded;
    ``written`` is False for what was only looked at, and where somebody else was faster."""

    summary: RunSummary
    events: list[AnyEvent]
    written: bool


def lacking(store: ObjectStore, pipeline: str | None = None) -> Iterator[tuple[str, str]]:
    """(pipeline, run) of the runs of which an end may be missing: they go on, or have to be repaired. One whose summary
    cannot be read is none of them: nothing is overwritten that nobody understands."""
    for owner, run in run_ids(store, pipeline):
        try:
            stored = stored_summary(store, owner, run)
        except IntermediateError:
            continue
        if stored is None or any(unexplained(step) for step in stored.steps):
            yield owner, run


def unexplained(step: StepSummary) -> bool:
    """Whether a step that has no result left no reason either."""
    if step.status == "failed" and step.error is None:
        return step.items is None or any(status == "not reached" for status in step.items) or not step.item_errors
    return step.status == "not reached" or "not reached" in (step.items or {})


def repair(store: ObjectStore, facts: RunFacts, *, dry_run: bool = False) -> Repair | None:
    """Put on record what is known of a run and is not there. None when nothing is missing, or it goes on."""
    run = facts.summary
    if run.status == "running" or not run.plan:
        return None
    stored = stored_summary(store, run.pipeline, run.run)
    events_key, summary_key = keys.run_events(run.pipeline, run.run), keys.run_summary(run.pipeline, run.run)
    merged = store.exists(events_key)
    before = _merged(store, events_key) if merged else _of_steps(facts)
    fresh = [event for event in facts.events if _identity(event) not in before]
    if stored is not None and not fresh and stored.status == run.status:
        return None
    if dry_run:
        return Repair(run, fresh, written=False)
    body = encode_events(facts.events)
    if stored is not None and stored != stored_summary(store, run.pipeline, run.run):
        return Repair(run, fresh, written=False)  # End run has had the last word, after a redrive
    if fresh or not merged:
        store.put(events_key, body, if_absent=not merged)
    return Repair(run, fresh, written=store.put(summary_key, encode_record(run), if_absent=stored is None))


def _merged(store: ObjectStore, key: str) -> set[tuple[str, str, int, int]]:
    return {_identity(event) for event in decode_events(store.get(key))}


def _of_steps(facts: RunFacts) -> set[tuple[str, str, int, int]]:
    """What the steps have recorded themselves: all but what was concluded from the history, and the run's own."""
    return {_identity(event) for event in facts.events} - {_identity(event) for event in facts.concluded}


def _identity(event: Any) -> tuple[str, str, int, int]:
    return event.step, event.item, event.attempt, event.seq
