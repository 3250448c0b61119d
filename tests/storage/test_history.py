"""The read model: runs, steps and events read back, finished or not, damaged or not."""

from __future__ import annotations

import msgspec
import pytest

from solidstate.errors import IntermediateError, RunNotFound
from solidstate.events import AnyEvent, ErrorInfo, LogMessage, StepFailure, StepStart, StepSuccess, encode_events
from solidstate.storage import keys
from solidstate.storage.commits import Commit, encode_commit
from solidstate.storage.history import events_of, find_run, list_runs, run_ids, step_events, summary_of
from solidstate.storage.memory import MemoryStore
from solidstate.storage.records import RunRecord, RunSummary, encode_record

PLAN = msgspec.json.encode({"steps": [{"name": "b", "solid": "b"}, {"name": "a", "solid": "a"}]})


def recorded(store: MemoryStore, run: str, started: float, pipeline: str = "p", *, ended: bool = True) -> None:
    """A run on record."""
    record = RunRecord(run, pipeline, "abc", "local", started)
    store.put(keys.run_record(pipeline, run), encode_record(record))
    store.put(keys.plan(pipeline, "abc"), PLAN)
    if ended:
        summary = RunSummary(run, pipeline, "abc", "local", "success", started, 1.0)
        store.put(keys.run_summary(pipeline, run), encode_record(summary))


def says(step: str, attempt: int, *messages: str, request: str = "q", time: float = 0.0) -> list[AnyEvent]:
    """Events of one attempt."""
    return [
        LogMessage(
            run="r",
            pipeline="p",
            seq=n,
            time=time,
            elapsed_s=0.0,
            step=step,
            attempt=attempt,
            request=request,
            level="info",
            message=m,
        )
        for n, m in enumerate(messages, 1)
    ]


def messages(events: list[AnyEvent]) -> list[str]:
    """What was said, in order."""
    return [event.message for event in events if isinstance(event, LogMessage)]


def commit(store: MemoryStore, step: str, attempt: int, events: list[AnyEvent]) -> None:
    """The step's commit."""
    made = Commit("r", "p", step, attempt, keys.attempt_id(attempt, "w"), "f", "success")
    store.put(keys.commit("p", step, "r"), encode_commit(made, events))


def lost(store: MemoryStore, step: str, attempt: int, request: str, events: list[AnyEvent]) -> None:
    """An attempt that did not commit."""
    store.put(keys.attempt("p", step, "r", keys.attempt_id(attempt, request)), encode_events(events))


def test_newest_first_and_running_without_a_summary() -> None:
    """Of one pipeline or of all."""
    store = MemoryStore()
    recorded(store, "r1", 10.0)
    recorded(store, "r3", 30.0, ended=False)
    recorded(store, "r2", 20.0, "other")
    assert [(run.run, run.status) for run in list_runs(store)] == [
        ("r3", "running"),
        ("r2", "success"),
        ("r1", "success"),
    ]
    assert [run.run for run in list_runs(store, "p")] == ["r3", "r1"]
    assert run_ids(store, "other") == [("other", "r2")]


def test_one_damaged_record_does_not_hide_the_others() -> None:
    """It is listed last, with what is wrong with it."""
    store = MemoryStore()
    recorded(store, "good", 10.0)
    recorded(store, "bad", 20.0)
    store.put(keys.run_summary("p", "bad"), b"{")
    runs = list_runs(store)
    assert [(run.run, run.status) for run in runs] == [("good", "success"), ("bad", "interrupted")]
    assert runs[1].message == "The object `v1/runs/p/bad/summary.json` is not a run summary: Input data was truncated."
    with pytest.raises(IntermediateError):
        summary_of(store, "p", "bad")


