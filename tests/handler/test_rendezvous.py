"""Steps that meet, one invocation at a time: who parks, who wakes whom, and what it costs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from solidstate import pipeline, pipeline_from_dependencies
from solidstate.errors import IntermediateError, StorageUnavailable
from solidstate.events import StepFailure
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.rendezvous import Meeting
from solidstate.storage import keys
from solidstate.storage.commits import decode_commit
from solidstate.storage.history import step_events
from solidstate.storage.store import ObjectStore
from tests.handler.rendezvous_bench import WOKEN, Run, add, fail, one, same


@pipeline
def meet() -> None:
    add(one.alias("a")(), one.alias("b")())


@pipeline
def failing() -> None:
    add(one.alias("a")(), same(fail()))


@pipeline
def around() -> None:
    first = one()
    add(first, same(first))


AB: Any = {"waits": ["a", "b"], "token": "t"}


def test_who_comes_last_runs_at_once_and_costs_no_more() -> None:
    """One GET for each input and one PUT, as any step; the answer goes to the token."""
    run = Run(meet)
    run.step("a", wakes=["add"])
    run.step("b", wakes=["add"])
    assert run.store.counts() == {"put commits": 2, "get parked": 2}
    digest = run.step("add", **AB)
    assert run.store.counts() == {"get commits": 2, "put commits": 1}
    assert run.tokens.answered == {"t": digest}
    assert (digest["status"], digest["outputs"], run.parked("add")) == ("success", {"result": "int, 1 bytes"}, None)


def test_who_comes_first_parks_and_has_not_begun() -> None:
    """No event, no attempt; its log says what it waits for."""
    run = Run(meet)
    run.step("a", wakes=["add"])
    run.store.counts()
    assert run.step("add", **AB) == {"step": "add", "status": "parked", "reason": "waits for `b`"}
    assert run.store.counts() == {
        "get commits": 2,
        "look commits": 2,
        "look ended": 2,
        "put parked": 1,
    }
    assert (run.tokens.answered, run.parked("add")) == ({}, {"token": "t", "missing": ["b"]})
    assert run.lines[-1] == ({"run": "r", "step": "add"}, "parked until others have ended", {"waits": ["b"]})
    assert step_events(run.store, "meet", "add", "r") == []


def test_the_last_to_end_wakes() -> None:
    """With one GET more for who waits, and a look at each of the others; the woken step runs as any step does."""
    run = Run(meet)
    run.step("add", **AB)
    run.step("a", wakes=["add"])
    assert run.tokens.answered == {}
    run.store.counts()
    run.step("b", wakes=["add"])
    assert run.store.counts() == {"put commits": 1, "get parked": 1, "look commits": 1}
    assert run.tokens.answered == {"t": WOKEN}
    assert run.lines[-1] == ({"run": "r", "step": "b"}, "woke a parked step", {"woken": "add"})
    assert run.step("add", woken=True)["status"] == "success"
    assert run.store.counts() == {"get commits": 2, "put commits": 1}


def test_the_second_look_finds_who_ended_meanwhile() -> None:
    """It looked for a token before there was one."""
    run = Run(meet)
    run.step("a", wakes=["add"])
    put = run.store.put

    def end_first(key: str, body: bytes, *, if_absent: bool = False) -> bool:
        if "/parked/" in key:
            run.store.put = put  # type: ignore[method-assign]  # once
            run.step("b", wakes=["add"])
        return put(key, body, if_absent=if_absent)

    run.store.put = end_first  # type: ignore[method-assign]  # between two operations
    assert run.step("add", **AB)["status"] == "parked"
    assert run.tokens.answered == {"t": WOKEN}
    assert not run.commit("add")


def test_a_step_without_rendezvous_makes_no_request_more() -> None:
    """Nobody looks for tokens that nobody leaves."""
    run = Run(meet)
    run.step("a")
    run.step("b")
    run.step("add")
    assert run.store.counts() == {"get commits": 2, "put commits": 3}


def test_a_failure_is_on_record_by_the_state_after_it() -> None:
    """A failed attempt is no end: it may be repeated."""
    run = Run(failing)
    run.step("a")
    run.step("add", waits=["a", "same"], token="t")
    with pytest.raises(AttemptFailed):
        run.step("fail", wakes=["add"])
    assert (run.tokens.answered, run.ended("fail")) == ({}, False)
    assert run.call("ended", "same", wakes=["add"]) == {}
    assert (run.tokens.answered, run.ended("same")) == ({"t": WOKEN}, True)
    assert run.step("add", woken=True)["reason"] == "upstream `same` did not succeed"


def test_a_step_skipped_for_a_failure_has_ended_without_a_commit() -> None:
    """It says so itself, for it returns as if nothing had happened."""
    run = Run(failing)
    run.step("a")
    with pytest.raises(AttemptFailed):
        run.step("fail")
    run.step("add", waits=["same"], token="t")
    run.store.counts()
    assert run.step("same", wakes=["add"])["status"] == "skipped"
    assert run.store.counts() == {"get commits": 1, "put attempts": 1, "put ended": 1, "get parked": 1}
    assert run.tokens.answered == {"t": WOKEN}
    assert (run.ended("same"), run.commit("same")) == (True, False)
    run = Run(failing)
    assert (run.step("same")["status"], run.ended("same")) == ("skipped", False)  # nobody waits for it here


def test_a_commit_that_came_between_the_two_looks_counts() -> None:
    """A step commits, dies, and is put on record as ended, while another looks for the one and then for the other."""
    run = Run(meet)
    run.step("a")
    exists = run.store.exists

    def commit_and_end(key: str) -> bool:
        run.store.exists = exists  # type: ignore[method-assign]  # once
        run.step("b")
        run.call("ended", "b", wakes=[])
        return False if "/commits/" in key else exists(key)

    run.store.exists = commit_and_end  # type: ignore[method-assign]  # between two operations
    assert run.step("add", **AB)["status"] == "success"


def test_a_step_woken_too_early_says_so() -> None:
    """What it waited for stands where it is parked; the run fails instead of going wrong."""
    run = Run(meet)
    run.step("a")
    run.step("add", **AB)
    with pytest.raises(AttemptFailed) as caught:
        run.step("add", woken=True)
    assert type(caught.value).__name__ == "StepRefused"
    assert caught.value.error.message == "`add` was woken before `b` had ended."
    (event,) = step_events(run.store, "meet", "add", "r")
    assert isinstance(event, StepFailure)
    assert event.error.hint.startswith("start a new run that reuses what this one has")


def test_a_damaged_result_is_the_business_of_the_attempt() -> None:
    """It begins, fails and tells of it, as without rendezvous."""
    run = Run(meet)
    run.store.put(keys.commit("meet", "a", "r"), b"{}")
    with pytest.raises(
        AttemptFailed, match=r"UnreadableCommit: The object `v1/commits/meet/a/r.ndjson` is not a commit"
    ):
        run.step("add", **AB)
    assert [type(event).__name__ for event in step_events(run.store, "meet", "add", "r")] == [
        "StepStart",
        "StepFailure",
    ]
    assert run.parked("add") is None


def test_a_second_token_stands_beside_the_first() -> None:
    """One of them is dead; who wakes finds out which by trying."""
    run = Run(meet)
    run.step("a")
    for token in ("t0", "t1", "t2"):
        run.step("add", waits=["b"], token=token, retry=int(token[1]))
    run.tokens.answered = {"t0": "timed out", "t2": "timed out"}
    run.store.counts()
    run.step("b", wakes=["add"])
    assert run.tokens.answered["t1"] == WOKEN
    assert run.tokens.refused == ["t0"]
    assert run.store.counts() == {"put commits": 1, "get parked": 2}


def test_closed_tokens_are_no_error() -> None:
    """Of a step that is waited for by a state that is over, and of one's own."""
    run = Run(meet)
    run.tokens.answered = {"t": "timed out", "own": "timed out"}
    run.step("add", waits=["b"], token="t")
    assert run.step("b", wakes=["add"], token="own")["status"] == "success"
    assert run.tokens.refused == ["t", "own"]


