"""Frame types: what they find in a frame of each library, and how they say it."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solidstate import Column, TypeCheck, frame_type
from solidstate.errors import DefinitionError
from solidstate.frame_types import Library

NEW_YEAR = dt.datetime(2013, 1, 1)  # noqa: DTZ001 - frames hold wall clock times
LIBRARIES: list[Library] = ["pandas", "polars", "pyarrow"]
each_library = pytest.mark.parametrize("library", LIBRARIES)

GOOD: dict[str, list[Any]] = {
    "carrier": ["AA", "UA", "B6"],
    "delay": [1.5, None, -3.0],
    "number": [1, 2, 3],
    "day": [dt.date(2013, 1, day) for day in (1, 2, 3)],
    "at": [NEW_YEAR + dt.timedelta(hours=hour) for hour in (1, 2, 3)],
    "late": [True, False, True],
}
COLUMNS = {
    "carrier": Column(str, pattern="[A-Z0-9]{2}", isin=["AA", "UA", "B6"]),
    "delay": Column(float, nullable=True, ge=-120, le=1500),
    "number": Column(int, gt=0, unique=True),
    "day": dt.date,
    "at": Column(dt.datetime, lt=NEW_YEAR + dt.timedelta(days=9)),
    "late": bool,
}


def frame(library: Library, data: dict[str, list[Any]]) -> Any:
    """The same rows in a library's own frame."""
    if library == "pandas":
        return pd.DataFrame(data)
    return pl.DataFrame(data, strict=False) if library == "polars" else pa.table(data)


def verdict(library: Library, data: dict[str, list[Any]], columns: Any = None, **rules: Any) -> TypeCheck:
    """What a frame type of these columns says of these rows."""
    check = frame_type("Rows", columns, library=library, **rules).check
    assert check is not None
    result = check(frame(library, data))
    assert isinstance(result, TypeCheck)
    return result


@each_library
def test_a_good_frame_passes_with_its_size_and_columns(library: Library) -> None:
    """Rows, bytes, and each column with dtype and missing values are recorded."""
    found = verdict(library, GOOD, COLUMNS, strict=True, unique=["carrier", "number"], min_rows=3, max_rows=3)
    assert (found.success, found.description) == (True, "")
    assert found.metadata["rows"] == 3
    assert found.metadata["bytes"] > 0
    assert [(one["name"], one["nulls"]) for one in found.metadata["columns"]] == [
        (name, int(name == "delay")) for name in GOOD
    ]