def test_runs_are_found_by_id_beginning_and_last() -> None:
    """An exact id wins over those that begin with it."""
    store = MemoryStore()
    for number, run in enumerate(["ab", "abc", "b"]):
        recorded(store, run, float(number))
    assert [find_run(store, wanted).run for wanted in ("ab", "abc", "b", "last")] == ["ab", "abc", "b", "b"]


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("a", "2 runs begin with `a`: `ab` (p), `abc` (p).\n  fix: write more of the id"),
        ("abd", "There is no run `abd`.\n  fix: did you mean `ab`?"),
        ("zzz", "There is no run `zzz`.\n  fix: list the runs with `solidstate runs`"),
    ],
)
def test_what_is_not_found_says_so(wanted: str, text: str) -> None:
    """With the nearest id, if one is near."""
    store = MemoryStore()
    recorded(store, "ab", 1.0)
    recorded(store, "abc", 2.0)
    with pytest.raises(RunNotFound) as caught:
        find_run(store, wanted)
    assert str(caught.value) == text


def test_no_run_at_all() -> None:
    """A newcomer asks for the last one."""
    with pytest.raises(RunNotFound) as caught:
        find_run(MemoryStore(), "last")
    assert str(caught.value) == "No run is on record.\n  fix: start one with `solidstate run TARGET`"


def test_events_come_by_attempt_and_the_result_has_the_last_word() -> None:
    """Two attempts of one number are told one after the other, the one that committed last of all."""
    store = MemoryStore()
    lost(store, "a", 1, "y", says("a", 1, "first 1", "first 2", request="y", time=5.0))
    lost(store, "a", 1, "x", says("a", 1, "second 1", "second 2", request="x", time=6.0))
    lost(store, "a", 3, "z", says("a", 3, "third", request="z", time=1.0))
    commit(store, "a", 1, says("a", 1, "decided", time=0.0))
    expected = ["first 1", "first 2", "second 1", "second 2", "third", "decided"]
    assert messages(step_events(store, "p", "a", "r")) == expected
    assert messages(step_events(store, "p", "a", "r", thorough=False)) == ["decided"]


def test_a_repetition_that_committed_is_read_with_what_came_before() -> None:
    """Also by those who spare the listing."""
    store = MemoryStore()
    lost(store, "a", 1, "x", says("a", 1, "failed"))
    commit(store, "a", 2, says("a", 2, "done"))
    assert messages(step_events(store, "p", "a", "r", thorough=False)) == ["failed", "done"]


def test_a_running_run_tells_what_there_is_in_plan_order() -> None:
    """Steps that left nothing yet are passed over; when it has ended, the merged events are read."""
    store = MemoryStore()
    recorded(store, "r", 1.0, ended=False)
    lost(store, "a", 1, "x", says("a", 1, "from a"))
    commit(store, "b", 1, says("b", 1, "from b"))
    running = summary_of(store, "p", "r")
    assert messages(list(events_of(store, running))) == ["from b", "from a"]
    store.put(keys.run_events("p", "r"), encode_events(says("", 0, "merged")))
    assert messages(list(events_of(store, running))) == ["merged"]


def test_damaged_events_and_plan_are_named() -> None:
    """Which object it is."""
    store = MemoryStore()
    recorded(store, "r", 1.0, ended=False)
    running = summary_of(store, "p", "r")
    store.put(keys.attempt("p", "b", "r", "001-q"), b'{"kind":"no"}')
    with pytest.raises(IntermediateError, match=r"^The object `v1/attempts/p/b/r/001-q.ndjson` does not hold events: "):
        list(events_of(store, running))
    store.put(keys.plan("p", "abc"), b"[]")
    with pytest.raises(IntermediateError, match=r"^The object `v1/plans/p/abc.json` is not a plan: Expected `object`"):
        list(events_of(store, running))


def test_events_of_a_failed_attempt_keep_their_error() -> None:
    """Type, message and all."""
    store = MemoryStore()
    who = {"run": "r", "pipeline": "p", "time": 0.0, "elapsed_s": 0.0, "step": "a", "attempt": 1}
    events: list[AnyEvent] = [
        StepStart(**who, seq=1, solid="a"),  # type: ignore[arg-type]  # the mapping mixes types
        StepFailure(**who, seq=2, duration_s=0.5, error=ErrorInfo("ValueError", "no")),  # type: ignore[arg-type]
    ]
    lost(store, "a", 1, "x", events)
    assert step_events(store, "p", "a", "r") == events
    assert not any(isinstance(event, StepSuccess) for event in events)
