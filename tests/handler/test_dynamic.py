"""Items of dynamic outputs in one step: the rules, what is stored where, and what a Map state is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from solidstate import (
    DynamicOut,
    DynamicOutput,
    ExpectationResult,
    Out,
    Output,
    execute_pipeline,
    execute_solid,
    pipeline,
    solid,
)
from solidstate.errors import IntermediateError
from solidstate.events import StepSkipped
from solidstate.handler.committed import own_commit, read_commit
from solidstate.handler.entry import make_handler
from solidstate.handler.items import lacking_results
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.planner.build import build_plan
from solidstate.storage import keys
from solidstate.storage.commits import Commit, CommitStatus, CommittedOutput, decode_commit, encode_commit
from solidstate.storage.memory import MemoryStore
from solidstate.storage.sink import INLINE_LIMIT


def dynamic(body: Callable[[], Any], limit: int = 3) -> Any:
    """A solid with a dynamic output `items` and a plain, optional one."""
    body.__name__ = "make"
    outs = {"items": DynamicOut(int, max_items=limit), "one": Out(int, optional=True)}
    return solid(outs=outs)(body)


def _items(*pairs: tuple[Any, Any], name: str = "items") -> Callable[[], Any]:
    def body() -> Any:
        for value, key in pairs:
            yield DynamicOutput(value, key, name)

    return body


def _plain() -> Any:
    yield Output(3, "items")


RULES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "twice": (
        _items((1, "a"), (2, "a")),
        "`make` produced two items of output `items` with the key `a`.",
        "give each item a key of its own, for example with its number in it",
    ),
    "bad key": (
        _items((1, "São Paulo")),
        "Key 'São Paulo' of an item of output `items` of `make` cannot be used: expected 1 to 64 letters, digits, `_` "
        "or `-`.",
        'make one of the value, for example `re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:64]`',
    ),
    "no text": (
        _items((1, 7)),
        "Key 7 of an item of output `items` of `make` cannot be used: expected 1 to 64 letters, digits, `_` or `-`.",
        'make one of the value, for example `re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:64]`',
    ),
    "too many": (
        _items(*((n, f"k{n}") for n in range(4))),
        "`make` produced more than 3 items of output `items`.",
        "declare it `DynamicOut(..., max_items=10)`, or put several into one item",
    ),
    "wrong type": (
        _items((1, "a"), ("two", "b")),
        "Output `items` of `make` does not pass the check of type `int`: expected `int`, got 'two' of type `str`.",
        "return what the annotation says, or correct the annotation",
    ),
    "items of one value": (
        _items((1, "a"), name="one"),
        "`make` produced an item for its output `one`, which is one value.",
        'yield `Output(value, "one")`, or declare it `DynamicOut(...)`',
    ),
    "one value for items": (
        _plain,
        "`make` produced one value for its output `items`, which takes items.",
        'yield `DynamicOutput(value, key="...", name="items")` for each item',
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_rules_are_held(rule: str) -> None:
    """What breaks one fails the step, with a way out."""
    body, message, hint = RULES[rule]
    error = execute_solid(dynamic(body), raise_on_error=False).error
    assert error is not None
    assert (error.message, error.hint) == (message, hint)


def test_items_can_be_returned() -> None:
    """A list of items does as well as a generator, and none at all is an empty output."""

    @solid(outs={"result": DynamicOut(int)})
    def listed(count: int) -> Any:
        return [DynamicOutput(n, f"k{n}") for n in range(count)]

    assert execute_solid(listed, inputs={"count": 2}).output() == {"k0": 0, "k1": 1}
    assert execute_solid(listed, inputs={"count": 0}).summary.status == "success"


def test_the_order_of_yielding_is_kept() -> None:
    """Not that of the keys."""

    @solid
    def listed(numbers: list[int]) -> list[int]:
        return numbers

    made = dynamic(_items((3, "z"), (1, "a"), (2, "m")))
    assert execute_pipeline(pipeline(name="p")(lambda: listed(made().items.collect()))).output("listed") == [3, 1, 2]


def test_items_that_are_withheld_reach_nobody() -> None:
    """Neither the steps mapped over them nor who collects what these would give: all say why."""

    @solid(outs={"items": DynamicOut(int)})
    def make() -> Any:
        yield ExpectationResult(success=False, label="fresh", severity="skip")
        yield DynamicOutput(1, "a", "items")

    @solid
    def plus(number: int) -> int:
        return number + 1

    @solid
    def listed(numbers: list[int]) -> list[int]:
        return numbers

    @pipeline
    def held() -> None:
        items = make()
        listed(items.map(plus).map(plus.alias("again")).collect())
        listed.alias("raw")(items.collect())

    result = execute_pipeline(held)
    reason = "output `make.items` was withheld: expectation `fresh` was not met"
    ended = {step.step: (step.status, step.reason) for step in result.summary.steps if step.step != "make"}
    assert ended == dict.fromkeys(("plus", "again", "listed", "raw"), ("skipped", reason))
    skipped = [(event.step, event.because) for event in result.events if isinstance(event, StepSkipped)]
    assert sorted(skipped) == [(name, ["make.items"]) for name in ("again", "listed", "plus", "raw")]


def runtime_of(definition: Any) -> Runtime:
    """A runtime in memory."""
    loaded = LoadedPipeline(definition, build_plan(definition))
    return Runtime([loaded], BucketStore(), engine="inline", open_fs=lambda: None, fetch_workers=4)


class BucketStore(MemoryStore):
    """Memory that says it is a bucket."""

    def location(self, key: str) -> tuple[str, str]:
        return "bucket", f"prefix/{key}"


class Invocation:
    """What Lambda hands to a function."""

    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 1_000_000


def committed(run: str, *items: str, status: CommitStatus = "success", item: str = "") -> Commit:
    """A producer's result with these items."""
    outputs = [CommittedOutput("items", "int", "json", 1, "0", inline=b"1", item=key) for key in items]
    return Commit(run, "p", "make", 1, "001-a", "f", status, outputs, item=item)