@each_library
@pytest.mark.parametrize(
    ("data", "columns", "rules", "text"),
    [
        ({"a": [1]}, {}, {"min_rows": 2}, "it has 1 row, expected at least 2"),
        ({"a": [1, 2, 3]}, {}, {"max_rows": 2}, "it has 3 rows, expected at most 2"),
        ({"dep_delay": [1]}, {"delay": int}, {}, "column `delay` is missing (is it `dep_delay`?)"),
        ({"a": [1]}, {"b": int}, {}, "column `b` is missing"),
        ({"a": [1], "b": [1]}, {"a": int}, {"strict": True}, "column `b` is not declared"),
        ({"a": ["x", "xy", "z1"]}, {"a": Column(str, pattern="[a-z]")}, {},
         "column `a`: 2 values are not text like '[a-z]' (row 1: 'xy', row 2: 'z1')"),
        ({"a": [1, -1]}, {"a": Column(int, ge=0)}, {}, "column `a`: 1 value is not >= 0 (row 1: -1)"),
        ({"a": [0, 1]}, {"a": Column(int, gt=0)}, {}, "column `a`: 1 value is not > 0 (row 0: 0)"),
        ({"a": [5, 6]}, {"a": Column(int, le=5)}, {}, "column `a`: 1 value is not <= 5 (row 1: 6)"),
        ({"a": [5, 6]}, {"a": Column(int, lt=6)}, {}, "column `a`: 1 value is not < 6 (row 1: 6)"),
        ({"a": ["x", "y"]}, {"a": Column(str, isin=["x"])}, {}, "column `a`: 1 value is not one of ['x'] (row 1: 'y')"),
        ({"a": ["x", None]}, {"a": str}, {}, "column `a`: 1 value is missing (row 1)"),
        ({"a": [3, 4, 3, 3]}, {"a": Column(int, unique=True)}, {},
         "column `a`: 2 values repeat an earlier one (row 2: 3, row 3: 3)"),
        ({"a": [1, 1, 1], "b": ["x", "y", "x"]}, {}, {"unique": ["a", "b"]},
         "1 row repeats `a`, `b` of an earlier row (row 2: 1, 'x')"),
        ({"a": list(range(-8, 0))}, {"a": Column(int, ge=0)}, {},
         "column `a`: 8 values are not >= 0 (row 0: -8, row 1: -7, row 2: -6, row 3: -5, row 4: -4 and 3 more)"),
        ({"a": ["y" * 80]}, {"a": Column(str, isin=["x"])}, {},
         "column `a`: 1 value is not one of ['x'] (row 0: '" + "y" * 36 + "...)"),
        ({"a": [NEW_YEAR]}, {"a": Column(dt.datetime, gt=NEW_YEAR)}, {},
         "column `a`: 1 value is not > datetime.datetime(2013, 1, 1, 0, 0) (row 0: 2013-01-01 00:00:00)"),
        ({"a": [1, -1], "b": [None, "x"]}, {"a": Column(int, ge=0), "b": str}, {"min_rows": 3},
         "it has 2 rows, expected at least 3; column `a`: 1 value is not >= 0 (row 1: -1); "
         "column `b`: 1 value is missing (row 0)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_alike(
    library: Library, data: dict[str, list[Any]], columns: Any, rules: Any, text: str
) -> None:
    """Every rule with the number of rows that break it and the first five, in the same words for each library."""
    assert verdict(library, data, columns, **rules).description == text


@pytest.mark.parametrize(("library", "dtype"), [("pandas", "str"), ("polars", "String"), ("pyarrow", "string")])
def test_a_wrong_type_is_told_with_first_values(library: Library, dtype: str) -> None:
    """The dtype is the library's own, and no rule is tried on values of another type."""
    found = verdict(library, {"a": ["1", "2"]}, {"a": Column(int, ge=0)})
    assert found.description == f"column `a` is of type `{dtype}`, expected `int` (row 0: '1', row 1: '2')"
    assert found.metadata["problems"] == [
        {
            "text": f"column `a` is of type `{dtype}`, expected `int`",
            "column": "a",
            "rule": "type",
            "rows": [(0, "'1'"), (1, "'2'")],
        }
    ]


def test_problems_are_bounded() -> None:
    """A frame in which everything is wrong gives a message one can read."""
    columns = {f"c{number}": int for number in range(20)}
    found = verdict("pandas", {"a": [1]}, columns)
    assert found.description.endswith("column `c7` is missing; and 12 more problems")
    assert len(found.metadata["problems"]) == 20


def test_what_is_no_such_frame() -> None:
    """Another value, another library's frame, a lazy one."""
    check = frame_type("Rows", library="polars").check
    assert check is not None
    told = [check(value) for value in ([1], pd.DataFrame(), pl.LazyFrame({"a": [1]}))]
    assert [one.description for one in told if isinstance(one, TypeCheck)] == [
        "expected a `polars.DataFrame`, got a `list`",
        "expected a `polars.DataFrame`, got a `pandas.DataFrame`",
        "expected a `polars.DataFrame`, got a `polars.LazyFrame`, which is a question, not an answer: use `.collect()`",
    ]


@pytest.mark.parametrize(
    ("column", "values", "dtype"),
    [
        (Column(int, nullable=True), [1.0, None], None),
        (int, [1, 2], "category"),
        (int, [1, 2], "Int64"),
        (Column(int, nullable=True, ge=1), [1, None], "Int64"),
        (str, ["a", "b"], "category"),
        (str, ["a", "b"], object),
        (Column(str, nullable=True), ["a", None], "string"),
        (Column(str, nullable=True), [None, None], object),
        ("int32", [1, 2], "int32"),
        (float, [1, 2], "int64"),
        (int, [1, 2], "int64[pyarrow]"),
        (bytes, [b"x"], object),
    ],
)
def test_pandas_stores_a_kind_in_many_ways(column: Any, values: list[Any], dtype: Any) -> None:
    """Categories, objects, nullable and Arrow dtypes count by what they hold."""
    check = frame_type("Rows", {"a": column}).check
    assert check is not None
    assert check(pd.DataFrame({"a": pd.Series(values, dtype=dtype)})) == TypeCheck(True, metadata=_ANY)


class _Anything(dict[str, Any]):
    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict)

    __hash__ = None


_ANY = _Anything()


@pytest.mark.parametrize(
    ("column", "values", "dtype", "text"),
    [
        (Column(int, nullable=True), [1.5, None], None, "column `a`: 1 value is not a whole number (row 0: 1.5)"),
        (int, [1.0, 2.0], None, "column `a` is of type `float64`, expected `int` (row 0: 1.0, row 1: 2.0)"),
        ("int32", [1], "int64", "column `a` is of type `int64`, expected `int32` (row 0: 1)"),
        (str, ["a", 1], object, "column `a` is of type `object`, expected `str` (row 0: 'a', row 1: 1)"),
    ],
)
def test_pandas_refusals(column: Any, values: list[Any], dtype: Any, text: str) -> None:
    """Fractions, other widths than the one asked for, mixed objects."""
    check = frame_type("Rows", {"a": column}).check
    assert check is not None
    found = check(pd.DataFrame({"a": pd.Series(values, dtype=dtype)}))
    assert isinstance(found, TypeCheck)
    assert found.description == text


def test_a_column_that_is_there_twice() -> None:
    """Pandas allows it; a schema does not."""
    check = frame_type("Rows", {"a": int}).check
    assert check is not None
    found = check(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert isinstance(found, TypeCheck)
    assert found.description == "column `a` is there 2 times"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"library": "dask"}, "there is no frame library 'dask'.\n  fix: choose one of `pandas`, `polars`, `pyarrow`"),
        ({"min_rows": 3, "max_rows": 2}, "it has at least 3 and at most 2 rows.\n"
         "  fix: exchange `min_rows` and `max_rows`"),
        ({"columns": {"a": int}, "unique": ["b"]}, "`unique` names `b`, which is not among its columns.\n"
         "  fix: declare the column, too"),
        ({"columns": {"a": list}}, "column `a` has the type <class 'list'>.\n  fix: use one of `int`, `float`, `str`, "
         "`bool`, `bytes`, `datetime`, `date`, `time`, `timedelta`, `Decimal`, or a dtype's name as text"),
        ({"columns": {"a": Column(isin="xy")}}, "`isin` of column `a` is 'xy'.\n  fix: write a list of values"),
        ({"columns": {"a": Column(pattern="(")}}, "`pattern` of column `a` is no regular expression: missing ), "
         "unterminated subpattern at position 0.\n  fix: correct the pattern"),
    ],
)  # fmt: skip
def test_declarations_that_contradict_themselves(arguments: Any, text: str) -> None:
    """Found when the type is made."""
    with pytest.raises(DefinitionError) as caught:
        frame_type("Rows", **arguments)
    assert str(caught.value) == f"Frame type `Rows`: {text}"


