"""Frames, series and arrays: exactly what went in, or a refusal that names the column."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solidstate.errors import NotStorable
from solidstate.storage.codecs import codec_for, codec_named
from solidstate.storage.frame_libraries import pandas, pyarrow

pd, pa = pandas(), pyarrow()
nan = float("nan")


def round_trip(value: Any, asked: str | None = None) -> Any:
    """Through bytes, read under the recorded name."""
    file = io.BytesIO()
    codec = codec_for(value, asked=asked)
    codec.encode(value, file)
    return codec_named(codec.name).decode(file.getvalue())


def assert_same_pandas(back: Any, value: Any) -> None:
    """The comparison of pandas itself comparison at its strictest, and the types of what object columns hold."""
    assert type(back) is type(value)
    if isinstance(value, pd.Series):
        pd.testing.assert_series_equal(back, value, check_exact=True, check_freq=True, check_flags=True)
        back, value = back.to_frame(0), value.to_frame(0)
    pd.testing.assert_frame_equal(back, value, check_exact=True, check_freq=True, check_flags=True)
    assert back.columns.identical(value.columns)
    assert back.index.identical(value.index)
    assert back.attrs == value.attrs
    for i in range(value.shape[1]):
        was, now = value.iloc[:, i], back.iloc[:, i]
        assert was.dtype == now.dtype
        if was.dtype == object:
            assert [type(item) for item in was] == [type(item) for item in now]


def _frame(values: Any = (1, 2), **options: Any) -> Any:
    return pd.DataFrame({"a": list(values)}, **options)


def _with_attrs() -> Any:
    frame = _frame()
    frame.attrs = {"source": ("nyc", 2013)}
    return frame


PANDAS: dict[str, Any] = {
    "numbers": pd.DataFrame({"i": [1, 2], "f": [1.5, nan], "b": [True, False]}),
    "widths": pd.DataFrame(
        {t: np.array([1, 2], t) for t in ["int8", "uint8", "int16", "uint64", "float16", "float32"]}
    ),
    "text": pd.DataFrame({"a": ["x", None, "z"]}),
    "text kinds": pd.DataFrame(
        {
            "py": pd.array(["x", None], pd.StringDtype("python")),
            "py nan": pd.array(["x", None], pd.StringDtype("python", na_value=nan)),
            "arrow": pd.array(["x", None], pd.StringDtype("pyarrow")),
        }
    ),
    "objects": pd.DataFrame(
        {
            "str": pd.Series(["x", None], dtype=object),
            "nan": pd.Series(["x", nan], dtype=object),
            "bytes": pd.Series([b"x", None], dtype=object),
            "bool": pd.Series([True, None], dtype=object),
            "full bool": pd.Series([True, False], dtype=object),
            "date": pd.Series([dt.date(2020, 1, 1), None], dtype=object),
            "none": pd.Series([None, None], dtype=object),
        }
    ),
    "nullable": pd.DataFrame({"i": pd.array([1, None], "Int64"), "b": pd.array([True, None], "boolean")}),
    "arrow dtype": pd.DataFrame({"a": pd.array([1, None], "int64[pyarrow]")}),
    "times": pd.DataFrame(
        {
            "ns": pd.to_datetime(["2020-01-01", None]).as_unit("ns"),
            "s": pd.Series(["2020", "2021"], dtype="M8[s]"),
            "zone": pd.to_datetime(["2020-01-01", None]).tz_localize("Europe/Paris"),
            "offset": pd.to_datetime(["2020-01-01", None]).tz_localize(dt.timezone(dt.timedelta(hours=2))),
            "delta": pd.to_timedelta([1, None]),
            "period": pd.period_range("2020", periods=2, freq="M"),
            "interval": pd.interval_range(0, 2),
        }
    ),
    "categories": pd.DataFrame(
        {
            "ordered": pd.Categorical(["x", None], categories=["z", "x"], ordered=True),
            "numbers": pd.Categorical([1, 2]),
            "times": pd.Categorical(pd.to_datetime(["2020", "2021"])),
        }
    ),
    "categories, no rows": pd.DataFrame({"a": pd.Categorical(["x", "y"])}).iloc[:0],
    "repeated labels": pd.DataFrame([[1, "a"]], columns=["x", "x"]),
    "labels that only look repeated": pd.DataFrame([[1, 2]], columns=[1, 7]).rename(columns={7: 10}),
    "number labels": pd.DataFrame(np.eye(3), columns=[5, 6, 9]),
    "range labels": pd.DataFrame(np.eye(3)),
    "time labels": pd.DataFrame([[1, 2]], columns=pd.date_range("2020", periods=2, name="when")),
    "label levels": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["l", None])),
    "category labels": pd.DataFrame([[1, 2]], columns=pd.CategoricalIndex(["a", "b"])),
    "empty label": pd.DataFrame({"": [1]}),
    "empty": pd.DataFrame(),
    "no rows": pd.DataFrame({"f": pd.Series([], dtype=float), "o": pd.Series([], dtype=object)}),
    "no columns": pd.DataFrame(index=[1, 2, 3]),
    "only a range": pd.DataFrame(index=pd.RangeIndex(3)),
    "text index": _frame(index=["x", "y"]),
    "index named like a column": _frame(index=pd.Index([3, 4], name="a")),
    "column named like an index": pd.DataFrame({"__index_0": [1, 2]}, index=["x", "y"]),
    "range index": _frame(index=pd.RangeIndex(10, 14, 2, name=("tuple", 1))),
    "time index": _frame([1, 2, 3], index=pd.date_range("2020", periods=3, freq="MS", tz="UTC")),
    "delta index": _frame(index=pd.timedelta_range(0, periods=2, freq="h")),
    "index levels": _frame(index=pd.MultiIndex.from_arrays([[1, 2], ["x", None]], names=["i", "j"])),
    "category index": _frame(index=pd.CategoricalIndex(["b", "a"], categories=["b", "a", "c"])),
    "attributes": _with_attrs(),
    "unique labels": _frame().set_flags(allows_duplicate_labels=False),
    "every third row": pd.DataFrame({"a": np.arange(10), "b": list("abcdefghij")}).iloc[::3],
    "several batches": pd.DataFrame({"a": np.arange(200_000) / 7, "b": ["q", None] * 100_000}),
    "series": pd.Series([1, 2], name="x", index=["a", "b"]),
    "series without a name": pd.Series(["a"]),
    "series with a tuple's name": pd.Series([1.5], name=("a", 1)),
    "empty series": pd.Series([], dtype="M8[ns]"),
}


@pytest.mark.parametrize("case", PANDAS)
def test_pandas_comes_back_exactly(case: str) -> None:
    """As Arrow."""
    assert_same_pandas(round_trip(PANDAS[case]), PANDAS[case])


@pytest.mark.parametrize("case", PANDAS)
def test_pandas_comes_back_exactly_from_parquet_or_is_refused(case: str) -> None:
    """Parquet knows neither categories nor whole seconds."""
    if case in {"categories", "categories, no rows", "category index"}:
        with pytest.raises(NotStorable, match="is categorical, and Parquet does not keep categories"):
            round_trip(PANDAS[case], "parquet")
    elif case == "times":
        with pytest.raises(NotStorable) as caught:
            round_trip(PANDAS[case], "parquet")
        assert str(caught.value) == (
            "The column `s` of type `timestamp[s]` would come back from Parquet as `timestamp[ms]`.\n  at: $['s']\n"
            "  fix: leave the format to solidstate, which then uses Arrow, or convert the column"
        )
    else:
        assert_same_pandas(round_trip(PANDAS[case], "parquet"), PANDAS[case])


_NANOSECOND_YEARS = (dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))  # noqa: DTZ001  # hypothesis wants naive bounds
_COLUMNS = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=5, max_size=5),
    st.lists(st.floats(), min_size=5, max_size=5),
    st.lists(st.none() | st.text(), min_size=5, max_size=5).map(lambda v: pd.array(v, "string")),
    st.lists(st.none() | st.integers(0, 9), min_size=5, max_size=5).map(lambda v: pd.array(v, "Int8")),
    st.lists(st.sampled_from("abc"), min_size=5, max_size=5).map(pd.Categorical),
    st.lists(st.datetimes(*_NANOSECOND_YEARS), min_size=5, max_size=5).map(lambda v: pd.to_datetime(v, utc=True)),
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(max_size=4), _COLUMNS, max_size=5), st.lists(st.integers(), min_size=5, max_size=5))
def test_any_pandas_frame_of_these_columns_comes_back(columns: dict[str, Any], index: list[int]) -> None:
    """Whatever values, labels and index."""
    labels = pd.Index([number % 2**63 for number in index], dtype="int64")
    frame = pd.DataFrame(columns, index=range(5)).set_axis(labels)
    assert_same_pandas(round_trip(frame), frame)


@pytest.mark.parametrize("rows", [3, 200_000])
def test_a_solid_may_write_into_a_frame_it_was_given(rows: int) -> None:
    """Small frames too, which could be views of the stored bytes."""
    back = round_trip(pd.DataFrame({"a": np.arange(rows), "b": np.arange(rows) / 2}))
    back.loc[0, "a"] = 7
    back["b"] *= 2
    values = round_trip(pd.Series([1.0, 2.0])).to_numpy(copy=False)
    assert back.loc[0, "a"] == 7
    assert values.base is None or values.base.flags.writeable


MIXED = 'fix: convert it, for example `frame[name] = frame[name].astype("str")`, or keep such values out of frames'
REFUSED: list[tuple[Any, str]] = [
    (
        pd.DataFrame({"ok": [1, 2], "mixed": pd.Series(["x", 1], dtype=object)}),
        "The column `mixed` of dtype `object` holds `int` and `str` values, which Arrow cannot give back as they are.\n"
        f"  at: $\n  {MIXED}",
    ),
    (
        pd.DataFrame({"price": [Decimal("1.0")]}),
        "The column `price` of dtype `object` holds `Decimal` values, which Arrow cannot give back as they are.\n"
        f"  at: $\n  {MIXED}",
    ),
    (
        pd.DataFrame([[1, 2]], columns=["a", 1]),
        "The column axis of dtype `object` holds `int` and `str` values, which Arrow cannot give back as they are.\n"
        f"  at: $\n  {MIXED}",
    ),
    (
        _frame(index=pd.Index([1, "a"])),
        "The index level 0 of dtype `object` holds `int` and `str` values, which Arrow cannot give back as they are.\n"
        f"  at: $\n  {MIXED}",
    ),
    (
        pd.DataFrame({"a": pd.Series([None, nan], dtype=object)}),
        "The column `a` of dtype `object` holds `float` values, which Arrow cannot give back as they are.\n"
        f"  at: $\n  {MIXED}",
    ),
    (
        pd.DataFrame({"c": [1j]}),
        "`DataFrame` cannot be stored in the format `arrow/pandas`: ('Unsupported numpy type 15', 'Conversion failed "
        "for column c with type complex128').\n  at: $\n"
        "  fix: convert the column to another type, or declare the output as a `SolidType` with another codec",
    ),
    (
        pd.DataFrame({"c": pd.Categorical(pd.Series(["a"], dtype=object))}),
        "The column `c` of dtype `CategoricalDtype(categories=['a'], ordered=False, categories_dtype=object)` would "
        "come back as `CategoricalDtype(categories=['a'], ordered=False, categories_dtype=str)`.\n  at: $\n"
        "  fix: convert it to a dtype that Arrow knows",
    ),
    (
        pd.Index([1]),
        "`Index` cannot be stored as a frame or array.\n  at: $\n  fix: return `index.to_series()`, or a frame",
    ),
    (
        pl.LazyFrame({"a": [1]}),
        "`LazyFrame` cannot be stored as a frame or array.\n  at: $\n"
        "  fix: return `frame.collect()`: a lazy frame is a question, not an answer",
    ),
    (
        pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}),
        "The column `o` of type `Object` would come back as `Binary`.\n  at: $['o']\n"
        "  fix: convert the objects to structs",
    ),
    (
        np.array([object()]),
        "An `ndarray` of dtype `object` holds Python objects, which `npy` does not store.\n  at: $\n"
        "  fix: give it a numeric or fixed-width dtype, or return `array.tolist()`",
    ),
    (
        np.ma.masked_array([1], [True]),
        "`MaskedArray` is a subclass of `numpy.ndarray` and holds more than its storage format keeps.\n  at: $\n"
        "  fix: return a plain `numpy.ndarray`, or declare the output as a `SolidType` with a codec of your own",
    ),
    (
        np.float64(1.5),
        "`float64` has no self-describing storage format.\n  at: $\n"
        "  fix: return a plain number with `.item()`, or an array as an output of its own",
    ),
    (
        {"frame": _frame()},
        "`DataFrame` has no self-describing storage format (at `$.frame`).\n  at: $.frame\n"
        "  fix: make it an output of its own: frames are stored alone, not inside other values",
    ),
]


@pytest.mark.parametrize(("value", "text"), REFUSED, ids=lambda part: type(part).__name__)
def test_what_would_not_come_back_is_refused(value: Any, text: str) -> None:
    """Naming the column, and one way out."""
    with pytest.raises(NotStorable) as caught:
        round_trip(value)
    assert str(caught.value) == text


POLARS = pl.DataFrame(
    {
        "cat": pl.Series(["a", None], dtype=pl.Categorical),
        "enum": pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])),
        "decimal": pl.Series([1, 2], dtype=pl.Decimal(10, 2)),
        "list": [[1], [2, 3]],
        "struct": [{"x": 1}, {"x": None}],
        "time": pl.Series([1, 2], dtype=pl.Datetime("ns", "Europe/Paris")),
        "null": [None, None],
        "array": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int8, 2)),
        "bytes": [b"x", None],
        "nan": [float("nan"), None],
        "": [1, 2],
    }
)


@pytest.mark.parametrize("asked", [None, "parquet"])
@pytest.mark.parametrize("frame", [POLARS, POLARS.clear(), pl.DataFrame()], ids=["rows", "no rows", "nothing"])
def test_polars_comes_back_exactly(frame: pl.DataFrame, asked: str | None) -> None:
    """Types, order and values, as Arrow and as Parquet."""
    back = round_trip(frame, asked)
    assert back.schema == frame.schema
    assert back.equals(frame, null_equal=True)
    for column in frame.get_columns():
        series = round_trip(column, asked)
        assert (series.name, series.dtype) == (column.name, column.dtype)
        assert series.equals(column, null_equal=True)


@pytest.mark.parametrize("asked", [None, "parquet"])
def test_a_pyarrow_table_comes_back_exactly(asked: str | None) -> None:
    """Types, nulls and metadata."""
    table = pa.table({"a": [1, None], "b": [["x"], []]}).replace_schema_metadata({"k": "v"})
    assert round_trip(table, asked).equals(table, check_metadata=asked is None)
    assert round_trip(table.slice(0, 0), asked).schema.equals(table.schema)


ARRAYS = [
    np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array(3.5), np.zeros((0, 3)),
    np.array(["2020", "NaT"], "M8[ns]"), np.array(["ab", "é"]), np.arange(10)[::3], np.array([(1, 2.0)], "i4,f8"),
    np.array([True]), np.arange(3, dtype=">i4"), np.array([nan, 1j]),
]  # fmt: skip


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_an_array_comes_back_exactly_and_writable(array: Any) -> None:
    """Shape, dtype, byte order, memory order; readable by numpy itself."""
    file = io.BytesIO()
    codec_for(array).encode(array, file)
    np.testing.assert_array_equal(np.load(io.BytesIO(file.getvalue()), allow_pickle=False), array)
    back = codec_named("npy").decode(file.getvalue())
    assert isinstance(back, np.ndarray)
    np.testing.assert_array_equal(back, array)
    assert (back.dtype, back.shape, back.flags.writeable) == (array.dtype, array.shape, True)
    assert back.flags.f_contiguous == np.array(array, order="K").flags.f_contiguous


def test_an_array_that_hides_objects_is_not_read() -> None:
    """A file whose header declares objects would be unpickled by a careless reader."""
    file = io.BytesIO()
    np.save(file, np.array([{}]), allow_pickle=True)
    with pytest.raises(Exception, match=r"^The stored bytes are not `npy`: "):
        codec_named("npy").decode(file.getvalue())
