"""Inputs read from and outputs written to where a run request says, while a step runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import polars as pl
import pytest

from solidstate import (
    Column,
    In,
    Materialization,
    Nothing,
    Out,
    Output,
    PipelineResult,
    SolidType,
    StepContext,
    TypeContext,
    execute_pipeline,
    frame_type,
    pipeline,
    solid,
)
from solidstate.events import ErrorInfo, StepInput, StepOutput
from solidstate.frame_types import Library

ROOT = Path(__file__).resolve().parents[2]


class Place(msgspec.Struct):
    path: str


def load(context: TypeContext, config: Place) -> list[str]:
    if config.path == "broken":
        raise ValueError("no such sheet")
    context.log.info("loading", path=config.path)
    return [context.run_id, context.pipeline, context.step_key, context.name]


def write(context: TypeContext, config: Place, value: list[str]) -> Any:
    kinds = {"none": None, "two": [Materialization("a"), Materialization("b")], "text": "written"}
    return kinds[config.path]


TABLE = SolidType("Table", python=list, loader={"file": load}, materializer={"file": write})


@solid
def keep(table: Annotated[list[str], TABLE]) -> Annotated[list[str], TABLE]:
    """Keep a table."""
    return table


@solid(outs={"number": Out(int), "done": Out(Nothing)})
def number() -> Any:
    """Makes a number."""
    yield Output(3, "number")


@pipeline
def tables() -> None:
    keep()
    number()


def run(path: str = "a", **keep_entry: Any) -> PipelineResult:
    """A run of `tables` whose table is loaded from `path`."""
    request = {"solids": {"keep": {"inputs": {"table": {"file": {"path": path}}}, **keep_entry}}}
    return execute_pipeline(tables, request, run_id="run-1", raise_on_error=False)


def error_of(result: PipelineResult, step: str = "keep") -> ErrorInfo:
    """How a step failed."""
    error = result.result_for_solid(step).error
    assert error is not None
    return error


def test_a_loader_makes_the_value() -> None:
    """It sees the run, the step, the input and the log."""
    result = run()
    assert result.output("keep") == ["run-1", "tables", "keep", "table"]
    logged = [event for event in result.result_for_solid("keep").events if type(event).__name__ == "LogMessage"]
    assert [getattr(event, "message", "") for event in logged] == ["loading"]


def test_a_loader_that_raises_fails_the_step() -> None:
    """As user code, with what it was doing."""
    error = error_of(run("broken"))
    assert (error.type, error.message) == ("ValueError", "no such sheet (while loading input `table` as `file`)")


@pytest.mark.parametrize(("way", "labels"), [("none", [("result", "none")]), ("two", [("a", ""), ("b", "")])])
def test_a_materializer_is_recorded(way: str, labels: list[tuple[str, str]]) -> None:
    """What it returns, or that it wrote."""
    result = run(outputs=[{"result": {"file": {"path": way}}}])
    assert [(one.label, one.path) for one in result.result_for_solid("keep").materializations] == labels


def test_a_materializer_that_returns_something_else() -> None:
    """Is told what it may return."""
    error = error_of(run(outputs=[{"result": {"file": {"path": "text"}}}]))
    assert error.message == "The materializer of type `Table` returned a `str`."
    assert error.hint == "return a Materialization, a list of them, or None"


def test_plain_values_are_written_as_json(tmp_path: Path) -> None:
    """Without any type of the user's; other outputs of the solid stay as they are."""
    path = tmp_path / "new" / "number.json"
    solids = {
        "keep": {"inputs": {"table": {"file": {"path": "a"}}}},
        "number": {"outputs": [{"number": {"json": {"path": str(path)}}}]},
    }
    result = execute_pipeline(tables, {"solids": solids})
    assert json.loads(path.read_text()) == 3
    made = result.result_for_solid("number").materializations
    assert [(one.label, one.path, one.metadata) for one in made] == [
        ("number", str(path), {"format": "json", "bytes": 1})
    ]


def frames(library: Library) -> Any:
    """A pipeline from a file to a file, in one library."""
    rows = frame_type(
        "Rows", {"code": str, "n": Column(int, ge=0), "day": Column("date", nullable=True)}, library=library
    )

    @solid(ins={"rows": In(rows)}, outs={"result": Out(rows)})
    def double(rows: Any) -> Any:
        """The same rows."""
        return rows

    @solid(ins={"rows": In(rows)})
    def count(rows: Any) -> int:
        """How many."""
        return len(rows)

    @pipeline(name=f"frames_{library}")
    def flow() -> None:
        count(double())

    return flow


