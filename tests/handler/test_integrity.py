"""What is stored and is not what it was: each case has an error of its own that names key, producer and remedy."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
import pytest

from solidstate import pipeline_from_dependencies, solid
from solidstate.planner.build import build_plan
from solidstate.planner.retries import step_retriers
from solidstate.storage import keys
from solidstate.storage.commits import Commit, encode_commit
from tests.handler.spoiled_bench import Shop, shop

if TYPE_CHECKING:
    from tests.handler.conftest import Bench


@pytest.fixture
def stored(bench: type[Bench]) -> Shop:
    """The run."""
    return Shop(bench(shop))


SINGLE = [("take", "make", "big", ""), ("take", "make", "table", ""), ("measure", "spread", "rows", "large")]
"""Who reads which object: bytes, a frame as Parquet, an item of a dynamic output."""


def named(producer: str, name: str, item: str, reader: str) -> str:
    what = f"Item `{item}` of output" if item else "Output"
    return (
        f"{what} `{name}` of `{producer}`, needed by `{reader}[{item}]`,"
        if item
        else (f"{what} `{name}` of `{producer}`, needed by `{reader}`,")
    )


@pytest.mark.parametrize(("reader", "producer", "name", "item"), SINGLE)
def test_missing(stored: Shop, reader: str, producer: str, name: str, item: str) -> None:
    """Deleted long before it would expire."""
    key = stored.output(producer, name, item).key or ""
    stored.store.delete(key)
    stored.age(3.5)
    assert stored.refused(reader, item) == (
        "MissingIntermediate",
        f"{named(producer, name, item, reader)} is gone: there is no object `{key}`, though run `run-1` began 3 days "
        "ago and they are kept for 30.",
        f"it was deleted: restore the object's earlier version, or run again from `{producer}`",
    )


@pytest.mark.parametrize(("reader", "producer", "name", "item"), SINGLE)
def test_expired(
    stored: Shop, monkeypatch: pytest.MonkeyPatch, reader: str, producer: str, name: str, item: str
) -> None:
    """Older than what the bucket keeps: 30 days unless the template says otherwise."""
    key = stored.output(producer, name, item).key or ""
    stored.store.delete(key)
    stored.age(31.2)
    assert stored.refused(reader, item) == (
        "ExpiredIntermediate",
        f"{named(producer, name, item, reader)} has expired: there is no object `{key}`, run `run-1` began 31 days "
        "ago, and intermediates are kept for 30 days.",
        f"run again from `{producer}`; `RetentionDays` of the template says how long they are kept",
    )
    monkeypatch.setenv("SOLIDSTATE_RETENTION_DAYS", "90")
    assert stored.refused(reader, item)[0] == "MissingIntermediate"


def test_missing_without_a_record_of_the_run(stored: Shop) -> None:
    """Nobody knows how old it is."""
    key = stored.output("make", "big").key or ""
    stored.store.delete(key)
    stored.store.delete(keys.run_record("shop", "run-1"))
    assert stored.refused() == (
        "MissingIntermediate",
        f"Output `big` of `make`, needed by `take`, is gone: there is no object `{key}`.",
        "it was deleted: restore the object's earlier version, or run again from `make`",
    )


@pytest.mark.parametrize("left", [0, 10])
@pytest.mark.parametrize(("reader", "producer", "name", "item"), SINGLE)
def test_truncated(stored: Shop, left: int, reader: str, producer: str, name: str, item: str) -> None:
    """Nothing is decoded."""
    out = stored.output(producer, name, item)
    stored.store.put(out.key or "", stored.store.get(out.key or "")[:left])
    assert stored.refused(reader, item) == (
        "TruncatedIntermediate",
        f"{named(producer, name, item, reader)} is cut short: {out.key} holds {left} bytes of {out.size}.",
        f"restore the object's earlier version, or run again from `{producer}`",
    )


@pytest.mark.parametrize("more", [0, 5])
@pytest.mark.parametrize(("reader", "producer", "name", "item"), SINGLE)
def test_corrupted(stored: Shop, more: int, reader: str, producer: str, name: str, item: str) -> None:
    """One bit, or something behind its end."""
    out = stored.output(producer, name, item)
    body = stored.store.get(out.key or "")
    body = bytes([body[0] ^ 1]) + body[1:] if not more else body + b"x" * more
    stored.store.put(out.key or "", body)
    assert stored.refused(reader, item) == (
        "CorruptedIntermediate",
        f"{named(producer, name, item, reader)} is damaged: {out.key} holds {len(body)} bytes with SHA-256 "
        f"{hashlib.sha256(body).hexdigest()[:12]}..., expected {out.size} bytes with SHA-256 {out.sha256[:12]}...",
        f"restore the object's earlier version, or run again from `{producer}`",
    )


INLINE = [("take", "make", "n", ""), ("measure", "spread", "rows", "small")]


@pytest.mark.parametrize(("reader", "producer", "name", "item"), INLINE)
def test_what_travels_in_the_commit_is_verified_too(
    stored: Shop, reader: str, producer: str, name: str, item: str
) -> None:
    """Cut short, or changed."""
    out = stored.output(producer, name, item)
    stored.change(producer, name, item, inline=b"")
    assert stored.refused(reader, item) == (
        "TruncatedIntermediate",
        f"{named(producer, name, item, reader)} is cut short: the commit of `{producer}` holds 0 bytes of {out.size}.",
        f"restore the object's earlier version, or run again from `{producer}`",
    )
    other = b"\x02" * out.size
    stored.change(producer, name, item, inline=other)
    assert stored.refused(reader, item) == (
        "CorruptedIntermediate",
        f"{named(producer, name, item, reader)} is damaged: the commit of `{producer}` holds {out.size} bytes with "
        f"SHA-256 {hashlib.sha256(other).hexdigest()[:12]}..., expected {out.size} bytes with SHA-256 "
        f"{out.sha256[:12]}...",
        f"restore the object's earlier version, or run again from `{producer}`",
    )


def test_the_result_of_an_item_is_named_so(stored: Shop) -> None:
    """Of a step that is mapped, which item's."""
    stored.measure_all()
    made = encode_commit(
        msgspec.structs.replace(
            stored_commit(stored, "measure", "large"),
            outputs=[msgspec.structs.replace(stored_commit(stored, "measure", "large").outputs[0], inline=b"\x05\x05")],
        ),
        [],
    )
    stored.store.put(stored.key("measure", "large"), made)
    kind, problem, hint = stored.refused("gather")
    assert (kind, hint) == (
        "TruncatedIntermediate",
        "restore the object's earlier version, or run again from `measure`",
    )
    assert problem == (
        "Output `result` of `measure[large]`, needed by `gather`, is cut short: the commit of `measure[large]` holds 2 "
        "bytes of 5."
    )


