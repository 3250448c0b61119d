"""After a run on the local AWS: the ends that steps could not record themselves are put on record for them.

On AWS nobody may write for them, and readers put the same together each time; here the history of the execution is gone
with the process.
"""

from __future__ import annotations

from typing import Any

from solidstate.events import encode_events
from solidstate.handler.recorder import Observer
from solidstate.infra.aws_account import AwsAccount
from solidstate.infra.deployed_facts import deployed_facts
from solidstate.infra.executions import Executions
from solidstate.storage import keys
from solidstate.storage.history import events_of
from solidstate.storage.records import RunSummary, StepSummary, encode_record
from solidstate.storage.store import ObjectStore


def record_lost_ends(store: ObjectStore, aws: Any, summary: RunSummary, observer: Observer | None) -> RunSummary:
    """The summary with what the history of the execution knows; both it and the events are written anew when that is
    something. ``aws`` is the open local AWS; ``observer`` sees the events that are new."""
    if not any(_unexplained(step) for step in summary.steps):
        return summary
    executions = Executions(AwsAccount(region=aws.region, endpoint_url=aws.endpoint_url))
    before = {_identity(event) for event in events_of(store, summary)}
    facts = deployed_facts(store, executions, summary)
    fresh = [event for event in facts.events if _identity(event) not in before]
    if not fresh:
        return summary
    store.put(keys.run_events(summary.pipeline, summary.run), encode_events(facts.events))
    store.put(keys.run_summary(summary.pipeline, summary.run), encode_record(facts.summary))
    if observer is not None:
        for event in fresh:
            observer(event)
    return facts.summary


def _unexplained(step: StepSummary) -> bool:
    if step.status == "failed" and step.error is None:
        return True
    return step.status == "not reached" or "not reached" in (step.items or {})


def _identity(event: Any) -> tuple[str, str, int, int]:
    return event.step, event.item, event.attempt, event.seq
