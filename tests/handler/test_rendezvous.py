"""Steps that meet, one invocation at a time: who parks, who wakes whom, and what it costs."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import msgspec
import pytest

from solidstate import DynamicOut, DynamicOutput, pipeline, pipeline_from_dependencies, solid
from solidstate.errors import IntermediateError, StorageUnavailable
from solidstate.events import StepFailure
from solidstate.handler.entry import make_handler
from solidstate.handler.outcome import AttemptFailed, Refused
from solidstate.handler.rendezvous import Meeting
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.inline import InlineInvocation
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.contract import READY, RunHandle
from solidstate.storage import keys
from solidstate.storage.commits import decode_commit
from solidstate.storage.history import step_events
from solidstate.storage.memory import MemoryStore
from solidstate.storage.store import ObjectStore


class Counted(MemoryStore):
    """Notes each verb and kind of object: on S3 each is one request."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []

    def counts(self) -> dict[str, int]:
        """How many of each since it was last asked."""
        counted = dict(Counter(f"{verb} {key.split('/')[1]}" for verb, key in self.seen))
        self.seen.clear()
        return counted

    def get(self, key: str) -> bytes:
        self.seen.append(("get", key))
        return super().get(key)

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        self.seen.append(("put", key))
        return super().put(key, body, if_absent=if_absent)

    def exists(self, key: str) -> bool:
        self.seen.append(("look", key))
        return super().exists(key)


class Tokens:
    """Answered tokens, the first answer to each. ``broken`` is raised as often as it says."""

    def __init__(self) -> None:
        self.answered: dict[str, Any] = {}
        self.refused: list[str] = []
        self.broken = 0

    def succeed(self, token: str, answer: bytes) -> bool:
        return self._answer(token, json.loads(answer))

    def fail(self, token: str, error: str, cause: str) -> bool:
        return self._answer(token, f"{error}: {cause}")

    def _answer(self, token: str, answer: Any) -> bool:
        if self.broken:
            self.broken -= 1
            raise StorageUnavailable("Step Functions did not answer.")
        if token in self.answered:
            self.refused.append(token)
            return False
        self.answered[token] = answer
        return True


WOKEN = f"{READY}: all that it waits for has ended"


class Run:
    """One run of a pipeline, by payloads, as the state machine sends them."""

    def __init__(
        self, definition: PipelineDefinition, *, steps: list[str] | None = None, from_run: str | None = None
    ) -> None:
        self.loaded = LoadedPipeline(definition, build_plan(definition))
        self.store, self.tokens = Counted(), Tokens()
        self.lines: list[tuple[dict[str, Any], str, dict[str, Any]]] = []
        runtime = Runtime(
            [self.loaded],
            self.store,
            engine="test",
            open_fs=lambda: None,
            log_sink=lambda who: lambda _, message, facts: self.lines.append((who, message, facts)),
            fetch_workers=1,
            tokens=self.tokens,
        )
        self.runtime, self.handler = runtime, make_handler(runtime)
        self.handle = RunHandle(
            "r", "default", pipeline=definition.name, plan=self.loaded.hash, request={}, steps=steps, from_run=from_run
        )

    def call(self, kind: str, step: str, **payload: Any) -> Any:
        """One invocation."""
        event = {"kind": kind, "step": step, "run": msgspec.to_builtins(self.handle), **payload}
        return self.handler(json.loads(json.dumps(event)), InlineInvocation(60))

    def step(self, name: str, **payload: Any) -> Any:
        """One attempt of a step."""
        return self.call("step", name, **payload)

    def parked(self, step: str, number: int = 0, item: str = "") -> Any:
        """What a step has left, None when it has not parked so often."""
        key = keys.parked(self.loaded.definition.name, step, "r", number, item)
        return json.loads(self.store.get(key)) if MemoryStore.exists(self.store, key) else None

    def reuse(self, step: str, earlier: Run) -> None:
        """Give the run `r0`, from which this one takes what is not selected, a result of ``step``."""
        for one in earlier.loaded.plan.steps:
            earlier.step(one.name)
        pipe = self.loaded.definition.name
        body = earlier.store.get(keys.commit(pipe, step, "r")).replace(b'"run":"r"', b'"run":"r0"')
        self.store.put(keys.commit(pipe, step, "r0"), body)

    def ended(self, step: str, item: str = "") -> bool:
        """Whether there is a marker."""
        return MemoryStore.exists(self.store, keys.ended(self.loaded.definition.name, step, "r", item))

    def commit(self, step: str) -> bool:
        """Whether there is a commit."""
        return MemoryStore.exists(self.store, keys.commit(self.loaded.definition.name, step, "r"))


@solid
def one() -> int:
    return 1


@solid
def fail() -> int:
    raise ValueError("no")


@solid
def add(x: int, y: int) -> int:
    return x + y


