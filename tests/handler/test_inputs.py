"""Inputs of a step: fetched once a producer, verified before they are decoded, checked before user code sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from solidstate import Nothing, Out, Output, SolidType, composite_solid, execute_pipeline, pipeline, solid
from solidstate.events import StepInput
from solidstate.solid import In
from solidstate.storage.commits import Commit, CommittedOutput, encode_commit
from solidstate.storage.memory import MemoryStore
from solidstate.storage.sink import INLINE_LIMIT

if TYPE_CHECKING:
    from tests.handler.conftest import Bench

GOT: list[Any] = []


@solid(outs={"n": Out(int), "big": Out(bytes), "maybe": Out(int, optional=True), "done": Out(Nothing)})
def make() -> Iterator[Output[Any]]:
    yield Output(1, "n")
    yield Output(b"b" * (INLINE_LIMIT + 1), "big")


@solid
def take(n: int, again: int, big: bytes) -> None:
    GOT.append((n, again, len(big)))


@solid
def collect(values: list[int], extra: int = 5) -> None:
    GOT.append((values, extra))


@solid(ins={"after": In(Nothing)})
def order(limit: int) -> None:
    GOT.append(limit)


@solid
def need(maybe: int) -> int:
    return maybe


@solid
def need_more(value: int) -> int:
    return value


@pipeline
def shapes() -> None:
    made = make()
    take(made.n, made.n, made.big)
    collect([made.n, made.n])
    order(after=made.done)
    need_more(need(made.maybe))


@pytest.fixture(autouse=True)
def _clean() -> None:
    GOT.clear()


REQUEST = {"solids": {"order": {"inputs": {"limit": 9}}}}


class Counting(MemoryStore):
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[tuple[str, str]] = []

    def get(self, key: str) -> bytes:
        self.log.append(("GET", key))
        return super().get(key)

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        self.log.append(("PUT", key))
        return super().put(key, body, if_absent=if_absent)


def test_one_get_for_each_producer_and_one_for_each_large_value(bench: type[Bench]) -> None:
    """However many inputs it feeds; and one PUT at the end."""
    store = Counting()
    run = bench(shapes, REQUEST, store=store)
    run.step("make")
    store.log.clear()
    run.step("take")
    assert [verb for verb, _ in store.log] == ["GET", "GET", "PUT"]
    assert GOT == [(1, 1, INLINE_LIMIT + 1)]
    store.log.clear()
    run.step("order")
    assert [verb for verb, _ in store.log] == ["GET", "PUT"]


def test_fan_in_defaults_config_and_nothing(bench: type[Bench]) -> None:
    """Lists keep their order; an input given by nobody takes its default; Nothing carries no value."""
    run = bench(shapes, REQUEST)
    run.step("make")
    run.step("collect")
    run.step("order")
    assert GOT == [([1, 1], 5), 9]
    fan_in = run.events("collect")[1]
    assert isinstance(fan_in, StepInput)
    assert (fan_in.name, fan_in.sources, fan_in.size) == ("values", ["make.n", "make.n"], 2)
    given = [event for event in run.events("order") if isinstance(event, StepInput)]
    assert [(event.name, event.sources) for event in given] == [("limit", [])]


def test_what_was_not_produced_skips_all_that_follows(bench: type[Bench]) -> None:
    """For good: the skip is a result, and says what it comes from."""
    run = bench(shapes, REQUEST)
    run.step("make")
    first, second = run.step("need"), run.step("need_more")
    assert (first.status, first.reason) == ("skipped", "optional output `make.maybe` was not produced")
    assert (second.status, second.reason) == ("skipped", "upstream `need` was skipped")
    assert (run.commit("need").status, run.commit("need").outputs) == ("skipped", [])


def test_a_failed_producer_skips_without_deciding(bench: type[Bench]) -> None:
    """The producer may yet succeed, so nothing is committed."""
    run = bench(shapes, REQUEST)
    digest = run.step("take")
    assert (digest.status, digest.reason) == ("skipped", "upstream `make` did not succeed")
    assert not run.store.exists(run.key("take"))
    assert run.kinds("take") == ["step_start", "step_skipped"]


def changed(run: Bench, step: str, name: str, **changes: Any) -> None:
    """Write a step's commit again with one of its outputs changed."""
    commit = run.commit(step)
    outputs = [msgspec.structs.replace(out, **changes) if out.name == name else out for out in commit.outputs]
    run.store.put(run.key(step), encode_commit(msgspec.structs.replace(commit, outputs=outputs), []))


