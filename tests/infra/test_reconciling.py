"""Missing ends are created and never overwritten, whoever else writes meanwhile."""

from __future__ import annotations

import pytest

from solidstate.events import AnyEvent, ErrorInfo, RunFailure, RunStart, StepFailure, decode_events, encode_events
from solidstate.infra.reconciling import lacking, repair, unexplained
from solidstate.infra.run_facts import RunFacts
from solidstate.storage import keys
from solidstate.storage.history import stored_summary
from solidstate.storage.memory import MemoryStore
from solidstate.storage.records import RunRecord, RunStatus, RunSummary, StepSummary, encode_record

SUMMARY, EVENTS = keys.run_summary("p", "r"), keys.run_events("p", "r")
START = RunStart("r", "p", 1, 0.0, 0.0, mode="m", plan="h", steps=1)
END = RunFailure("r", "p", 2, 9.0, 9.0, duration_s=9.0, steps={}, failed=["s"], message="no")
LOST = StepFailure("r", "p", 2, 5.0, 5.0, "s", 1, duration_s=5.0, error=ErrorInfo("Sandbox.Timedout", "late"))


def summary(status: RunStatus = "failed", message: str = "no", *steps: StepSummary) -> RunSummary:
    return RunSummary("r", "p", "h", "m", status, 0.0, 9.0, list(steps), message)


def facts(status: RunStatus = "failed", *concluded: AnyEvent) -> RunFacts:
    events: list[AnyEvent] = [START, LOST, END]
    return RunFacts(summary(status), events, concluded=list(concluded) or events)


def test_a_run_without_an_end_gets_one() -> None:
    """Both objects; then nothing is missing."""
    store = MemoryStore()
    done = repair(store, facts())
    assert done is not None
    assert (done.written, done.events) == (True, [START, LOST, END])
    assert stored_summary(store, "p", "r") == summary()
    assert decode_events(store.get(EVENTS)) == [START, LOST, END]
    assert repair(store, facts()) is None


def test_a_run_that_goes_on_gets_none() -> None:
    """Nor does one that was refused, of which there is no plan."""
    store = MemoryStore()
    refused = RunFacts(RunSummary("r", "p", "", "m", "failed", 0.0, 1.0), [])
    assert (repair(store, facts("running")), repair(store, refused), list(store.list(""))) == (None, None, [])


def test_looking_writes_nothing() -> None:
    """What would be written is told."""
    store = MemoryStore()
    done = repair(store, facts(), dry_run=True)
    assert done is not None
    assert (done.written, len(done.events), list(store.list(""))) == (False, 3, [])


class Racing(MemoryStore):
    """End run writes its objects just before somebody else writes the one of this key."""

    def __init__(self, before: str) -> None:
        super().__init__()
        self.before = before

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        if key == self.before:
            self.before = ""
            super().put(EVENTS, encode_events([START, END]))
            super().put(SUMMARY, encode_record(summary("failed", "of End run")))
        return super().put(key, body, if_absent=if_absent)


@pytest.mark.parametrize("before", [EVENTS, SUMMARY])
def test_the_end_of_end_run_stands(before: str) -> None:
    """At whichever moment it comes."""
    store = Racing(before)
    done = repair(store, facts())
    assert done is not None
    assert not done.written
    stored = stored_summary(store, "p", "r")
    assert stored is not None
    assert stored.message == "of End run"
    assert decode_events(store.get(EVENTS)) == [START, END]


def test_an_end_run_that_died_between_its_two_objects() -> None:
    """The events that are there stay, and those that were missing are added."""
    store = MemoryStore()
    store.put(EVENTS, encode_events([START, END]))
    done = repair(store, facts())
    assert done is not None
    assert (done.written, done.events) == (True, [LOST])
    assert decode_events(store.get(EVENTS)) == [START, LOST, END]


def test_a_reason_that_only_the_history_knows_is_added() -> None:
    """End run had written that the step failed, and could not say why."""
    store = MemoryStore()
    store.put(EVENTS, encode_events([START, END]))
    store.put(SUMMARY, encode_record(summary("failed", "left no trace")))
    done = repair(store, facts())
    assert done is not None
    assert (done.written, done.events) == (True, [LOST])
    assert stored_summary(store, "p", "r") == summary()
    assert repair(store, facts()) is None


def test_a_redrive_that_ended_meanwhile_has_the_last_word() -> None:
    """The summary is another one than the one that was repaired."""

    class Redriven(MemoryStore):
        looks = 0

        def get(self, key: str) -> bytes:
            if key == SUMMARY:
                self.looks += 1
                if self.looks == 2:
                    self.put(SUMMARY, encode_record(summary("success", "")))
            return super().get(key)

    store = Redriven()
    store.put(EVENTS, encode_events([START, END]))
    store.put(SUMMARY, encode_record(summary("failed", "left no trace")))
    done = repair(store, facts())
    assert done is not None
    assert not done.written
    assert decode_events(store.get(EVENTS)) == [START, END]
    stored = stored_summary(store, "p", "r")
    assert stored is not None
    assert stored.status == "success"


def test_runs_that_may_lack_an_end_are_found() -> None:
    """Without a summary, or with a step of which nothing is known; a damaged one is left as it is."""
    store = MemoryStore()
    runs = {
        "open": None,
        "good": StepSummary("s", "s", "success"),
        "killed": StepSummary("s", "s", "not reached"),
        "failed": StepSummary("s", "s", "failed", error=ErrorInfo("E", "m")),
    }
    for run, step in runs.items():
        store.put(keys.run_record("p", run), encode_record(RunRecord(run, "p", "h", "m", 0.0)))
        if step is not None:
            store.put(keys.run_summary("p", run), encode_record(RunSummary(run, "p", "h", "m", "failed", 0, 1, [step])))
    store.put(keys.run_record("p", "damaged"), encode_record(RunRecord("damaged", "p", "h", "m", 0.0)))
    store.put(keys.run_summary("p", "damaged"), b"{")
    assert list(lacking(store)) == [("p", "killed"), ("p", "open")]
    assert list(lacking(store, "q")) == []


@pytest.mark.parametrize(
    ("step", "is_so"),
    [
        (StepSummary("s", "s", "failed"), True),
        (StepSummary("s", "s", "failed", error=ErrorInfo("E", "m")), False),
        (StepSummary("s", "s", "failed", items={"failed": 1}, item_errors={"k": ErrorInfo("E", "m")}), False),
        (StepSummary("s", "s", "failed", items={"failed": 1, "not reached": 1}), True),
        (StepSummary("s", "s", "success", items={"success": 3}), False),
        (StepSummary("s", "s", "skipped"), False),
    ],
)
def test_steps_without_a_reason(step: StepSummary, *, is_so: bool) -> None:
    """Items count as well."""
    assert unexplained(step) is is_so
