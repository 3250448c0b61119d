"""What a solid returns or yields: events recorded, outputs checked and stored, rules held."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from solidstate import (
    ExpectationResult,
    Failure,
    Materialization,
    Nothing,
    Out,
    Output,
    RetryRequested,
    SolidType,
    TypeCheck,
    composite_solid,
    execute_pipeline,
    pipeline,
    pipeline_from_dependencies,
    solid,
)
from solidstate.errors import StorageUnavailable
from solidstate.events import StepOutput
from solidstate.storage.memory import MemoryStore
from solidstate.storage.sink import INLINE_LIMIT

if TYPE_CHECKING:
    from tests.handler.conftest import Bench

CLOSED: list[str] = []
PARTS = {"late": Out(int), "early": Out(int, optional=True)}


def run_of(bench: type[Bench], fn: Callable[..., Any], outs: dict[str, Out] | None = None) -> Bench:
    """A run of one solid, `it`, made of the function."""
    return bench(pipeline_from_dependencies("single", [solid(name="it", outs=outs)(fn)], {}))


def forgets() -> Iterator[Any]:
    yield Output(1, "early")


def yields_garbage() -> Iterator[Any]:
    try:
        yield 17
    finally:
        CLOSED.append("garbage")


def repeats() -> Iterator[Any]:
    yield Output(1, "late")
    yield Output(2, "late")


def misspells() -> Iterator[Any]:
    yield Output(1, "lat")


def names_oddly() -> Iterator[Any]:
    yield Output(1, ["late"])  # type: ignore[arg-type]  # as a mistake would


def raises_after_yield() -> Iterator[Any]:
    yield Output(1, "late")
    raise LookupError("half way")


def returns_three() -> Any:
    return 1, 2, 3


def returns_event() -> Any:
    return Materialization("report")


def wrong_type() -> int:
    return "x"  # type: ignore[return-value]  # the point


def unstorable() -> Any:
    return threading.Lock()


def generator_value() -> Any:
    return (number for number in range(3))


def exits() -> int:
    sys.exit("enough")


def gives_up() -> int:
    raise Failure("bad data", metadata={"rows": 0})


def asks_again() -> int:
    raise RetryRequested("busy")


REFUSALS: list[tuple[Callable[..., Any], dict[str, Out] | None, str, str, str]] = [
    (
        forgets,
        PARTS,
        "StepRefused",
        "`it` ended without its output `late`.",
        'yield `Output(value, "late")`, or declare it `Out(..., optional=True)`',
    ),
    (
        yields_garbage,
        PARTS,
        "StepRefused",
        "`it` yielded a `int`; a solid yields Output, Materialization or ExpectationResult.",
        "wrap the value: `yield Output(value, 'late')`",
    ),
    (
        repeats,
        PARTS,
        "StepRefused",
        "`it` produced its output `late` twice.",
        "yield each output once; collect several values in a list",
    ),
    (
        misspells,
        PARTS,
        "StepRefused",
        "`it` produced an output 'lat'; it declares `late`, `early`.",
        "did you mean `late`?",
    ),
    (
        names_oddly,
        PARTS,
        "StepRefused",
        "`it` produced an output ['late']; it declares `late`, `early`.",
        "declare it: `outs={['late']: Out(...)}`",
    ),
    (raises_after_yield, PARTS, "StepFailed", "half way", ""),
    (
        returns_three,
        PARTS,
        "StepRefused",
        "`it` has 2 outputs (`late`, `early`) but returned a `tuple`.",
        "return a tuple of 2, or yield an `Output` for each",
    ),
    (
        returns_three,
        {},
        "StepRefused",
        "`it` has no outputs but returned a `tuple`.",
        'return nothing, or declare an output: `outs={"result": Out(...)}`',
    ),
    (
        returns_event,
        None,
        "StepRefused",
        "`it` returned a bare `Materialization`.",
        "yield it, or call `context.emit(...)` and return the value",
    ),
    (
        wrong_type,
        None,
        "StepRefused",
        "Output `result` of `it` does not pass the check of type `int`: expected `int`, got 'x' of type `str`.",
        "return what the annotation says, or correct the annotation",
    ),
    (
        unstorable,
        None,
        "StepRefused",
        "Output `result` of `it` cannot be stored: `lock` has no self-describing storage format.",
        "return built-in types, Structs or dataclasses, or declare the output as a `SolidType` with a codec of your "
        "own",
    ),
    (
        generator_value,
        None,
        "StepRefused",
        "`it` yielded a `int`; a solid yields Output, Materialization or ExpectationResult.",
        "wrap the value: `yield Output(value, 'result')`",
    ),
    (exits, None, "StepFailed", "enough", ""),
    (gives_up, None, "StepRefused", "bad data", ""),
    (asks_again, None, "RetryRequested", "busy", ""),
]


@pytest.mark.parametrize(
    ("fn", "outs", "name", "message", "hint"), REFUSALS, ids=[case[0].__name__ for case in REFUSALS]
)
def test_broken_rules_are_told_in_full(
    bench: type[Bench], fn: Callable[..., Any], outs: dict[str, Out] | None, name: str, message: str, hint: str
) -> None:
    """Which error the state machine sees, what was wrong, and one way to fix it. Nothing is committed."""
    run = run_of(bench, fn, outs)
    failed = run.fails("it")
    assert (type(failed).__name__, failed.error.message, failed.error.hint) == (name, message, hint)
    assert not run.store.exists(run.key("it"))
    assert run.kinds("it")[-1] == ("step_up_for_retry" if name == "RetryRequested" else "step_failure")


def test_a_generator_is_closed_when_a_rule_is_broken(bench: type[Bench]) -> None:
    """Its clean-up runs before the step ends, although the error still refers to it."""
    CLOSED.clear()
    failed = run_of(bench, yields_garbage, PARTS).fails("it")
    assert (CLOSED, failed.error.type) == (["garbage"], "Refused")


@pytest.mark.parametrize(
    ("value", "outs", "taken"),
    [
        (5, None, {"result": 5}),
        (Output(5, metadata={"rows": 3}), None, {"result": 5}),
        (None, None, {"result": None}),
        ((1, 2), PARTS, {"late": 1, "early": 2}),
        ((1, Output(2, "early")), PARTS, {"late": 1, "early": 2}),
        (Output(1, "late"), PARTS, {"late": 1}),
        (None, {}, {}),
        (None, {"done": Out(Nothing)}, {"done": None}),
        (None, {"a": Out(int, optional=True), "done": Out(Nothing)}, {"done": None}),
        ((1, 2), {"pair": Out(tuple[int, int])}, {"pair": (1, 2)}),
    ],
)
def test_ways_to_return(bench: type[Bench], value: Any, outs: dict[str, Out] | None, taken: dict[str, Any]) -> None:
    """One value, an Output, a tuple, or nothing where nothing is due."""
    run = run_of(bench, lambda: value, outs)
    digest = run.step("it")
    assert set(digest.outputs) == set(taken)
    assert [out.name for out in run.commit("it").outputs] == list(taken)


def test_large_outputs_get_an_object_of_their_own(bench: type[Bench]) -> None:
    """Under a key of the attempt; small ones travel in the commit."""

    def make() -> Any:
        return b"x" * INLINE_LIMIT, b"y" * (INLINE_LIMIT + 1)

    run = run_of(bench, make, {"small": Out(bytes), "large": Out(bytes)})
    run.step("it")
    small, large = run.commit("it").outputs
    assert (small.inline, small.key) == (b"x" * INLINE_LIMIT, None)
    assert large.inline is None
    assert large.key == f"v1/data/single/it/run-1/{run.commit('it').attempt_id}/large"
    assert run.store.get(large.key or "") == b"y" * (INLINE_LIMIT + 1)


def test_events_of_a_generator_come_in_order(bench: type[Bench]) -> None:
    """As they were yielded, between start and success; facts of type check and output come together."""
    counted = SolidType(
        "Counted", check=lambda v: TypeCheck(True, metadata={"checked": v}), metadata=lambda v: {"seen": v}
    )

    def make() -> Iterator[Any]:
        yield ExpectationResult(success=False, label="not_empty", metadata={"rows": 0})
        yield Output(3, metadata={"given": 1})
        yield Materialization("report", path="s3://bucket/report.html")

    run = run_of(bench, make, {"result": Out(counted)})
    digest = run.step("it")
    kinds = ["step_start", "step_expectation_result", "step_output", "step_materialization", "step_success"]
    assert run.kinds("it") == kinds
    output = run.events("it")[2]
    assert isinstance(output, StepOutput)
    assert output.metadata == {"checked": 3, "seen": 3, "given": 1}
    assert digest.expectations == {"not_empty": "FAILED"}
    assert digest.materializations == ["report s3://bucket/report.html"]


def test_metadata_of_any_shape_never_costs_the_step(bench: type[Bench]) -> None:
    """A fact is worth less than the result."""

    def make() -> Any:
        return Output(1, metadata=[("rows", 3)])  # type: ignore[arg-type]  # as a mistake would

    run = run_of(bench, make)
    run.step("it")
    output = run.events("it")[1]
    assert isinstance(output, StepOutput)
    assert output.metadata == {"value": [["rows", 3]]}


class Codec:
    """A format of the user's own that fails as it is told."""

    name = "own"

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error

    def encode(self, value: object, sink: Any, /) -> None:
        sink.write(b"begun")
        if self.error is not None:
            raise self.error

    def decode(self, data: bytes | bytearray | memoryview, /) -> object:
        return bytes(data)


