"""Requests that are repeated: events of their step, in its commit where they can be, and within its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from solidstate import pipeline, solid, success_hook
from solidstate.errors import StorageUnavailable
from solidstate.events import AnyEvent, EngineEvent, StorageRetry, kind_of
from solidstate.handler.entry import make_handler
from solidstate.infra.inline import InlineInvocation
from solidstate.infra.time_limits import StoreOfTheLiving
from solidstate.planner.contract import EndPayload, StepPayload
from solidstate.storage import s3_repeat
from solidstate.storage.commits import decode_commit_events
from solidstate.storage.history import step_events
from solidstate.storage.memory import MemoryStore
from solidstate.storage.s3_answers import Refused, answered, unanswered
from solidstate.storage.s3_repeat import Patience
from solidstate.storage.store import ObjectStore, Repeat
from solidstate.testing.intercepted import InterceptedStore

if TYPE_CHECKING:
    from tests.handler.conftest import Bench

HOOKED: list[str] = []


@solid
def one() -> int:
    return 1


@solid
def two(value: int) -> int:
    return value + 1


@pipeline
def short() -> None:
    two(one())


@success_hook
def note(context: Any) -> None:
    HOOKED.append(context.step_key)


@pipeline(hooks={note})
def hooked() -> None:
    one()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    HOOKED.clear()
    monkeypatch.setattr(s3_repeat, "FIRST_WAIT_S", 0.0)


class Shaky(MemoryStore):
    """As S3: requests are repeated. ``plan`` has, by verb and by what the key has in it, what comes before an answer:
    a status, ``lost`` (done, and nobody hears of it) or ``down``."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: dict[tuple[str, str], list[str]] = {}
        self.asked: list[tuple[str, str]] = []
        self._patience = Patience()

    def attended(self, left_s: Callable[[], float], told: Callable[[Repeat], bytes | None]) -> ObjectStore:
        other = Shaky.__new__(Shaky)
        other.__dict__ = {**self.__dict__, "_patience": Patience(left_s, told)}
        return other

    def get(self, key: str) -> bytes:
        def read() -> bytes:
            body: bytes = self._once("get", key, lambda: MemoryStore.get(self, key))
            return body

        return self._patience.answer(read, "read", key)

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        def write(body: bytes = body) -> None:
            def done() -> None:
                if not MemoryStore.put(self, key, body, if_absent=if_absent):
                    raise Refused

            self._once("put", key, done)

        try:
            self._patience.answer(write, "write", key)
        except Refused:
            return False
        return True

    def _once(self, verb: str, key: str, request: Callable[[], Any]) -> Any:
        self.asked.append((verb, key))
        for (planned, part), comes in self.plan.items():
            if planned == verb and part in key and comes:
                came = comes.pop(0)
                if came == "lost":
                    request()
                if came.isdigit():
                    raise answered("SlowDown", int(came), "reach", "b", key, "")
                raise unanswered("Connection was closed", "reach", "b", key)
        return request()


@pytest.fixture
def store() -> Iterator[Shaky]:
    made = Shaky()
    yield made
    assert not any(made.plan.values())


def step(run: Bench, name: str, *, left_s: float = 900, retry: int = 0) -> Any:
    """One invocation of the function."""
    event = msgspec.to_builtins(StepPayload(name, run.run, retry))
    return make_handler(run.runtime)(event, InlineInvocation(left_s))


def told(events: list[AnyEvent]) -> list[tuple[str, str, str, int]]:
    """What events say of repeated requests."""
    kind = [event for event in events if isinstance(event, StorageRetry)]
    return [(event.key.split("/")[1], event.verb, event.came, event.tries) for event in kind]


