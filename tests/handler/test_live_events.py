"""Events of an attempt, stored while it runs: often enough to look on, seldom enough to cost nothing."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from typing import Any

import pytest

from solidstate import HookContext, Materialization, StepContext, failure_hook, pipeline, solid
from solidstate.errors import StorageUnavailable
from solidstate.events import LogMessage, StepMaterialization, StepStart, decode_events
from solidstate.handler.live_events import LARGE_BYTES, SOON, LiveEvents
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.recorder import Recorder, Scope
from solidstate.infra.inline import InlineInvocation
from solidstate.storage import keys
from solidstate.storage.memory import MemoryStore
from tests.handler.conftest import Bench

MINUTES_15 = 900


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Invocation:
    """An attempt's time limit."""

    aws_request_id = "q"

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s

    def get_remaining_time_in_millis(self) -> int:
        return int(self._limit_s * 1000)


class Running:
    """An attempt that is looked at."""

    def __init__(self, limit_s: float = 2 * MINUTES_15) -> None:
        self.recorder = Recorder(Scope("r", "p", "s", 1, request="q"))
        self.invocation = Invocation(limit_s)
        self.said: list[tuple[str, str, dict[str, Any]]] = []
        self.recorder.emit(StepStart, solid="s")

    def sink(self, level: str, message: str, fields: dict[str, Any]) -> None:
        self.said.append((level, message, fields))

    def part_key(self, number: int) -> str:
        return keys.attempt_part("p", "s", "r", "001-q", number)

    def log(self, text: str = "on") -> None:
        self.recorder.emit(LogMessage, level="info", message=text)