def test_a_map_is_told_its_items() -> None:
    """Each with its place in the commit; none when the producer failed, was skipped, or no mapped step is selected; a
    list in S3 when asked."""

    @solid
    def plus(number: int) -> int:
        return number

    definition = pipeline(name="p")(lambda: dynamic(_items())().items.map(plus))
    runtime = runtime_of(definition)
    handler = make_handler(runtime)

    def asked(run: str, **more: Any) -> dict[str, Any]:
        event = {"kind": "items", "step": "make", "output": "items"}
        plan = {"pipeline": "p", "plan": runtime.pipeline("p").hash}
        handle = {"id": run, "mode": "default", **plan, "request": {}, **more.pop("handle", {})}
        return handler({**event, "steps": ["plus"], "run": handle, **more}, Invocation())

    runtime.store.put(keys.commit("p", "make", "r1"), encode_commit(committed("r1", "b", "a"), []))
    runtime.store.put(keys.commit("p", "make", "r2"), encode_commit(committed("r2", status="skipped"), []))
    body = runtime.store.get(keys.commit("p", "make", "r1"))
    items = asked("r1")["items"]
    assert [item["key"] for item in items] == ["b", "a"]
    for item in items:
        at, size, head = (item["entry"][part] for part in ("at", "size", "head"))
        assert msgspec.json.decode(body[at : at + size])["item"] == item["key"]
        assert decode_commit(body[:head], "k", header=True).outputs == []
    assert asked("r2") == asked("r3") == {"items": []}
    assert asked("r1", handle={"steps": ["make"]}) == {"items": []}
    assert asked("r9", handle={"steps": ["plus"], "from_run": "r1"}) == {"items": items}
    listed = asked("r1", listed=True)
    assert (listed["bucket"], listed["count"]) == ("bucket", 2)
    assert msgspec.json.decode(runtime.store.get(listed["key"].removeprefix("prefix/"))) == items


def test_keys_of_items_are_a_place_of_their_own() -> None:
    """A mapped step has one commit, attempts and data for each item, which no run id can be taken for."""
    assert keys.commit("p", "s", "r", "k") == "v1/commits/p/s/r@k.ndjson"
    assert keys.attempt("p", "s", "r", "001-a", "k") == "v1/attempts/p/s/r@k/001-a.ndjson"
    assert keys.data("p", "s", "r", "001-a", "o", item="k") == "v1/data/p/s/r@k/001-a/o"
    assert keys.data("p", "s", "r", "001-a", "o", output_item="k") == "v1/data/p/s/r/001-a/o@k"
    assert keys.item_in(keys.commit("p", "s", "r", "k")) == keys.item_in(keys.attempt("p", "s", "r", "a", "k")) == "k"
    assert keys.item_in(keys.commit("p", "s", "r")) is None
    assert keys.run_id_from("r@k") != "r@k"


def test_small_items_share_the_commit_and_large_ones_leave_it() -> None:
    """All items together may not make a commit larger than one output may."""
    size = INLINE_LIMIT // 2 - 100

    @solid(outs={"items": DynamicOut(bytes)})
    def make() -> Any:
        for number in range(4):
            yield DynamicOutput(b"x" * size, f"k{number}", "items")

    result = execute_pipeline(pipeline(name="p")(lambda: make()))  # noqa: PLW0108 - a definition is no function
    stored = [event for event in result.events if type(event).__name__ == "StepOutput"]
    assert [bool(event.key) for event in stored] == [False, False, True, True]  # type: ignore[union-attr]  # all are
    assert list(result.output("make", "items")) == ["k0", "k1", "k2", "k3"]


def test_a_commit_of_another_item_is_not_taken() -> None:
    """A file system that does not tell upper from lower case would mix them up."""
    commit = committed("r1", item="A")
    with pytest.raises(IntermediateError) as caught:
        own_commit(commit, "k", "p", "make", "r1", "a")
    assert caught.value.problem == (
        "The object `k` holds the commit of step `make[A]` of run `r1`, expected `make[a]` of `r1`."
    )


def test_what_a_reused_run_lacks() -> None:
    """Item by item for a mapped step."""

    @solid
    def plus(number: int) -> int:
        return number

    definition = pipeline(name="p")(lambda: dynamic(_items())().items.map(plus))
    step = build_plan(definition).step("plus")
    store = MemoryStore()
    assert lacking_results(store, "p", step, "r1") == ["plus"]
    store.put(keys.commit("p", "make", "r1"), encode_commit(committed("r1", "a", "b"), []))
    done = Commit("r1", "p", "plus", 1, "001-a", "f", status="success", item="a")
    store.put(keys.commit("p", "plus", "r1", "a"), encode_commit(done, []))
    assert lacking_results(store, "p", step, "r1") == ["plus[b]"]
    assert read_commit(store, "p", "plus", "r1", "a") == done