def test_what_step_functions_does_not_hear_is_said_again() -> None:
    """The invocation fails as unavailable storage does, which the state machine repeats; it then finds its commit."""
    run = Run(meet)
    run.step("a")
    run.step("add", waits=["b"], token="t")
    run.tokens.broken = 1
    with pytest.raises(StorageUnavailable):
        run.step("b", wakes=["add"])
    assert run.commit("b")
    assert run.step("b", wakes=["add"], retry=1)["status"] == "success"
    run.tokens.broken = 1
    with pytest.raises(StorageUnavailable):
        run.step("add", waits=["b"], token="t1")
    run.step("add", waits=["b"], token="t2", retry=1)
    assert list(run.tokens.answered) == ["t", "t2"]


def test_who_waits_and_is_waited_for_wakes_before_it_answers() -> None:
    """Once its own state has gone on, nobody would repeat the wake-up."""
    run = Run(meet)
    run.step("add", waits=["a"], token="t")
    run.step("a", wakes=["add"], token="own")
    assert list(run.tokens.answered) == ["t", "own"]


def test_a_parked_step_wakes_nobody() -> None:
    """It has not ended."""
    run = Run(failing)
    run.step("add", waits=["same"], token="t")
    assert run.step("same", waits=["fail"], wakes=["add"], token="own")["status"] == "parked"
    assert run.tokens.answered == {}