def refused(run: Bench, step: str) -> tuple[str, str, str]:
    """How the step is refused: error name, problem, hint."""
    failed = run.fails(step)
    assert type(failed).__name__ == "StepRefused"
    return failed.error.type, failed.error.message, failed.error.hint


def big_of(run: Bench) -> CommittedOutput:
    """The large output, which has an object."""
    found = run.commit("make").output("big")
    assert found is not None
    assert found.key is not None
    return found


@pytest.fixture
def run(bench: type[Bench]) -> Bench:
    """A run in which the producer is done."""
    made = bench(shapes, REQUEST)
    made.step("make")
    return made


def test_missing_object(run: Bench) -> None:
    """Deleted or expired: which output, needed by whom, where it was."""
    key = big_of(run).key or ""
    run.store.delete(key)
    assert refused(run, "take") == (
        "IntermediateError",
        f"Output `big` of `make`, needed by `take`, is gone: there is no object `{key}`.",
        "it was deleted or has expired; run again from `make`",
    )


@pytest.mark.parametrize("body", [b"b" * 10, b"c" * (INLINE_LIMIT + 1), b""], ids=["truncated", "changed", "empty"])
def test_damaged_object(run: Bench, body: bytes) -> None:
    """Size or hash differ; nothing is decoded."""
    big = big_of(run)
    run.store.put(big.key or "", body)
    assert refused(run, "take") == (
        "IntermediateError",
        f"Output `big` of `make` is damaged: {big.key} holds {len(body)} bytes, expected {big.size} bytes with SHA-256 "
        f"{big.sha256[:12]}...",
        "restore the object's earlier version, or run again from `make`",
    )


def test_damaged_inline_value(run: Bench) -> None:
    """What travels in the commit is verified too."""
    changed(run, "make", "n", inline=b"\x02")
    kind, message, _ = refused(run, "take")
    sha = run.commit("make").outputs[0].sha256
    assert kind == "IntermediateError"
    assert message == (
        "Output `n` of `make` is damaged: the commit of `make` holds 1 bytes, expected 1 bytes with SHA-256 "
        f"{sha[:12]}..."
    )


def test_value_that_does_not_fit_its_type(run: Bench) -> None:
    """Intact bytes of something else, as after a change of the producer's annotation."""
    body = msgspec.msgpack.encode("text")
    changed(run, "make", "n", inline=body, size=len(body), sha256=hashlib.sha256(body).hexdigest())
    kind, message, hint = refused(run, "take")
    assert kind == "IntermediateError"
    assert message == (
        "Output `n` of `make` cannot be decoded as `msgpack` (`int`): The stored bytes do not fit the declared type: "
        "Expected `int`, got `str`."
    )
    assert hint == "the type changed since the value was stored; run the producing step again"


def test_value_in_an_unknown_format(run: Bench) -> None:
    """Written by another version, or with a codec that is gone."""
    changed(run, "make", "n", codec="zip")
    kind, message, _ = refused(run, "take")
    assert kind == "IntermediateError"
    assert message.startswith(
        "Output `n` of `make` cannot be decoded as `zip` (`int`): The stored value has the unknown format"
    )


def test_commit_that_is_none(run: Bench) -> None:
    """Anything may have written to the bucket."""
    run.store.put(run.key("make"), b"<html>")
    kind, message, hint = refused(run, "take")
    assert kind == "IntermediateError"
    reason = "JSON is malformed: invalid character (byte 0)"
    assert message == f"The object `{run.key('make')}` is not a commit: {reason}."
    assert hint.startswith(
        "something else wrote to the bucket; restore the object's earlier version, or run the step again"
    )


def test_commit_of_another_step(run: Bench) -> None:
    """Copied there, or a file system that takes `Make` and `make` for one."""
    run.store.put(run.key("make"), encode_commit(msgspec.structs.replace(run.commit("make"), step="Make"), []))
    assert refused(run, "take") == (
        "IntermediateError",
        "The object `v1/commits/shapes/make/run-1.ndjson` holds the commit of step `Make` of run `run-1`, expected "
        "`make` of `run-1`.",
        "it was copied there, or the file system does not tell upper from lower case; rename the step",
    )