_TEXT = "code,n,day\n007,1,2013-01-01\n008,2,\n"
LIBRARIES: list[Library] = ["pandas", "polars", "pyarrow"]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", ["csv", "parquet", "json", "lines"])
def test_frames_from_file_to_file(library: Library, way: str, tmp_path: Path) -> None:
    """Text stays text, dates are dates, and what is written reads back the same, in each library and format."""
    (tmp_path / "in.csv").write_text(_TEXT)
    option = {"path": str(tmp_path / "out"), "lines": True} if way == "lines" else {"path": str(tmp_path / "out")}
    out = {"json" if way == "lines" else way: option}
    flow = frames(library)
    first = {"inputs": {"rows": {"csv": {"path": str(tmp_path / "in.csv")}}}, "outputs": [{"result": out}]}
    result = execute_pipeline(flow, {"solids": {"double": first}})
    again = execute_pipeline(flow, {"solids": {"double": {"inputs": {"rows": out}}}})
    for one in (result, again):
        frame = one.output("double")
        records = (
            frame.to_pylist()
            if library == "pyarrow"
            else frame.to_dict("records")
            if library == "pandas"
            else frame.to_dicts()
        )
        assert [(row["code"], row["n"], str(row["day"])) for row in records] == [
            ("007", 1, "2013-01-01"),
            ("008", 2, "None"),
        ]
        assert one.output("count") == 2
    events = [event for event in again.result_for_solid("double").events if isinstance(event, (StepInput, StepOutput))]
    assert [event.metadata["rows"] for event in events] == [2, 2]
    assert [[column["nulls"] for column in event.metadata["columns"]] for event in events] == [[0, 0, 1]] * 2


def test_offending_rows_are_in_the_error(tmp_path: Path) -> None:
    """As text, and as data beside it."""
    (tmp_path / "in.csv").write_text("code,n,day\nx,-1,\ny,2,\n")
    flow = frames("pandas")
    entry = {"inputs": {"rows": {"csv": {"path": str(tmp_path / "in.csv")}}}}
    error = error_of(execute_pipeline(flow, {"solids": {"double": entry}}, raise_on_error=False), "double")
    assert error.message == (
        "Input `rows` of `double` does not pass the check of type `Rows`: column `n`: 1 value is not >= 0 (row 0: -1)."
    )
    assert error.metadata["problems"] == [
        {"text": "column `n`: 1 value is not >= 0", "column": "n", "rule": "ge", "count": 1, "rows": [[0, "-1"]]}
    ]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("rows.csv", "correct the path; write `./rows.csv` for a file of this machine"),
        ("/nowhere/rows.csv", "correct the path"),
        ("s3://bucket/rows.csv", "correct the path, or put the file there"),
    ],
)
def test_a_file_that_is_not_there(path: str, hint: str) -> None:
    """Told with the input, and how a path leads elsewhere."""
    entry = {"inputs": {"rows": {"csv": {"path": path}}}}
    result = execute_pipeline(frames("pandas"), {"solids": {"double": entry}}, raise_on_error=False)
    error = error_of(result, "double")
    assert (error.message, error.hint) == (f"There is no file '{path}' for `rows`.", hint)


def test_files_of_the_runs_own_file_system() -> None:
    """A path without a sign of this machine leads into `context.fs`, where steps of one run find each other's files."""
    rows = frame_type("Rows", {"a": int}, library="polars")

    @solid(outs={"result": Out(rows)})
    def make() -> pl.DataFrame:
        """Two rows."""
        return pl.DataFrame({"a": [1, 2]})

    @solid(ins={"rows": In(rows)})
    def look(context: StepContext, rows: pl.DataFrame) -> list[str]:
        """The files that are there."""
        found: list[str] = context.fs.find("/bucket")
        return found

    @pipeline
    def flow() -> None:
        look(make())

    outputs = [
        {"result": {"parquet": {"path": "s3://bucket/a.parquet"}}},
        {"result": {"csv": {"path": "bucket/a.csv"}}},
    ]
    result = execute_pipeline(flow, {"solids": {"make": {"outputs": outputs}}})
    assert result.output("look") == ["/bucket/a.csv", "/bucket/a.parquet"]


@pytest.mark.parametrize(
    ("library", "make", "others"),
    [
        ("pandas", "pandas.DataFrame", {"polars"}),
        ("polars", "polars.DataFrame", {"pandas", "pyarrow"}),
        ("pyarrow", "pyarrow.table", {"pandas", "polars"}),
    ],
)
def test_no_library_is_imported_that_is_not_in_use(library: str, make: str, others: set[str]) -> None:
    """Checking rows of one library loads no other, and declaring a type loads none at all."""
    script = f"""
import sys
from solidstate import frame_type
rows = frame_type("Rows", {{"a": int}}, library={library!r}, unique=["a"])
assert not {{"pandas", "polars", "pyarrow"}} & set(sys.modules)
import {library}
frame = {make}({{"a": [1, 2]}})
before = set(sys.modules)  # pyarrow looks for pandas when it makes a table of lists
assert rows.check(frame).success
print(*(name for name in {sorted(others)!r} if name in set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr
