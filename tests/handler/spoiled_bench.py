"""A run of one pipeline with outputs of each kind, for tests that spoil what it has stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from solidstate import DynamicOut, DynamicOutput, Out, Output, SolidType, pipeline, solid
from solidstate.handler.items import items_in
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.step import run_step
from solidstate.infra.inline import InlineInvocation
from solidstate.planner.contract import StepPayload
from solidstate.planner.plan import OutputRef
from solidstate.storage import keys
from solidstate.storage.commits import Commit, CommittedOutput, encode_commit
from solidstate.storage.records import decode_run_record, encode_record
from solidstate.storage.sink import INLINE_LIMIT

if TYPE_CHECKING:
    from tests.handler.conftest import Bench

pd = pytest.importorskip("pandas")

LARGE = INLINE_LIMIT + 1
WROTE = "something else wrote to the bucket; restore the object's earlier version, or run the step again in a new run"


@solid(outs={"n": Out(int), "big": Out(bytes), "table": Out(SolidType("Table", codec="parquet"))})
def make() -> Iterator[Output[Any]]:
    yield Output(1, "n")
    yield Output(b"b" * LARGE, "big")
    yield Output(pd.DataFrame({"x": range(100_000)}), "table")


@solid(outs={"rows": DynamicOut(str)})
def spread() -> Iterator[DynamicOutput[str]]:
    yield DynamicOutput("s", "small", "rows")
    yield DynamicOutput("l" * LARGE, "large", "rows")


@solid
def measure(row: str) -> int:
    return len(row)


@solid
def take(n: int, big: bytes, table: Any) -> int:
    return n + len(big) + len(table)


@solid
def gather(sizes: list[int]) -> int:
    return sum(sizes)


@pipeline
def shop() -> None:
    made = make()
    take(made.n, made.big, made.table)
    gather(spread().map(measure).collect())


class Shop:
    """A run in which all producers are done, what they left, and how those fail who read it."""

    def __init__(self, run: Bench) -> None:
        self.run = run
        self.store = run.store
        run.step("make")
        run.step("spread")

    def measure_all(self) -> None:
        """The mapped step too."""
        for item in ("small", "large"):
            self.measure(item)

    def measure(self, item: str) -> Any:
        entries = items_in(self.store, "shop", OutputRef("spread", "rows"), "run-1")
        entry = next(one.entry for one in entries if one.key == item)
        payload = StepPayload("measure", self.run.run, item=item, entry=entry)
        return run_step(self.run.runtime, payload, InlineInvocation(900))

    def key(self, step: str, item: str = "") -> str:
        return keys.commit("shop", step, "run-1", item)

    def output(self, step: str, name: str, item: str = "") -> CommittedOutput:
        [found] = [out for out in self.run.commit(step).outputs if (out.name, out.item) == (name, item)]
        return found

    def change(self, step: str, name: str, item: str = "", **facts: Any) -> None:
        """Write a commit again with one output changed."""
        made = self.run.commit(step)
        changed = [
            msgspec.structs.replace(out, **facts) if (out.name, out.item) == (name, item) else out
            for out in made.outputs
        ]
        self.store.put(self.key(step), encode_commit(msgspec.structs.replace(made, outputs=changed), []))

    def recommit(self, name: str, **facts: Any) -> None:
        """Write a step's commit again with its header changed."""
        key = self.key(name)
        body = self.store.get(key)
        header, _, rest = body.partition(b"\n")
        made = msgspec.json.encode(msgspec.structs.replace(msgspec.json.decode(header, type=Commit), **facts))
        self.store.put(key, made + b"\n" + rest)

    def age(self, days: float) -> None:
        """The run began that long ago."""
        key = keys.run_record("shop", "run-1")
        record = decode_run_record(self.store.get(key), key)
        earlier = msgspec.structs.replace(record, started_at=record.started_at - days * 86_400)
        self.store.put(key, encode_record(earlier))

    def refused(self, step: str = "take", item: str = "") -> tuple[str, str, str]:
        """How an attempt is refused, for good: error name, problem, hint."""
        with pytest.raises(AttemptFailed) as caught:
            self.measure(item) if item else self.run.step(step)
        assert type(caught.value).__name__ == "StepRefused"
        error = caught.value.error
        return error.type, error.message, error.hint