def test_commit_that_lacks_a_required_output(run: Bench) -> None:
    """As when a run of another plan is reused: no reason to skip, an error."""
    commit = run.commit("make")
    outputs = [out for out in commit.outputs if out.name != "n"]
    run.store.put(run.key("make"), encode_commit(msgspec.structs.replace(commit, outputs=outputs), []))
    assert refused(run, "take") == (
        "IntermediateError",
        "Output `n` of `make`, needed by `take`, is not in its commit.",
        "the run that is reused followed another plan; run the step again",
    )


def test_a_wrongly_typed_value_is_refused_with_both_ends(bench: type[Bench]) -> None:
    """The producer promises nothing, the consumer wants an int."""

    @solid
    def say() -> Any:
        return "seven"

    @solid
    def count(n: int) -> int:
        return n

    @pipeline
    def talk() -> None:
        count(say())

    run = bench(talk)
    run.step("say")
    assert refused(run, "count") == (
        "Refused",
        "Input `n` of `count` does not pass the check of type `int`: expected `int`, got 'seven' of type `str`.",
        "make `say.result` produce what this input declares",
    )


class Explosive:
    """A codec whose values cannot be read."""

    name = "explosive"

    def encode(self, value: object, sink: Any, /) -> None:
        sink.write(b"x")

    def decode(self, data: bytes | bytearray | memoryview, /) -> object:
        raise SystemExit("boom")


def test_a_users_decoder_is_user_code(bench: type[Bench]) -> None:
    """Whatever it raises refuses the step and names output and format."""

    @solid(outs={"result": Out(SolidType("Odd", codec=Explosive()))})
    def odd() -> Any:
        return 1

    @solid
    def read(value: Any) -> None: ...

    @pipeline
    def reading() -> None:
        read(odd())

    run = bench(reading)
    run.step("odd")
    assert refused(run, "read") == (
        "IntermediateError",
        "Output `result` of `odd` cannot be decoded as `explosive` (`Odd`): SystemExit: boom.",
        "run `odd` again in a new run; its type may have changed since this value was stored",
    )


def test_many_producers_are_fetched_together(bench: type[Bench]) -> None:
    """By threads, with the same result."""

    @solid
    def one() -> int:
        return 1

    @solid
    def total(values: list[int]) -> int:
        return sum(values)

    @pipeline
    def wide() -> None:
        total([one.alias(f"one_{number}")() for number in range(9)])

    run = bench(wide, workers=4).all()
    assert run.step("total").status == "success"
    stored = run.commit("total").output("result")
    assert stored is not None
    assert stored.inline == b"\x09"
    assert isinstance(run.commit("total"), Commit)


@solid
def untyped(value: Any) -> Any:
    return value


@composite_solid
def wants_number(number: int) -> Any:
    return untyped.alias("first")(number)


@composite_solid
def outermost(given: Any) -> Any:
    return wants_number(given)


def test_what_a_composite_declares_is_checked_where_it_leads() -> None:
    """Both solids promise nothing; the composite between them does, also for what config gives."""

    @pipeline
    def connected() -> None:
        outermost(untyped.alias("say")())

    def told(text: Any) -> Any:
        request = {"solids": {"say": {"inputs": {"value": text}}}}
        result = execute_pipeline(connected, request, raise_on_error=False)
        return {step: error and (error.type, error.message, error.hint) for step, error in result.failures.items()}

    assert told(1) == {}
    assert told("one") == {
        "outermost.wants_number.first": (
            "Refused",
            "Input `number` of composite `outermost.wants_number`, passed on to `value` of "
            "`outermost.wants_number.first`, does not pass the check of type `int`: expected `int`, got 'one' of type "
            "`str`.",
            "connect to `outermost.wants_number` what its input declares, or correct the annotation",
        )
    }

    @pipeline
    def open_ended() -> None:
        wants_number()

    request = {"solids": {"wants_number": {"solids": {"first": {"inputs": {"value": "one"}}}}}}
    result = execute_pipeline(open_ended, request, raise_on_error=False)
    assert list(result.failures) == ["wants_number.first"]
