"""Runs of this machine that have no end on record: they go on in another process, or theirs has ended without a word,
by a kill or a power failure. What is known of them, and following the former.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from solidstate.errors import MissingObject
from solidstate.events import AnyEvent
from solidstate.handler.recorder import Observer
from solidstate.infra.deployed_facts import mapped_items
from solidstate.infra.lost_ends import ended_units
from solidstate.infra.run_facts import RUN_ENDS, WAITING, RunFacts, run_facts
from solidstate.planner.plan import decode_plan
from solidstate.storage import keys
from solidstate.storage.history import record_of
from solidstate.storage.records import RunSummary, StepSummary
from solidstate.storage.store import ObjectStore

BROKEN_OFF = "the process of the run ended before the run did: it was killed, or the machine was switched off"
NEVER_BEGUN = "left no trace: the process of the run ended before, or in its first second"
_PAUSE_S = 0.5
_SHARE = 5
"""A look that takes long is followed by a pause that takes so many times as long."""


def unended_facts(store: ObjectStore, run: RunSummary, events: list[AnyEvent]) -> RunFacts:
    """All that is known of a run whose status is ``running`` or ``interrupted``, from the events of its steps."""
    try:
        plan = decode_plan(store.get(keys.plan(run.pipeline, run.plan)))
        record = record_of(store, run.pipeline, run.run)
    except (MissingObject, msgspec.MsgspecError):  # a plan of another version; the events still say something
        return RunFacts(run, events)
    last = max((event.time for event in events), default=record.started_at)
    now = time.time() if run.status == "running" else last
    found = run_facts(plan, record, events, None, None, [], mapped_items(store, plan, record), now)
    if run.status == "running":
        ended = {step for step, _ in ended_units(events)}
        begun = {event.step for event in events}
        steps = [_going_on(step, begun, ended) for step in found.summary.steps]
        summary = msgspec.structs.replace(found.summary, status="running", steps=steps, message="")
        running = [(step.step, "") for step in steps if step.status == "running"]
        return RunFacts(summary, [one for one in found.events if not isinstance(one, RUN_ENDS)], running)
    steps = [
        msgspec.structs.replace(step, reason=NEVER_BEGUN) if step.status == "not reached" else step
        for step in found.summary.steps
    ]
    message = "\n".join(part for part in (BROKEN_OFF, found.summary.message) if part)
    summary = msgspec.structs.replace(found.summary, steps=steps, message=message)
    whole = [msgspec.structs.replace(e, message=message) if isinstance(e, RUN_ENDS[1]) else e for e in found.events]
    return RunFacts(summary, whole, why=BROKEN_OFF, concluded=found.concluded)


def _going_on(step: StepSummary, begun: set[str], ended: set[str]) -> StepSummary:
    if step.status == "failed" and step.error is None and step.step not in ended:
        return msgspec.structs.replace(step, status="running", reason="")
    if step.status == "not reached":
        waits = step.step not in begun
        return msgspec.structs.replace(step, status="not reached" if waits else "running", reason=WAITING * waits)
    return step


def follow_local(look: Callable[[], RunFacts], observer: Observer, sleep: Callable[[float], None] = time.sleep) -> None:
    """Tell the events of a run in another process until it has ended, or its process has; none is told twice. ``look``
    gives what is known of it."""
    told: set[tuple[str, str, int, int]] = set()
    while True:
        began = time.monotonic()
        found = look()
        for event in found.events:
            identity = (event.step, event.item, event.attempt, event.seq)
            if identity not in told:
                told.add(identity)
                observer(event)
        if found.summary.status != "running":
            return
        sleep(max(_PAUSE_S, _SHARE * (time.monotonic() - began)))