def stored_commit(stored: Shop, step: str, item: str) -> Commit:
    header = stored.store.get(stored.key(step, item)).partition(b"\n")[0]
    return msgspec.json.decode(header, type=Commit)


@pytest.mark.parametrize(("reader", "producer", "name", "item"), INLINE)
def test_a_type_other_than_the_plans(stored: Shop, reader: str, producer: str, name: str, item: str) -> None:
    """The step cannot have stored that: it follows the same plan."""
    planned = stored.output(producer, name, item).type
    stored.change(producer, name, item, type="float")
    what = f"Item `{item}` of output `{name}`" if item else f"Output `{name}`"
    assert stored.refused(reader, item) == (
        "MistypedIntermediate",
        f"{what} of `{producer}` is stored as `float`, and the plan by which that was done says `{planned}`: "
        f"`{stored.key(producer)}`.",
        f"something else wrote to the bucket: restore the object's earlier version, or run again from `{producer}`",
    )


@pytest.mark.parametrize(("reader", "producer", "name", "item"), INLINE)
def test_bytes_that_do_not_fit_the_type(stored: Shop, reader: str, producer: str, name: str, item: str) -> None:
    """Whole, and of something else, as after a change of the producer's annotation."""
    planned = stored.output(producer, name, item).type
    body = msgspec.msgpack.encode(1.5)
    stored.change(producer, name, item, inline=body, size=len(body), sha256=hashlib.sha256(body).hexdigest())
    what = f"Item `{item}` of output `{name}`" if item else f"Output `{name}`"
    assert stored.refused(reader, item) == (
        "MistypedIntermediate",
        f"{what} of `{producer}` cannot be decoded as `msgpack` (`{planned}`): The stored bytes do not fit the "
        f"declared type: Expected `{planned}`, got `float`.",
        "the type changed since the value was stored; run the producing step again",
    )


def test_another_format_than_the_bytes_have(stored: Shop) -> None:
    """Bytes that are no Parquet, and a format that nobody knows."""
    out = stored.output("make", "table")
    body = b"PAR1 and no more"
    stored.store.put(out.key or "", body)
    stored.change("make", "table", size=len(body), sha256=hashlib.sha256(body).hexdigest())
    kind, problem, _ = stored.refused()
    assert kind == "MistypedIntermediate"
    assert problem.startswith(f"Output `table` of `make` cannot be decoded as `{out.codec}` (`Table`): ")
    stored.change("make", "table", codec="zip")
    kind, problem, hint = stored.refused()
    assert kind == "MistypedIntermediate"
    assert problem == (
        "Output `table` of `make` cannot be decoded as `zip` (`Table`): The stored value has the unknown format `zip`; "
        "known are `msgpack`, `plain`, `bytes`, `arrow/pandas`, `arrow/pandas-series`, `arrow/polars`, "
        "`arrow/polars-series`, `arrow/pyarrow`, `parquet/pandas`, `parquet/pandas-series`, `parquet/polars`, "
        "`parquet/polars-series` and 3 more."
    )
    assert hint == "read it with the version of solidstate, or with the `SolidType` codec, that wrote it"


def test_pickle_where_none_was_asked_for_is_not_loaded(stored: Shop) -> None:
    """Whoever may write the bucket would run code."""
    body = b"cos\nsystem\n(S'exit 1'\ntR."
    stored.change("make", "n", codec="pickle", inline=body, size=len(body), sha256=hashlib.sha256(body).hexdigest())
    assert stored.refused()[:2] == (
        "MistypedIntermediate",
        "Output `n` of `make` cannot be decoded as `pickle` (`int`): The stored value is a `pickle`, which is not read "
        "here, because reading it could run any code.",
    )


def test_no_state_repeats_what_was_refused() -> None:
    """None of these names is in a retrier: as StepRefused they end the step at once."""

    @solid
    def plain() -> int:
        return 1

    (step,) = build_plan(pipeline_from_dependencies("lone", [plain], {})).steps
    named_ = {name for retrier in step_retriers(step) for name in retrier.error_equals}
    assert "StepRefused" not in named_
    assert not [name for name in named_ if "Intermediate" in name or "Commit" in name or name == "States.ALL"]