def test_what_was_repeated_is_in_the_commit(bench: type[Bench], store: Shaky) -> None:
    """Reading its input, and writing the very commit: in the order in which it happened, each with what came."""
    run = bench(short, store=store)
    step(run, "one")
    store.plan = {("get", "/commits/"): ["503", "down"], ("put", "/commits/"): ["500", "503"]}
    assert step(run, "two")["status"] == "success"
    events = decode_commit_events(store.get(run.key("two")), "k")
    assert [kind_of(event) for event in events] == [
        "step_start",
        "storage_retry",
        "storage_retry",
        "step_input",
        "step_output",
        "step_success",
        "storage_retry",
        "storage_retry",
    ]
    assert told(events) == [
        ("commits", "read", "503 SlowDown", 1),
        ("commits", "read", "no answer", 2),
        ("commits", "write", "500 SlowDown", 1),
        ("commits", "write", "503 SlowDown", 2),
    ]
    assert [event.seq for event in events] == list(range(1, 9))
    assert run.events("two") == events


def test_each_is_a_line_of_the_log(bench: type[Bench], store: Shaky) -> None:
    """A warning, with what the event has."""
    run = bench(short, store=store)
    store.plan = {("put", "/commits/"): ["503"]}
    step(run, "one")
    facts = {"key": run.key("one"), "verb": "write", "came": "503 SlowDown", "tries": 1, "wait_s": 0.0}
    assert ("warning", "storage is asked again", facts) in run.lines


def test_a_commit_whose_answer_was_lost_is_ours(bench: type[Bench], store: Shaky) -> None:
    """The second try hears 412, and finds its own attempt in the object: a success, and no event of an adoption. What
    the commit came too early for is beside it."""
    run = bench(short, store=store)
    store.plan = {("put", "/commits/"): ["lost"]}
    assert step(run, "one")["status"] == "success"
    assert [key for verb, key in store.asked if verb == "put" and "/commits/" in key] == [run.key("one")] * 2
    kinds = [kind_of(event) for event in decode_commit_events(store.get(run.key("one")), "k")]
    assert kinds == ["step_start", "step_output", "step_success"]
    assert run.kinds("one") == [*kinds, "storage_retry"]
    assert told(run.events("one")) == [("commits", "write", "no answer", 1)]
    assert [event.seq for event in run.events("one")] == [1, 2, 3, 4]
    assert run.close().steps[0].status == "success"


def test_hooks_come_after_it(bench: type[Bench], store: Shaky) -> None:
    """They are called once, and stand with what was late."""
    run = bench(hooked, store=store)
    store.plan = {("put", "/commits/"): ["503", "lost"]}
    step(run, "one")
    assert HOOKED == ["one"]
    assert run.kinds("one") == [
        "step_start",
        "step_output",
        "step_success",
        "storage_retry",
        "storage_retry",
        "hook_completed",
    ]


def test_the_end_of_all_tries_is_told_with_counts(bench: type[Bench], store: Shaky) -> None:
    """The state machine repeats the step; what the attempt went through is on record."""
    run = bench(short, store=store)
    store.plan = {("put", "/commits/"): ["503", "503", "down", "503", "down", "503"]}
    with pytest.raises(StorageUnavailable) as caught:
        step(run, "one")
    assert str(caught.value) == (
        f"Could not reach the object `{run.key('one')}` in the bucket `b`: S3 answered 503 SlowDown. 6 tries failed: "
        f"503 SlowDown (4), no answer (2).\n  at: s3://b/{run.key('one')}\n"
        "  fix: try again; if it persists, spread keys or lower the concurrency"
    )
    assert len(told(run.events("one"))) == 5
    assert [event.seq for event in run.events("one")] == list(range(1, 9))
    assert "step_success" not in run.kinds("one")
    last = run.events("one")[-1]
    assert isinstance(last, EngineEvent)
    assert (last.message, last.fields) == ("storage did not answer", {"reason": caught.value.problem})
    assert step(run, "one", retry=1)["status"] == "success"
    assert run.close().steps[0].status == "success"


def test_a_run_that_ends_so_says_why(bench: type[Bench], store: Shaky) -> None:
    """Not taken for a function that was killed."""
    run = bench(short, store=store)
    store.plan = {("put", "/commits/"): ["503"] * 6}
    with pytest.raises(StorageUnavailable) as caught:
        step(run, "one")
    summary = run.close().steps[0]
    assert (summary.status, summary.reason) == ("failed", f"storage did not answer: {caught.value.problem}")


def test_when_nothing_is_answered_it_is_asked_once_more(bench: type[Bench], store: Shaky) -> None:
    """For the record of the attempt, and not again."""
    run = bench(short, store=store)
    store.plan = {("put", ""): ["down"] * 7}
    store.asked.clear()
    with pytest.raises(StorageUnavailable):
        step(run, "one")
    assert len(store.asked) == 7
    assert run.events("one") == []


@pytest.mark.parametrize(("left_s", "tries"), [(1.0, 1), (2.0, 1), (60.0, 6)])
def test_the_time_of_the_invocation_bounds_it(bench: type[Bench], store: Shaky, left_s: float, tries: int) -> None:
    """Two seconds are left for the answer."""
    run = bench(short, store=store)
    store.plan = {("put", "/commits/"): ["503"] * tries}
    with pytest.raises(StorageUnavailable, match="no time was left for more" if tries == 1 else "6 tries failed"):
        step(run, "one", left_s=left_s)
    assert len([key for verb, key in store.asked if verb == "put" and "/commits/" in key]) == tries


def test_what_comes_before_the_attempt_is_not_lost(bench: type[Bench], store: Shaky) -> None:
    """A large request is read from the run record first."""
    run = bench(short, store=store)
    run.run = msgspec.structs.replace(run.run, request=None)
    store.plan = {("get", "/runs/"): ["503"]}
    step(run, "one")
    assert told(run.events("one")) == [("runs", "read", "503 SlowDown", 1)]
    assert run.kinds("one")[:2] == ["storage_retry", "step_start"]


def test_what_is_no_attempt_has_lines_in_the_log(bench: type[Bench], store: Shaky) -> None:
    """End run, for example."""
    run = bench(short, store=store)
    step(run, "one")
    step(run, "two")
    store.plan = {("put", "/runs/"): ["500"]}
    event = msgspec.to_builtins(EndPayload(run.run))
    assert make_handler(run.runtime)(event, InlineInvocation(60))["status"] == "success"
    [line] = [facts for _, message, facts in run.lines if message == "storage is asked again"]
    assert (line["verb"], line["came"], line["tries"]) == ("write", "500 SlowDown", 1)
    assert run.who[-1] == {"run": "run-1"}


def test_an_adoption_stands_behind_what_it_adopted(bench: type[Bench], store: Shaky) -> None:
    """Also when the store had to be asked twice for it."""
    run = bench(short, store=store)
    step(run, "one")
    store.plan = {("get", "/commits/"): ["503"]}
    step(run, "one", retry=1)
    assert run.kinds("one") == ["step_start", "step_output", "step_success", "storage_retry", "engine"]


@pytest.mark.parametrize("wrap", [StoreOfTheLiving, lambda store: InterceptedStore(store, lambda *_: None)])
def test_stores_around_a_store_pass_it_on(
    bench: type[Bench], store: Shaky, wrap: Callable[[ObjectStore], ObjectStore]
) -> None:
    """Those of local engines and of tests."""
    run = bench(short, store=wrap(store))
    store.plan = {("put", "/commits/"): ["503"]}
    step(run, "one")
    assert told(step_events(store, "short", "one", "run-1")) == [("commits", "write", "503 SlowDown", 1)]


def test_a_store_that_repeats_nothing_is_left_alone(bench: type[Bench]) -> None:
    """Memory and folders: the runtime itself, and nothing more to pay for."""
    run = bench(short)
    assert run.runtime.during(InlineInvocation(60)) is run.runtime
    around = bench(short, store=StoreOfTheLiving(MemoryStore()), run="run-2")
    assert step(around, "one")["status"] == "success"
