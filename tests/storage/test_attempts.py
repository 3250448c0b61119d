"""What attempts leave beside the commit: whole records, parts of those that run or were killed, and gaps."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate.errors import IntermediateError, MissingObject
from solidstate.events import AnyEvent, ErrorInfo, LogMessage, StepFailure, StepStart, StepSuccess, encode_events
from solidstate.storage import keys
from solidstate.storage.attempts import GAP, Tail, attempts_left, is_gap, recorded_attempts, with_gaps
from solidstate.storage.commits import Commit, encode_commit
from solidstate.storage.history import step_events
from solidstate.storage.memory import MemoryStore


def event(seq: int, attempt: int = 1, request: str = "q", kind: Any = LogMessage) -> AnyEvent:
    facts: dict[str, Any] = {"level": "info", "message": f"e{seq}"} if kind is LogMessage else {}
    if kind is StepStart:
        facts = {"solid": "s"}
    if kind is StepFailure:
        facts = {"duration_s": 1.0, "error": ErrorInfo("E", "no")}
    if kind is StepSuccess:
        facts = {"duration_s": 1.0}
    made: AnyEvent = kind("r", "p", seq, 5.0, 0.1, "s", attempt, request=request, **facts)
    return made


def part(store: MemoryStore, number: int, *events: AnyEvent, request: str = "q", attempt: int = 1) -> None:
    key = keys.attempt_part("p", "s", "r", keys.attempt_id(attempt, request), number)
    store.put(key, encode_events(events))


def whole(store: MemoryStore, *events: AnyEvent, request: str = "q", attempt: int = 1) -> None:
    store.put(keys.attempt("p", "s", "r", keys.attempt_id(attempt, request)), encode_events(events))


def commit(store: MemoryStore, *events: AnyEvent) -> None:
    made = Commit("r", "p", "s", 1, "001-q", "f", "success")
    store.put(keys.commit("p", "s", "r"), encode_commit(made, list(events)))


def numbers(store: MemoryStore) -> list[tuple[int, int]]:
    return [(one.attempt, one.seq) for one in step_events(store, "p", "s", "r")]


def test_parts_are_one_attempt() -> None:
    """In the order of their numbers, beyond nine too; bytes and events say the same."""
    store = MemoryStore()
    for number in range(1, 13):
        part(store, number, event(number))
    (left,) = attempts_left(store, "p", "s", "r")
    assert [one.seq for one in left.events] == list(range(1, 13))
    assert left.body == encode_events(left.events)


def test_a_whole_record_takes_the_place_of_parts() -> None:
    """They are not even read: a damaged one does no harm."""
    store = MemoryStore()
    whole(store, event(1, kind=StepStart), event(2, kind=StepFailure))
    store.put(keys.attempt_part("p", "s", "r", "001-q", 1), b"{")
    assert numbers(store) == [(1, 1), (1, 2)]


def test_a_commit_takes_the_place_of_parts() -> None:
    """Of those of its own attempt alone: a duplicate that was killed stays on record, before it."""
    store = MemoryStore()
    part(store, 1, event(1))
    part(store, 1, event(1, request="a"), request="a")
    commit(store, event(1), event(2, kind=StepSuccess))
    assert [(one.request, one.seq) for one in step_events(store, "p", "s", "r")] == [("a", 1), ("q", 1), ("q", 2)]


def test_attempts_come_in_order() -> None:
    """The killed first one before the second, which failed."""
    store = MemoryStore()
    whole(store, event(1, 2, "a", StepStart), event(2, 2, "a", StepFailure), request="a", attempt=2)
    part(store, 2, event(3))
    part(store, 1, event(1), event(2))
    assert numbers(store) == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]


def test_a_gap_is_said() -> None:
    """Between parts, and before the first one; how many events are missing is told."""
    store = MemoryStore()
    part(store, 2, event(4))
    part(store, 4, event(8))
    (left,) = attempts_left(store, "p", "s", "r")
    assert [(one.seq, is_gap(one)) for one in left.events] == [(1, True), (4, False), (5, True), (8, False)]
    gap = left.events[0]
    assert (getattr(gap, "message", ""), getattr(gap, "fields", {})) == (GAP, {"missing": 3})
    assert (gap.step, gap.attempt, gap.request) == ("s", 1, "q")
    assert left.body == encode_events(left.events)
    commit(store, event(1, request="z"), event(2, request="z", kind=StepSuccess))
    assert [is_gap(one) for one in step_events(store, "p", "s", "r")] == [True, False, True, False, False, False]


def test_what_is_there_twice_counts_once() -> None:
    """A part whose writer did not hear that it was stored is written again with more in it."""
    assert [one.seq for one in with_gaps([event(1), event(2), event(2), event(3)])] == [1, 2, 3]
    assert [one.seq for one in with_gaps([event(2), event(3)], event(2))] == [3]
    assert [one.seq for one in with_gaps([event(number) for number in (1, 2, 3, 1, 2, 3, 4)])] == [1, 2, 3, 4]


def test_the_bytes_of_an_attempt_are_its_events() -> None:
    """Also where one is there twice and as many are missing."""
    store = MemoryStore()
    part(store, 1, event(1), event(2))
    part(store, 2, event(2), event(3))
    (left,) = attempts_left(store, "p", "s", "r")
    assert [one.seq for one in left.events] == [1, 2, 3]
    assert left.body == encode_events(left.events)
    part(store, 4, event(6))
    (left,) = attempts_left(store, "p", "s", "r")
    assert [(one.seq, is_gap(one)) for one in left.events] == [
        (1, False),
        (2, False),
        (3, False),
        (4, True),
        (6, False),
    ]
    assert left.body == encode_events(left.events)


def test_the_tail_gives_what_is_new() -> None:
    """Each part is read once; whole records are for others to read; gaps are noticed across looks."""
    store = MemoryStore()
    tail = Tail(store, "p", "r")
    assert tail.news("s") == []
    part(store, 1, event(1), event(2))
    whole(store, event(1, 2), attempt=2)
    assert [one.seq for one in tail.news("s")] == [1, 2]
    assert tail.news("s") == []
    part(store, 2, event(3))
    part(store, 4, event(6))
    assert [(one.seq, is_gap(one)) for one in tail.news("s")] == [(3, False), (4, True), (6, False)]


def test_the_failures_of_a_step_need_no_more_than_the_ends() -> None:
    """Of an attempt in parts the last one is read alone."""
    store = MemoryStore()
    store.put(keys.attempt_part("p", "s", "r", "001-q", 1), b"{")
    part(store, 2, event(3))
    whole(store, event(1, 2), attempt=2)
    assert [[one.seq for one in events] for events in recorded_attempts(store, "p", "s", "r")] == [[3], [1]]


def test_a_part_that_holds_no_events_is_an_error() -> None:
    """Its key is named."""
    store = MemoryStore()
    store.put(keys.attempt_part("p", "s", "r", "001-q", 1), b"{")
    with pytest.raises(IntermediateError, match=r"v1/attempts/p/s/r/001-q@000001\.ndjson` does not hold events"):
        list(attempts_left(store, "p", "s", "r"))


def test_the_tail_keeps_attempts_apart() -> None:
    """Two at a time, each with a sequence of its own: neither is a gap of the other."""
    store = MemoryStore()
    tail = Tail(store, "p", "r")
    part(store, 1, event(1), event(2))
    part(store, 1, event(1, 2, "z"), request="z", attempt=2)
    assert [(one.attempt, one.seq) for one in tail.news("s")] == [(1, 1), (1, 2), (2, 1)]
    part(store, 2, event(3))
    part(store, 2, event(2, 2, "z"), request="z", attempt=2)
    assert [(one.attempt, one.seq) for one in tail.news("s")] == [(1, 3), (2, 2)]


class Removing(MemoryStore):
    """Objects of these numbers of parts vanish between being listed and being read."""

    def __init__(self, *numbers: int) -> None:
        super().__init__()
        self._numbers = numbers

    def get(self, key: str) -> bytes:
        if keys.attempt_in(key)[1] in self._numbers:
            raise MissingObject(f"There is no object `{key}`.", subject=key)
        return super().get(key)


def test_a_part_that_vanishes_while_parts_are_read_hides_none_behind_it() -> None:
    """What follows is read, and the gap is told."""
    store = Removing(2)
    for number in (1, 2, 3):
        part(store, number, event(number))
    (left,) = attempts_left(store, "p", "s", "r")
    assert [(one.seq, is_gap(one)) for one in left.events] == [(1, False), (2, True), (3, False)]
    news = Tail(store, "p", "r").news("s")
    assert [(one.seq, is_gap(one)) for one in news] == [(1, False), (2, True), (3, False)]


def test_the_end_of_an_attempt_is_its_record_or_its_last_part() -> None:
    """However many parts there are, and whether the record came after them."""
    store = MemoryStore()
    for number in (1, 2, 3):
        part(store, number, event(number))
    assert [[one.seq for one in end] for end in recorded_attempts(store, "p", "s", "r")] == [[3]]
    whole(store, *(event(number) for number in (1, 2, 3, 4)))
    assert [[one.seq for one in end] for end in recorded_attempts(store, "p", "s", "r")] == [[1, 2, 3, 4]]
    (left,) = attempts_left(store, "p", "s", "r")
    assert [one.seq for one in left.events] == [1, 2, 3, 4]