@pytest.mark.parametrize("error", [ZeroDivisionError("no"), SystemExit("no")], ids=lambda error: type(error).__name__)
def test_a_users_codec_is_user_code(bench: type[Bench], error: BaseException) -> None:
    """What it raises fails the step, told with what was being done."""
    run = run_of(bench, lambda: 1, {"result": Out(SolidType("Own", codec=Codec(error)))})
    failed = run.fails("it")
    assert type(failed).__name__ == "StepFailed"
    assert failed.error.message == "no (while storing output `result`)"


def test_a_type_check_that_raises_is_told_with_its_output(bench: type[Bench]) -> None:
    """The check is user code too."""

    def check(value: Any) -> bool:
        return bool(1 / value)

    run = run_of(bench, lambda: 0, {"result": Out(SolidType("Odd", check=check))})
    failed = run.fails("it")
    assert failed.error.message == "division by zero (while checking output `result`)"


def test_an_unavailable_store_is_nobodys_mistake(bench: type[Bench]) -> None:
    """It leaves under its own name, which the state machine repeats as it repeats service errors."""

    class Down(MemoryStore):
        """Takes no large object."""

        def writer(self, key: str) -> Any:
            raise StorageUnavailable("`s3` did not answer.")

    def large() -> bytes:
        return b"x" * (INLINE_LIMIT + 1)

    run = bench(pipeline_from_dependencies("p", [solid(name="it")(large)], {}), store=Down())
    with pytest.raises(StorageUnavailable):
        run.step("it")
    assert ("warning", "storage did not answer", {"reason": "`s3` did not answer."}) in run.lines


def test_what_a_composite_declares_is_checked_where_it_is_made() -> None:
    """The solid inside promises nothing, the composite around it does: its producer fails, not whoever reads it."""

    @solid
    def say() -> Any:
        return "one"

    @composite_solid(outs={"number": Out(int), "any": Out()})
    def both() -> Any:
        return {"number": say(), "any": say.alias("other")()}

    result = execute_pipeline(pipeline(name="p")(lambda: both()), raise_on_error=False)  # noqa: PLW0108 - a definition is no function
    ((step, error),) = result.failures.items()
    assert error is not None
    assert (step, error.message, error.hint) == (
        "both.say",
        "Output `result` of `both.say` is output `number` of composite `both` and does not pass the check of its type "
        "`int`: expected `int`, got 'one' of type `str`.",
        "return what `both` declares, or correct its annotation",
    )
    assert result.output("both.other") == "one"
