"""What a mapped step reads is its own item: however many others there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from solidstate import DynamicOut, DynamicOutput, Out, Output, execute_pipeline, pipeline, solid
from solidstate.events import StepSkipped
from solidstate.handler.items import answer_items, items_in
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.handler.step import run_step
from solidstate.infra.inline import InlineInvocation, run_inline
from solidstate.planner.build import build_plan
from solidstate.planner.contract import ItemEntry, ItemsPayload, MapItem, RunHandle, StepPayload
from solidstate.planner.plan import OutputRef
from solidstate.storage import keys
from solidstate.storage.commits import Commit, CommittedOutput, decode_commit, encode_commit
from solidstate.storage.memory import MemoryStore

LIMIT_OF_A_STATE = 256 * 1024
LARGEST_RUN_HANDLE = 40 * 1024


class Weighing(MemoryStore):
    """Counts the bytes and the requests that reading takes."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = self.requests = 0

    def get(self, key: str) -> bytes:
        return self._weighed(super().get(key))

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        return self._weighed(super().get(key)[begin : begin + size])

    def _weighed(self, body: bytes) -> bytes:
        self.bytes += len(body)
        self.requests += 1
        return body


@solid(outs={"rows": DynamicOut(str, max_items=1000), "scale": Out(int)})
def make(count: int) -> Iterator[Any]:
    for number in range(count):
        yield DynamicOutput("x" * 500, f"item_{number:04d}", "rows")
    yield Output(2, "scale")


@solid
def measure(row: str) -> int:
    return len(row)


@solid
def scaled(row: str, scale: int) -> int:
    return len(row) * scale


@solid
def again(size: int) -> int:
    return size


@solid
def total(sizes: list[int]) -> int:
    return sum(sizes)


@pipeline
def plain() -> None:
    made = make()
    total(made.rows.map(measure).map(again).collect())


@pipeline
def beside() -> None:
    made = make()
    total(made.rows.map(lambda row: scaled(row, made.scale)).collect())


def runtime_of(definition: Any) -> tuple[Runtime, LoadedPipeline, Weighing]:
    loaded, store = LoadedPipeline(definition, build_plan(definition)), Weighing()
    return Runtime([loaded], store, engine="inline", open_fs=lambda: None, fetch_workers=1), loaded, store


def read_by(definition: Any, count: int) -> tuple[int, int]:
    """Bytes and requests of a run over that many items, End run included."""
    runtime, loaded, store = runtime_of(definition)
    request = {"solids": {"make": {"inputs": {"count": count}}}}
    assert run_inline(runtime, loaded, request, "r").status == "success"
    return store.bytes, store.requests


@pytest.mark.parametrize("definition", [plain, beside], ids=["items alone", "with another output of their producer"])
def test_bytes_grow_with_the_items_and_not_with_their_square(definition: Any) -> None:
    """Four times the items take four times the bytes and requests, in the mapped steps, the collector and End run."""
    (few, asked), (many, asked_more) = read_by(definition, 50), read_by(definition, 200)
    assert 3.5 < many / few < 4.1
    assert 3.5 < asked_more / asked < 4.1
    assert many < 200 * 15_000


def test_a_thousand_items_fit_into_a_state() -> None:
    """Keys as long as they may be, and places far into the commit."""
    items = [MapItem(f"{number:x>64}", ItemEntry(10_000_000, 10_000, 100_000)) for number in range(1000)]
    assert len(msgspec.json.encode({"items": items})) < 200 * 1000
    assert 200 * 1000 + LARGEST_RUN_HANDLE < LIMIT_OF_A_STATE


def step(runtime: Runtime, handle: RunHandle, name: str, item: MapItem | None = None) -> Any:
    payload = StepPayload(name, handle, 0, item.key if item else None, entry=item.entry if item else None)
    return run_step(runtime, payload, InlineInvocation(60))


def begun(definition: Any, count: int = 3) -> tuple[Runtime, Weighing, RunHandle, list[MapItem]]:
    """A run whose producer is done."""
    runtime, loaded, store = runtime_of(definition)
    request = {"solids": {"make": {"inputs": {"count": count}}}}
    handle = RunHandle("r", "default", definition.name, loaded.hash, request)
    step(runtime, handle, "make")
    return runtime, store, handle, items_in(store, definition.name, OutputRef("make", "rows"), "r")


def test_one_item_costs_one_request() -> None:
    """Of its own line; one more for the header, when another output of the producer is read too."""
    runtime, store, handle, items = begun(plain)
    store.requests = store.bytes = 0
    assert step(runtime, handle, "measure", items[1]).status == "success"
    assert (store.requests, store.bytes) == (1, items[1].entry.size)
    runtime, store, handle, items = begun(beside)
    store.requests = store.bytes = 0
    assert step(runtime, handle, "scaled", items[1]).status == "success"
    assert (store.requests, store.bytes) == (2, items[1].entry.size + items[1].entry.head)


