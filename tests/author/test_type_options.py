"""Loaders and materializers: how types declare them, what a run request may say, what people are told of it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest

from solidstate import Column, In, Materialization, Out, SolidType, TypeContext, frame_type, pipeline, solid
from solidstate.cli.request_schema import request_schema
from solidstate.cli.scaffold import document_of, request_entries, yaml_of
from solidstate.errors import DefinitionError, RequestErrors
from solidstate.request import resolve_request
from solidstate.types import resolve_type


class Sheet(msgspec.Struct):
    """One sheet of a workbook."""

    url: str
    page: int = 1


class Place(msgspec.Struct):
    path: str


def read_sheet(context: TypeContext, config: Sheet) -> list[str]:
    return [config.url, str(config.page)]


def read_file(context: TypeContext, config: Place) -> list[str]:
    return [config.path]


def write_file(context: TypeContext, config: Place, value: list[str]) -> None:
    context.log.info("written")


TABLE = SolidType(
    "Table",
    python=list,
    description="Rows of text.",
    loader={"sheet": read_sheet, "file": (Place, lambda context, config: [config.path])},
    materializer={"file": write_file},
)
ROWS = frame_type("Rows", {"a": Column(int, ge=0)})


@solid
def clean(table: Annotated[list[str], TABLE], limit: int = 3) -> Annotated[list[str], TABLE]:
    """Clean a table."""
    return table[:limit]


@solid
def count(table: Annotated[list[str], TABLE]) -> int:
    """Count rows."""
    return len(table)


@solid
def thing() -> Annotated[object, SolidType("Thing", python=Sheet.__class__)]:
    """Something no file can hold."""
    return Sheet


@pipeline
def tables() -> None:
    """Tables from files to files."""
    count(clean())
    thing()


def refused(document: dict[str, Any]) -> str:
    """The text of what is wrong with a request."""
    with pytest.raises(RequestErrors) as caught:
        resolve_request(tables, document)
    return str(caught.value)


def test_a_request_says_from_where_and_to_where() -> None:
    """One way for an input, any number of places for an output; plain values can be written as JSON."""
    solids = {
        "clean": {
            "inputs": {"table": {"sheet": {"url": "x"}}},
            "outputs": [{"result": {"file": {"path": "a"}}}, {"result": {"file": {"path": "b"}}}],
        },
        "count": {"outputs": [{"result": {"json": {"path": "count.json"}}}]},
    }
    assert resolve_request(tables, {"solids": solids}).solids == solids


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({}, "Input `table` of `clean` is not connected and not given.\n  at: solids.clean.inputs.table\n"
             '  fix: add it, for example `{"solids":{"clean":{"inputs":{"table":{"sheet":{"url":"..."}}}}}}`'),
        ({"inputs": {"table": {"file": {"path": 3}}}}, "Expected `str`, got 3 of type `int`.\n"
         "  at: solids.clean.inputs.table.file.path\n  fix: quote it: `'3'`"),
        ({"inputs": {"table": {"shet": {}}}}, "Unknown field 'shet'.\n  at: solids.clean.inputs.table.shet\n"
         "  fix: did you mean `sheet`?"),
        ({"inputs": {"table": ["a"]}}, "Expected `{sheet} | {file}`, got ['a'] of type `list`.\n"
         '  at: solids.clean.inputs.table\n  fix: for example `{"sheet":{"url":"..."}}`'),
        ({"inputs": {"table": {"file": {"path": "x"}}}, "outputs": [{"result": {"file": {"path": "a"}, "other": 1}}]},
         "Unknown field 'other'.\n  at: solids.clean.outputs[0].result.other\n  fix: known here: `file`"),
        ({"inputs": {"table": {"file": {"path": "x"}}}, "outputs": [{"results": {"file": {"path": "a"}}}]},
         "Unknown field 'results'.\n  at: solids.clean.outputs[0].results\n  fix: did you mean `result`?"),
        ({"inputs": {"table": {"file": {"path": "x"}}}, "outputs": {"result": {"file": {"path": "a"}}}},
         "Expected `list[{result}]`, got {'result': {'file': {'path': 'a'}}} of type `dict`.\n"
         "  at: solids.clean.outputs\n  fix: for example `[]`"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_place(entry: dict[str, Any], text: str) -> None:
    """The paths lead into the config of the way that was chosen."""
    assert refused({"solids": {"clean": entry}}) == f"Run request for pipeline `tables`: {text}"


def test_an_output_no_file_can_hold() -> None:
    """Some values are not for files."""
    solids = {"clean": {"inputs": {"table": {"file": {"path": "x"}}}}, "thing": {"outputs": []}}
    assert refused({"solids": solids}) == (
        "Run request for pipeline `tables`: `thing` has no output that can be written where config says.\n"
        "  at: solids.thing.outputs\n"
        "  fix: remove it"
    )


def test_the_scaffold_shows_both() -> None:
    """Required inputs with their first way, outputs with a materializer of their own as a comment."""
    entries = request_entries(tables, tables.modes[0])
    text = yaml_of(entries, ["title"], full=True).splitlines()
    assert text[2:8] == [
        "solids:",
        "  clean:",
        "    inputs:",
        '      table: {"sheet": {"url": "..."}}  # {sheet} | {file}',
        "      # limit: 3  # int",
        '    # outputs: [{"result": {"file": {"path": "..."}}}]  # where to write outputs, beside storing them',
    ]
    document = document_of(entries, full=True)
    assert document["solids"]["clean"]["inputs"] == {"table": {"sheet": {"url": "..."}}, "limit": 3}
    assert resolve_request(tables, document).solids["clean"]["inputs"]["table"] == {"sheet": {"url": "..."}}


def test_the_schema_describes_both() -> None:
    """An editor can complete the ways and their config."""
    schema = request_schema(tables)
    entry = schema["properties"]["solids"]["properties"]["clean"]["properties"]
    way = schema["$defs"][entry["inputs"]["properties"]["table"]["$ref"].rpartition("/")[2]]
    assert list(way["properties"]) == ["sheet", "file"]
    assert schema["$defs"]["Sheet"]["description"] == "One sheet of a workbook."
    assert entry["outputs"]["type"] == "array"
    assert "outputs" not in schema["properties"]["solids"]["properties"]["thing"]["properties"]


def test_types_of_one_name_keep_their_own_schemas() -> None:
    """Two types may have the same name; their ways do not get mixed up."""
    one = SolidType("Same", loader={"a": read_sheet})
    two = SolidType("Same", loader={"b": read_file})

    @solid(ins={"left": In(one), "right": In(two)})
    def join(left: list[str], right: list[str]) -> None:
        """Takes both."""

    @pipeline
    def both() -> None:
        join()

    schema = request_schema(both)
    inputs = schema["properties"]["solids"]["properties"]["join"]["properties"]["inputs"]["properties"]
    ways = [schema["$defs"][inputs[name]["$ref"].rpartition("/")[2]]["properties"] for name in ("left", "right")]
    assert [list(way) for way in ways] == [["a"], ["b"]]


def test_a_type_is_data() -> None:
    """Tools can ask what a type is, what is checked, and which ways it has."""
    told = resolve_type(Annotated[list[str], TABLE]).describe()
    assert {key: told[key] for key in ("name", "python", "checked", "description")} == {
        "name": "Table",
        "python": "list[str]",
        "checked": True,
        "description": "Rows of text.",
    }
    assert list(told["loader"]) == ["sheet", "file"]
    assert list(told["materializer"]) == ["file"]
    rows = resolve_type(ROWS).describe()
    assert rows["facts"] == {"library": "pandas", "columns": {"a": {"type": "int", "ge": 0}}}
    assert resolve_type(int).describe() == {"name": "int", "python": "int", "checked": True}


@pytest.mark.parametrize(
    ("loader", "text"),
    [
        (3, "`loader` of type `T` must be a function, or a pair of a config type and a function, got 3.\n"
            "  fix: write `(CsvFile, read_csv)`"),
        ((int, read_file), "The config of `loader` of type `T` must be a `msgspec.Struct`, got <class 'int'>.\n"
         "  fix: annotate its second parameter, `(context, config: CsvFile)`, or write `(CsvFile, function)`"),
        (lambda context, config: 1, "The config of `loader` of type `T` must be a `msgspec.Struct`, got None.\n"
         "  fix: annotate its second parameter, `(context, config: CsvFile)`, or write `(CsvFile, function)`"),
        ({"csv": 3}, "`loader['csv']` of type `T` must be a function, or a pair of a config type and a function, "
         "got 3.\n  fix: write `(CsvFile, read_csv)`"),
        ({}, '`loader` of type `T` must map names to functions, got {}.\n  fix: write `{"csv": read_csv}`'),
        ({"a b": read_file}, "`loader` of type `T` must map names to functions, got 'a b'.\n"
         '  fix: write `{"csv": read_csv}`'),
    ],
)  # fmt: skip
def test_declarations_that_cannot_work(loader: Any, text: str) -> None:
    """Found when the type is made."""
    with pytest.raises(DefinitionError) as caught:
        SolidType("T", loader=loader)
    assert str(caught.value) == text


def test_one_way_needs_no_name() -> None:
    """A type with a single way takes its config directly."""

    def write(context: TypeContext, config: Place, value: Any) -> Materialization:
        return Materialization("label", config.path)

    one = SolidType("One", python=list, loader=read_file, materializer=write)

    @solid(ins={"table": In(one)}, outs={"result": Out(one)})
    def keep(table: list[str]) -> list[str]:
        """Keep it."""
        return table

    @pipeline
    def kept() -> None:
        keep()

    solids = {"keep": {"inputs": {"table": {"path": "x"}}, "outputs": [{"result": {"path": "y"}}]}}
    assert resolve_request(kept, {"solids": solids}).solids == solids