def test_the_schema_is_data() -> None:
    """Tools can read what is declared, without what is not said."""
    declared = frame_type("Rows", {"a": Column(float, ge=0, nullable=True), "b": dt.date}, min_rows=1, unique=["b"])
    assert declared.facts == {
        "library": "pandas",
        "columns": {"a": {"type": "float", "ge": 0, "nullable": True}, "b": {"type": "date"}},
        "min_rows": 1,
        "unique": ["b"],
    }


VALUES = st.none() | st.integers(-3, 3)


@settings(max_examples=60)
@given(
    st.lists(VALUES, max_size=8),
    st.integers(-3, 3),
    st.sampled_from(["ge", "gt", "le", "lt"]),
    st.booleans(),
    st.booleans(),
)
def test_libraries_agree_with_a_loop(
    values: list[int | None], bound: int, rule: str, nullable: bool, unique: bool
) -> None:
    """What the three find is what a loop over the rows finds."""
    column = Column(float, nullable=nullable, unique=unique, **{rule: bound})  # type: ignore[arg-type]  # names of rules
    right = {"ge": float.__ge__, "gt": float.__gt__, "le": float.__le__, "lt": float.__lt__}[rule]
    there = [float(value) for value in values if value is not None]
    expected = (
        (nullable or len(there) == len(values))
        and all(right(value, float(bound)) for value in there)
        and (not unique or len(set(there)) == len(there))
    )
    floats = [math.nan if value is None else float(value) for value in values]
    arrow = pa.array(floats, type=pa.float64(), from_pandas=True)
    frames = {
        "pandas": pd.DataFrame({"a": pd.Series(floats, dtype="float64")}),
        "polars": pl.DataFrame({"a": pl.Series(floats, dtype=pl.Float64)}).fill_nan(None),
        "pyarrow": pa.table({"a": arrow}),
    }
    for library in LIBRARIES:
        check = frame_type("Rows", {"a": column}, library=library).check
        assert check is not None
        found = check(frames[library])
        assert isinstance(found, TypeCheck)
        assert found.success is expected, (library, found.description)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_nan_is_in_no_range(library: Library) -> None:
    """Where NaN is a value of its own, it is no number between others."""
    found = verdict(library, {"a": [1.0, math.nan]}, {"a": Column(float, ge=0)})
    assert found.description == "column `a`: 1 value is not >= 0 (row 1: nan)"
