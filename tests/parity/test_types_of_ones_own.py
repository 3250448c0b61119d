"""Types of the author's own, as 2019 had them: checks, facts, formats, hydration, materialization."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from solidstate import Failure, In, Materialization, Out, SolidType, TypeCheck, TypeContext, execute_solid, solid
from solidstate.storage.store import ObjectWriter
from tests.parity.running import built, failed, rejected, run, statuses, undefined


class Row(msgspec.Struct):
    name: str
    late: bool = False


class Box:
    """A class of the author's own."""

    def __init__(self, size: int = 1) -> None:
        self.size = size


class BoxFile(msgspec.Struct):
    path: str


class BoxCodec:
    """How a box is stored."""

    name = "box"

    def encode(self, value: object, sink: ObjectWriter, /) -> None:
        assert isinstance(value, Box)
        sink.write(str(value.size).encode())

    def decode(self, data: bytes | bytearray | memoryview, /) -> Box:
        return Box(int(bytes(data)))


def read_box(context: TypeContext, config: BoxFile) -> Box:
    with context.open(config.path) as file:
        return Box(int(file.read()))


def write_box(context: TypeContext, config: BoxFile, value: Box) -> Materialization:
    with context.open(config.path, "wb") as file:
        file.write(str(value.size).encode())
    return Materialization("box", path=config.path)


REFUSED = "Output `result` of `give` does not pass the check of type "
BOX = SolidType(
    "Box",
    python=Box,
    check=lambda box: TypeCheck(box.size < 10, "it is too large", {"size": box.size}),
    codec=BoxCodec(),
    loader=read_box,
    materializer=write_box,
    description="Something to put things in.",
)


def checked(annotation: Any, value: Any) -> str:
    """What is said of a value that a solid gives for an output of the type; empty when it passes."""
    giving: Any = solid(name="give", outs={"result": Out(annotation)})(lambda: value)
    result = run(giving)
    return "" if result.success else failed(result, "give").removeprefix(REFUSED)


@solid
def give_box(size: int = 3) -> Annotated[Box, BOX]:
    return Box(size)


@solid
def open_box(box: Annotated[Box, BOX]) -> int:
    return box.size


def test_an_existing_class_becomes_a_type() -> None:
    """`as_dagster_type`: a name, a description and a check for a class one does not own."""
    edge = open_box.input("box").type
    assert (edge.name, edge.describe()["description"]) == ("Box", "Something to put things in.")


def test_a_check_of_ones_own() -> None:
    """It decides, with words of its own."""
    result = run(give_box, {"solids": {"give_box": {"inputs": {"size": 12}}}})
    assert failed(result, "give_box") == (
        "Output `result` of `give_box` does not pass the check of type `Box`: it is too large."
    )


def test_a_check_leaves_facts() -> None:
    """`TypeCheck` metadata is kept with the events of inputs and outputs."""
    result = run(lambda: open_box(give_box()))
    (out,) = result.result_for_solid("give_box").events_of_kind("step_output")
    (inp,) = result.result_for_solid("open_box").events_of_kind("step_input")
    assert (out.metadata, inp.metadata) == ({"size": 3}, {"size": 3})  # type: ignore[union-attr]  # told by kind


def test_a_check_may_raise_failure() -> None:
    """A check that raises `Failure` fails the step with the facts it gives."""

    def check(value: Any) -> None:
        raise Failure("three columns are missing", {"missing": 3})

    load: Any = solid(name="load", outs={"result": Out(SolidType("Table", check=check))})(lambda: 1)
    error = execute_solid(load, raise_on_error=False).failure
    assert error is not None
    assert (error.type, error.metadata) == ("Failure", {"missing": 3})


def test_a_check_that_returns_nothing_passes() -> None:
    """As in 2019, where a check that did not raise had passed."""
    table = SolidType("Table", check=lambda value: None)
    load: Any = solid(name="load", outs={"result": Out(table)})(lambda: 1)
    assert execute_solid(load).success


def test_a_format_of_ones_own() -> None:
    """`SerializationStrategy`: how values of a type are stored."""
    result = run(lambda: open_box(give_box()))
    (out,) = result.result_for_solid("give_box").events_of_kind("step_output")
    assert (out.codec, result.output("open_box")) == ("box", 3)  # type: ignore[union-attr]  # told by kind