@solid
def same(x: int) -> int:
    return x


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
    assert run.step("add", waits=["a", "b"])["status"] == "success"
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
    assert run.step("add", waits=["a", "same"])["reason"] == "upstream `same` did not succeed"


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
    """It cannot park without a token; the run fails instead of going wrong."""
    run = Run(meet)
    run.step("a")
    with pytest.raises(AttemptFailed) as caught:
        run.step("add", waits=["a", "b"])
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
        AttemptFailed, match=r"IntermediateError: The object `v1/commits/meet/a/r.ndjson` is not a commit"
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


def test_a_gate_waits_for_several_steps() -> None:
    """Its token is answered with nothing; parked, it goes by the name of the first of them."""
    run = Run(meet)
    run.step("a")
    gate: Any = {"waits": ["a", "b"], "token": "t"}
    assert run.call("gate", "add", **gate) == {"step": "add", "status": "parked", "reason": "waits for `a`, `b`"}
    assert run.parked("add") == {"token": "t", "missing": ["a", "b"]}
    run.step("b", wakes=["add"])
    assert run.tokens.answered == {"t": WOKEN}
    run.store.counts()
    assert run.call("gate", "add", waits=["a", "b"], token="t1") == {}
    assert run.store.counts() == {"look commits": 2}
    assert run.tokens.answered["t1"] == {}


@solid(outs={"items": DynamicOut(int, max_items=8)})
def make() -> Any:
    for key in ("k1", "k2"):
        yield DynamicOutput(1, key, "items")


@solid
def total(xs: list[int]) -> int:
    return sum(xs)


@pipeline
def mapped() -> None:
    x = one.alias("b")()

    def each(item: Any) -> Any:
        return add(same(item), add.alias("add2")(item, x))

    total(make().map(each).collect())


READER: Any = {"output": "items", "steps": ["same", "add2", "add"]}


def test_the_reader_of_items_waits_for_what_the_mapped_steps_read() -> None:
    """It parks by the name of the first of them, and answers its token with the items."""
    run = Run(mapped)
    run.step("make")
    parked = run.call("items", "make", **READER, waits=["make", "b"], token="t")
    assert parked == {"step": "same", "status": "parked", "reason": "waits for `make`, `b`"}
    run.step("b", wakes=["same"])
    assert run.tokens.answered == {"t": WOKEN}
    assert run.call("items", "make", **READER, waits=["make", "b"]) == {"items": ["k1", "k2"]}
    run.store.counts()
    run.call("items", "make", **READER, waits=["make", "b"], token="t1")
    assert run.store.counts() == {"look commits": 2, "get commits": 1}
    assert run.tokens.answered["t1"] == {"items": ["k1", "k2"]}


def test_a_reader_woken_too_early_says_so() -> None:
    """As a step does."""
    run = Run(mapped)
    with pytest.raises(Refused, match=r"^`same` was woken before `b` had ended"):
        run.call("items", "make", **READER, waits=["b"])


def test_a_reader_of_which_no_step_is_selected_waits_like_any() -> None:
    """There are no items to run, but what comes after the Map comes after what is before it."""
    run = Run(mapped, steps=["make", "b"])
    assert run.call("items", "make", **READER, waits=["make", "b"], token="t")["status"] == "parked"
    run.step("make")
    run.step("b", wakes=["same"])
    assert run.tokens.answered == {"t": WOKEN}
    assert run.call("items", "make", **READER, woken=True) == {"items": []}


def test_the_steps_of_one_item_meet_by_themselves() -> None:
    """All keys carry the item."""
    run = Run(mapped)
    run.step("make")
    run.step("b")
    for key in ("k1", "k2"):
        assert run.step("add", item=key, waits=["add2"], token=key)["status"] == "parked"
    assert run.parked("add", item="k1") == {"token": "k1", "missing": ["add2"]}
    run.step("same", item="k2")
    run.step("add2", item="k2", wakes=["add"])
    assert run.tokens.answered == {"k2": WOKEN}
    run.call("ended", "add2", item="k1", wakes=["add"])
    assert run.tokens.answered["k1"] == WOKEN
    assert (run.ended("add2", "k1"), run.ended("add2")) == (True, False)
    assert {who.get("item") for who, message, _ in run.lines if message.startswith("parked")} == {"k1", "k2"}


def test_a_whole_map_is_waited_for_by_its_first_step() -> None:
    """Nothing of its items is read before it has ended."""
    run = Run(mapped)
    run.step("make")
    run.store.counts()
    assert run.step("total", waits=["same"], token="t")["reason"] == "waits for `same`"
    assert run.store.counts() == {"look commits": 2, "look ended": 2, "put parked": 1}
    run.call("ended", "same", wakes=["total"])
    assert run.tokens.answered == {"t": WOKEN}
    assert run.step("total", waits=["same"])["reason"] == "upstream `add[k1]`, `add[k2]` did not succeed"


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
    run.step("add", waits=["a", "b"])
    assert decode_commit(store.get(key), key).status == "success"