class Counting(MemoryStore):
    """Notes when something was put, by the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.puts: list[float] = []
        self.refuses = 0

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        if self.refuses:
            self.refuses -= 1
            raise StorageUnavailable("The store did not answer.", subject=key)
        self.puts.append(round(self.clock.now - 1000.0, 3))
        return super().put(key, body, if_absent=if_absent)

    def sequences(self) -> list[int]:
        """Of the events in all objects, in the order of their keys."""
        return [event.seq for info in self.list("") for event in decode_events(self.get(info.key))]


def watched(attempt: Running) -> tuple[LiveEvents, Counting, Clock]:
    clock = Clock()
    store = Counting(clock)
    live = LiveEvents(store, clock=clock, threaded=False)
    live.watch(attempt)
    return live, store, clock


def passes(live: LiveEvents, clock: Clock, seconds: float, each: Any = None) -> None:
    """Time goes on, from one look to the next; ``each`` second something happens."""
    end = clock.now + seconds
    while clock.now < end:
        pause = live.look()
        clock.now = min(end, clock.now + (pause if pause is not None else seconds))
        if each is not None and clock.now % 1 == 0:
            each()
    live.look()


def test_fifteen_minutes_cost_about_ninety_requests() -> None:
    """A step that logs every second: after 1, 2 and 5 seconds, then every 10; nothing is stored twice or left out."""
    attempt = Running()
    live, store, clock = watched(attempt)
    passes(live, clock, MINUTES_15, attempt.log)
    assert store.puts == [1, 2, 5, *range(15, MINUTES_15, 10)]
    assert len(store.puts) == 92
    assert store.sequences() == list(range(1, len(store.sequences()) + 1))
    assert store.sequences()[-1] > 890


def test_a_step_without_news_costs_one() -> None:
    """That it has begun."""
    attempt = Running()
    live, store, clock = watched(attempt)
    passes(live, clock, MINUTES_15)
    assert store.puts == [1]


def test_news_that_come_late_wait_no_longer_than_the_next_look() -> None:
    """The time to store them had passed with nothing to store."""
    attempt = Running()
    live, store, clock = watched(attempt)
    passes(live, clock, 19)
    attempt.log()
    passes(live, clock, 2)
    assert store.puts == [1, 19]


def test_a_short_step_costs_nothing() -> None:
    """Not one request in its first second, whatever it has to say."""
    attempt = Running()
    live, store, clock = watched(attempt)
    for _ in range(9):
        clock.now += 0.11
        attempt.recorder.emit(StepMaterialization, label="x" * LARGE_BYTES)
        live.look()
    live.leave(attempt)
    passes(live, clock, 60)
    assert store.puts == []


def test_much_is_stored_at_once() -> None:
    """Not more than once a second."""
    attempt = Running()
    live, store, clock = watched(attempt)
    passes(live, clock, 6)
    attempt.log("x" * LARGE_BYTES)
    passes(live, clock, 1)
    attempt.log("x" * (LARGE_BYTES // 2))
    passes(live, clock, 4)
    assert store.puts == [1, 6]


def test_the_first_milestones_are_seen_soon() -> None:
    """So many that a step with thousands of them costs little more than one with none."""
    attempt = Running()
    live, store, clock = watched(attempt)
    passes(live, clock, 7)
    attempt.recorder.emit(StepMaterialization, label="report")
    passes(live, clock, 1)
    assert store.puts == [1, 7]
    passes(live, clock, MINUTES_15 - 8, lambda: attempt.recorder.emit(StepMaterialization, label="again"))
    assert 92 < len(store.puts) <= 92 + SOON


@pytest.mark.parametrize(("limit_s", "when"), [(60, 58.0), (3, 1.5), (1, 0.5)])
def test_the_last_events_are_stored_before_the_time_runs_out(limit_s: float, when: float) -> None:
    """Two seconds before, or when half of a short time has passed; and what comes then as well."""
    attempt = Running(limit_s)
    live, store, clock = watched(attempt)
    passes(live, clock, when - 0.125, attempt.log)
    attempt.log("nearly")
    before = len(store.puts)
    passes(live, clock, 0.125)
    assert store.puts[before:] == [when]
    passes(live, clock, 0.25, None)
    attempt.log("the very last")
    passes(live, clock, 0.25)
    assert when < store.puts[-1] <= when + 0.5
    assert store.sequences() == [event.seq for event in attempt.recorder.events]


def test_a_store_that_does_not_answer_costs_the_attempt_nothing() -> None:
    """The same part is tried again with more in it; it is said once in the log."""
    attempt = Running()
    live, store, clock = watched(attempt)
    store.refuses = 2
    passes(live, clock, 4, attempt.log)
    assert store.puts == []
    passes(live, clock, 2, attempt.log)
    assert store.puts == [5]
    assert [info.key for info in store.list("")] == [attempt.part_key(1)]
    assert store.sequences() == [1, 2, 3, 4, 5, 6]
    assert attempt.said == [
        (
            "warning",
            "events of the running attempt could not be stored yet",
            {"reason": "The store did not answer."},
        )
    ]


def test_what_is_no_json_is_put_into_words() -> None:
    """As in the commit; the events themselves are left as they are."""
    attempt = Running()
    live, store, clock = watched(attempt)
    attempt.recorder.emit(LogMessage, level="info", message="\ud800", fields={"x": object()})
    passes(live, clock, 1)
    (info,) = store.list("")
    (_, event) = decode_events(store.get(info.key))
    assert isinstance(event, LogMessage)
    assert event.message == "\\ud800"


of_whom: ContextVar[str] = ContextVar("of_whom", default="nobody")


def test_it_is_stored_on_behalf_of_whom_it_is_about() -> None:
    """A store that takes nothing from the dead can tell, and the attempt is looked at no more."""
    asked: list[str] = []

    class Refusing(MemoryStore):
        def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
            asked.append(of_whom.get())
            raise SystemExit

    clock = Clock()
    live = LiveEvents(Refusing(), clock=clock, threaded=False)
    token = of_whom.set("me")
    live.watch(Running())
    of_whom.reset(token)
    passes(live, clock, 30)
    assert asked == ["me"]


def parts(store: MemoryStore) -> list[str]:
    return [info.key for info in store.list("v1/attempts/")]


def test_a_running_step_can_be_looked_at() -> None:
    """By the thread of its own; when the step has committed, the commit has the same events and the part is of no use.
    A step that is over at once has no part, and the thread ends when it is told to."""
    done = threading.Event()

    @solid
    def long(context: StepContext) -> int:
        context.log.info("begun")
        done.wait(20)
        context.emit(Materialization("done"))
        return 1

    @solid
    def short(n: int) -> int:
        return n

    @pipeline
    def lasting() -> None:
        short(long())

    store = MemoryStore()
    live = LiveEvents(store)
    bench = Bench(lasting, store=store)
    bench.runtime.live = live
    thread = threading.Thread(target=bench.step, args=("long",))
    thread.start()
    deadline = time.monotonic() + 10
    while not parts(store) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert bench.kinds("long") == ["step_start", "log"]
    done.set()
    thread.join()
    assert bench.kinds("long") == ["step_start", "log", "step_materialization", "step_output", "step_success"]
    bench.step("short")
    assert [key.rpartition("@")[2] for key in parts(store)] == ["000001.ndjson"]
    live.close()
    assert [one.name for one in threading.enumerate() if one.name == "live-events"] == []


def test_parts_of_an_attempt_that_failed_are_superseded() -> None:
    """Its record has every event, and nothing is stored after it, whatever hooks take their time."""

    @failure_hook
    def slow_to_tell(context: HookContext) -> None:
        clock.now += 60
        live.look()

    @solid(hooks={slow_to_tell})
    def bad() -> int:
        live.look()
        clock.now += 1
        live.look()
        raise ValueError("no")

    @pipeline
    def failing() -> None:
        bad()

    clock = Clock()
    store = Counting(clock)
    live = LiveEvents(store, clock=clock, threaded=False)
    bench = Bench(failing, store=store)
    bench.runtime.live = live
    with pytest.raises(AttemptFailed):
        bench.step("bad")
    assert len(parts(store)) == 2
    assert bench.kinds("bad") == ["step_start", "step_failure", "hook_completed"]
    assert live.look() is None


def test_watching_costs_a_step_microseconds() -> None:
    """Beside the writing of its commit alone that is nothing."""
    live = LiveEvents(MemoryStore())
    attempt = Running()
    live.watch(Running())
    began = time.thread_time()
    for _ in range(1000):
        live.watch(attempt)
        live.leave(attempt)
    took = (time.thread_time() - began) / 1000
    live.close()
    assert took < 0.0005


def test_the_time_limit_is_the_invocation_s() -> None:
    """Of whatever kind it is."""
    assert 899_000 < InlineInvocation(900).get_remaining_time_in_millis() <= 900_000