def test_the_place_of_an_item_is_not_trusted() -> None:
    """What stands there has to be the item, intact: the step is refused otherwise."""
    runtime, store, handle, items = begun(plain)
    wrong = MapItem(items[1].key, items[2].entry)
    with pytest.raises(AttemptFailed) as caught:
        step(runtime, handle, "measure", wrong)
    key = keys.commit("plain", "make", "r")
    assert caught.value.error.message == (
        f"Item `item_0001` of output `rows` is not where it should be in `{key}`: there is item `item_0002` of output "
        "`rows`."
    )
    commit = decode_commit(store.get(key), key)
    damaged = [msgspec.structs.replace(out, inline=b"\xa1y", size=2) if out.item else out for out in commit.outputs]
    body = encode_commit(msgspec.structs.replace(commit, outputs=damaged), [])
    store.put(key, body)
    (_, moved, _) = items_in(store, "plain", OutputRef("make", "rows"), "r")
    with pytest.raises(
        AttemptFailed,
        match=r"Item `item_0001` of output `rows` of `make`, needed by `measure\[item_0001\]`, is ",
    ):
        step(runtime, handle, "measure", moved)


def test_where_the_producers_result_is_gone_the_item_is_skipped() -> None:
    """As a step is whose producer has none."""
    runtime, store, handle, items = begun(plain)
    store.delete(keys.commit("plain", "make", "r"))
    digest = step(runtime, handle, "measure", items[0])
    assert (digest.status, digest.reason) == ("skipped", "upstream `make` did not succeed")


def test_items_of_a_reused_run_are_read_there() -> None:
    """Where they are told from, there they stand."""
    runtime, store, handle, _ = begun(plain)
    later = msgspec.structs.replace(handle, id="later", steps=["measure"], from_run="r")
    for item in items_in(store, "plain", OutputRef("make", "rows"), "r"):
        assert step(runtime, later, "measure", item).status == "success"
    key = keys.commit("plain", "measure", "later", "item_0002")
    assert decode_commit(store.get(key), key).outputs[0].inline == msgspec.msgpack.encode(500)


def test_an_optional_output_beside_the_items_still_skips() -> None:
    """The header alone tells that it stayed out."""

    @solid(outs={"rows": DynamicOut(str), "scale": Out(int, optional=True)})
    def partly() -> Iterator[Any]:
        yield DynamicOutput("a", "one", "rows")

    @pipeline
    def lacking() -> None:
        made = partly()
        made.rows.map(lambda row: scaled(row, made.scale))

    result = execute_pipeline(lacking)
    (skipped,) = [event for event in result.events if isinstance(event, StepSkipped)]
    assert (skipped.item, skipped.reason) == ("one", "optional output `partly.scale` was not produced")


def test_items_stand_in_lines_of_their_own_in_whatever_order_they_were_yielded() -> None:
    """Of two dynamic outputs each has its own, and plain outputs stay in the header."""

    def out(name: str, item: str = "") -> CommittedOutput:
        return CommittedOutput(name, "int", "msgpack", 1, "0" * 64, b"\x01", item=item)

    outputs = [out("a", "x"), out("plain"), out("b", "x"), out("a", "y")]
    commit = Commit("r", "p", "s", 1, "001-q", "f", "success", outputs)
    store = MemoryStore()
    key = keys.commit("p", "s", "r")
    store.put(key, encode_commit(commit, []))
    body = store.get(key)
    assert [item.key for item in items_in(store, "p", OutputRef("s", "a"), "r")] == ["x", "y"]
    (only,) = items_in(store, "p", OutputRef("s", "b"), "r")
    line = body[only.entry.at : only.entry.at + only.entry.size]
    assert msgspec.json.decode(line) == msgspec.json.decode(msgspec.json.encode(out("b", "x")))
    back = decode_commit(body, key)
    assert (back.items("a"), back.items("b"), back.output("plain")) == (
        commit.items("a"),
        commit.items("b"),
        commit.output("plain"),
    )


def test_two_maps_over_one_output_have_lists_of_their_own() -> None:
    """One whose steps are not selected runs for none, whichever is asked last."""

    class Bucket(Weighing):
        """As if AWS could read it."""

        def location(self, key: str) -> tuple[str, str]:
            return "bucket", key

    loaded, store = LoadedPipeline(plain, build_plan(plain)), Bucket()
    runtime = Runtime([loaded], store, engine="test", open_fs=lambda: None, fetch_workers=1)
    request = {"solids": {"make": {"inputs": {"count": 2}}}}
    handle = RunHandle("r", "default", "plain", loaded.hash, request, steps=["make", "again"])
    step(runtime, handle, "make")
    chosen, other = (
        answer_items(runtime, ItemsPayload("make", "rows", [name], handle, listed=True))
        for name in ("again", "measure")
    )
    assert (chosen["count"], other["count"]) == (2, 0)
    assert len(msgspec.json.decode(store.get(chosen["key"]))) == 2
