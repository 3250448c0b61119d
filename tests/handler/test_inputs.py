"""Inputs of a step: fetched once a producer, verified before they are decoded, checked before user code sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from solidstate import Nothing, Out, Output, SolidType, composite_solid, execute_pipeline, pipeline, solid
from solidstate.events import StepInput
from solidstate.solid import In
from solidstate.storage.commits import Commit, encode_commit
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


def refused(run: Bench, step: str) -> tuple[str, str, str]:
    """How the step is refused: error name, problem, hint."""
    failed = run.fails(step)
    assert type(failed).__name__ == "StepRefused"
    return failed.error.type, failed.error.message, failed.error.hint


@pytest.fixture
def run(bench: type[Bench]) -> Bench:
    """A run in which the producer is done."""
    made = bench(shapes, REQUEST)
    made.step("make")
    return made


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
        "MistypedIntermediate",
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