def test_who_is_not_selected_ends_after_what_is_before_it() -> None:
    """It holds the place of what it would be: `add` reads `one` too, and nothing else orders it after that."""
    run = Run(around, steps=["one", "add"], from_run="r0")
    run.reuse("same", Run(around))
    assert run.step("same", waits=["one"], wakes=["add"], token="s")["status"] == "parked"
    assert run.step("add", waits=["same"], token="t")["reason"] == "waits for `same`"
    run.step("one", wakes=["same"])
    assert run.tokens.answered == {"s": WOKEN}
    digest = run.step("same", woken=True, wakes=["add"])
    assert digest == {"step": "same", "status": "not selected"}
    assert (run.tokens.answered, run.ended("same")) == ({"s": WOKEN, "t": WOKEN}, True)
    assert run.step("add", woken=True)["status"] == "success"


def test_who_is_not_selected_passes_when_all_is_there() -> None:
    """It answers its token, wakes, and leaves no more than a marker for those that wait for it."""
    run = Run(around, steps=["one", "add"], from_run="r0")
    run.reuse("same", Run(around))
    run.step("one", wakes=["same"])
    run.store.counts()
    digest = run.step("same", waits=["one"], token="s")
    assert (run.tokens.answered, run.store.counts()) == ({"s": digest}, {"look commits": 1})
    run.step("same", waits=["one"], wakes=["add"], token="s2")
    assert run.store.counts() == {"look commits": 1, "put ended": 1, "get parked": 1}
    assert run.step("add", waits=["same"], token="t")["status"] == "success"


@pytest.mark.parametrize("order", ["as listed", "backwards", "mixed"])
def test_many_that_end_one_after_the_other_look_at_few(order: str) -> None:
    """Each would otherwise look at all that have ended before it."""
    names = [f"p{number}" for number in range(100)]
    solids = [one.alias(name) for name in names]
    run = Run(pipeline_from_dependencies("wide", solids, {}))
    Meeting(run.runtime, run.handle).park("last", "t", names)
    if order == "backwards":
        names.reverse()
    elif order == "mixed":
        random.Random(7).shuffle(names)
    run.store.counts()
    for name in names:
        assert run.tokens.answered == {}
        run.step(name, wakes=["last"])
    assert run.tokens.answered == {"t": WOKEN}
    counts = run.store.counts()
    assert (counts["get parked"], counts["put commits"]) == (100, 100)
    assert counts["look commits"] + counts["look ended"] < 1_200  # 5,050 if each looked at all before it


def test_looking_stops_at_the_first_that_is_missing() -> None:
    """One, then two, then four."""
    names = [f"p{number}" for number in range(9)]
    run = Run(pipeline_from_dependencies("wide", [one.alias(name) for name in names], {}))
    meeting = Meeting(run.runtime, run.handle)
    for missing, looks in [("p0", 1), ("p1", 3), ("p3", 7), ("p8", 9), (None, 9)]:
        for name in names:
            run.store.delete(keys.ended("wide", name, "r"))
            if name != missing:
                meeting.end(name)
        run.store.counts()
        assert meeting.first_missing(names) == missing
        assert run.store.counts()["look ended"] == looks


def test_something_else_in_the_place_of_a_token_is_told() -> None:
    """Somebody wrote to the bucket."""
    run = Run(meet)
    run.store.put(keys.parked("meet", "add", "r", 0), b"[]")
    with pytest.raises(IntermediateError) as caught:
        run.step("a", wakes=["add"])
    assert str(caught.value) == (
        "The object `v1/parked/meet/add/r/000.json` is not the token of a parked step: "
        "Expected `object`, got `array`.\n"
        "  fix: something else wrote to the bucket; start a new run"
    )


def test_an_engine_without_state_machine_answers_no_tokens() -> None:
    """There is nobody who could have sent one."""
    run = Run(meet)
    run.runtime.tokens = None
    run.step("a")
    with pytest.raises(TypeError, match="the engine `test` has no state machine whose task tokens it could answer"):
        run.step("b", token="t")


def test_a_rendezvous_works_on_every_store(tmp_path: Any) -> None:
    """Also where folders are the store."""
    from solidstate.storage.folder import FolderStore

    run = Run(meet)
    store: ObjectStore = FolderStore(tmp_path)
    run.runtime.store = store
    run.step("a", wakes=["add"])
    run.step("add", **AB)
    run.step("b", wakes=["add"])
    assert run.tokens.answered == {"t": WOKEN}
    key = keys.commit("meet", "add", "r")
    run.step("add", woken=True)
    assert decode_commit(store.get(key), key).status == "success"