def test_a_container_of_a_type_of_ones_own() -> None:
    """`List` of it is checked element by element, which 2019 could not store (#1190)."""
    positive = SolidType("Positive", python=int, check=lambda number: number > 0)
    assert checked(list[Annotated[int, positive]], [1, 2]) == ""
    assert checked(list[Annotated[int, positive]], [1, -2]) == (
        "`list[Positive]`: expected `Positive`, got -2 of type `int` at `$[1]`: the check of type `Positive` said no."
    )


def test_a_value_without_a_format_is_refused() -> None:
    """2019 pickled everything; here a class needs a codec, which may be `pickle`."""

    @solid
    def make() -> Box:
        return Box()

    assert failed(run(make), "make") == (
        "Output `result` of `make` cannot be stored: `Box` has no self-describing storage format."
    )


def test_pickle_on_request() -> None:
    """2019's default, as a type's own choice."""
    pickled = SolidType("Pickled", python=Row, codec="pickle")
    made: Any = solid(name="make", outs={"result": Out(pickled)})(lambda: Row("a"))
    taken: Any = solid(name="take", ins={"row": In(pickled)})(lambda row: row.name)
    assert run(lambda: taken(made())).output("take") == "a"


def test_an_input_is_hydrated(tmp_path: Path) -> None:
    """An input that nothing feeds is read by its type from where the request says."""
    (tmp_path / "box").write_text("4")
    request = {"solids": {"open_box": {"inputs": {"box": {"path": f"{tmp_path}/box"}}}}}
    assert run(open_box, request).output("open_box") == 4


def test_an_output_is_materialized(tmp_path: Path) -> None:
    """It is written where the request says, beside being stored, and an event tells of it."""
    path = f"{tmp_path}/box"
    result = run(give_box, {"solids": {"give_box": {"outputs": [{"result": {"path": path}}]}}})
    assert (Path(path).read_text(), [m.path for m in result.result_for_solid("give_box").materializations]) == (
        "3",
        [path],
    )


def test_a_plain_value_is_materialized_as_json(tmp_path: Path) -> None:
    """`{result: {json: {path: ...}}}`."""
    path = f"{tmp_path}/number.json"
    made: Any = solid(name="make", outs={"result": Out(dict[str, int])})(lambda: {"a": 1})
    assert run(made, {"solids": {"make": {"outputs": [{"result": {"json": {"path": path}}}]}}}).success
    assert json.loads(Path(path).read_text()) == {"a": 1}


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(int, 3), (str, "a"), (bool, False), (list[int], [1, 2]), (dict[str, int], {"a": 1})],
    ids=str,
)
def test_plain_inputs_are_given_in_config(annotation: Any, value: Any) -> None:
    """Scalars and containers are written as they are; 2019 wanted `{value: 3}` around a scalar."""
    taken: Any = solid(name="take", ins={"value": In(annotation)}, outs={"result": Out(Any)})(lambda value: value)
    assert run(taken, {"solids": {"take": {"inputs": {"value": value}}}}).output("take") == value


def test_a_plain_input_of_another_type_is_refused_before_the_run() -> None:
    """Together with all else that is wrong with the request."""
    taken: Any = solid(name="take", ins={"value": In(int)})(lambda value: None)
    assert rejected(taken, {"solids": {"take": {"inputs": {"value": "x"}}}}) == (
        "Expected `int`, got 'x' of type `str`.\n  at: solids.take.inputs.value\n  fix: for example `0`"
    )


def test_a_value_is_no_type() -> None:
    """What is not a type cannot be one."""
    assert undefined(lambda: built(solid(name="take", ins={"value": In(5)})(lambda value: None))) == (
        "The type of input `value` of solid `take` cannot be used: 5 is not a type.\n"
        "  fix: write a class or a type such as `int`, `list[int]`, `dict[str, Any]`, `int | None`"
    )


def test_skips_need_no_value() -> None:
    """A type is asked of values only: what is skipped is not checked."""

    @solid(outs={"some": Out(Annotated[Box, BOX], optional=True)})
    def maybe() -> Any:
        yield from ()

    assert statuses(run(lambda: open_box(maybe()))) == {"maybe": "success", "open_box": "skipped"}
