"""Frames from and to files: CSV, Parquet and JSON, for pandas, polars and pyarrow, where a run request says.

What a frame type declares as text is read as text (``007`` stays so), and what it declares as a date or a point in time
is read as one. A pandas index is not written. A file appears at once and whole: it is made in memory first, because
what is left half written on S3 would be a file like any other.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from solidstate.events import Materialization
from solidstate.type_options import TypeContext


class CsvFile(msgspec.Struct, frozen=True):
    """Text with one row a line, names in the first."""

    path: str
    separator: str = ","


class ParquetFile(msgspec.Struct, frozen=True):
    """A Parquet file."""

    path: str


class JsonFile(msgspec.Struct, frozen=True):
    """A list of objects; with ``lines``, one object a line."""

    path: str
    lines: bool = False


FORMATS: dict[str, type[msgspec.Struct]] = {"csv": CsvFile, "parquet": ParquetFile, "json": JsonFile}
Kinds = Mapping[str, str]
_TEMPORAL = ("datetime", "date")


def loader(library: str, name: str, kinds: Kinds) -> tuple[type[msgspec.Struct], Callable[[TypeContext, Any], Any]]:
    """How a frame type reads one format. ``kinds`` are the declared kinds of columns."""

    def load(context: TypeContext, config: Any) -> Any:
        with context.open(config.path) as file:
            data = file.read()
        return _READERS[library](name, data, config, kinds)

    return FORMATS[name], load


def materializer(
    library: str, name: str
) -> tuple[type[msgspec.Struct], Callable[[TypeContext, Any, Any], Materialization]]:
    """How a frame type writes one format."""

    def materialize(context: TypeContext, config: Any, value: Any) -> Materialization:
        buffer = io.BytesIO()
        _WRITERS[library](name, buffer, config, value)
        size = buffer.tell()
        with context.open(config.path, "wb") as file:
            file.write(buffer.getbuffer())
        return Materialization(context.name, config.path, metadata={"format": name, "rows": len(value), "bytes": size})

    return FORMATS[name], materialize


def _of(kinds: Kinds, *wanted: str) -> list[str]:
    return [column for column, kind in kinds.items() if kind in wanted]


def _records(data: bytes, config: JsonFile) -> Any:
    return msgspec.json.Decoder().decode_lines(data) if config.lines else msgspec.json.decode(data)


def _read_pandas(name: str, data: bytes, config: Any, kinds: Kinds) -> Any:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]  # ships no types

    file = io.BytesIO(data)
    if name == "parquet":
        return pd.read_parquet(file)
    if name == "csv":
        texts = dict.fromkeys(_of(kinds, "str", *_TEMPORAL), "str")
        frame = pd.read_csv(file, sep=config.separator, dtype=texts)
    else:
        frame = pd.DataFrame(_records(data, config))  # read_json would guess at types and dates
    for column in _of(kinds, *_TEMPORAL):
        if column in frame.columns:
            moments = pd.to_datetime(frame[column])
            frame[column] = moments if kinds[column] == "datetime" else _days(moments)
    return frame


def _days(moments: Any) -> Any:
    """Dates are objects to pandas."""
    days = moments.dt.date.astype(object)
    return days.where(moments.notna(), None)


def _write_pandas(name: str, file: io.BytesIO, config: Any, frame: Any) -> None:
    if name == "parquet":
        frame.to_parquet(file, index=False)
    elif name == "csv":
        frame.to_csv(file, index=False, sep=config.separator)
    else:
        frame.to_json(file, orient="records", lines=config.lines, date_format="iso")


def _read_polars(name: str, data: bytes, config: Any, kinds: Kinds) -> Any:
    import polars as pl

    if name == "parquet":
        return pl.read_parquet(data)
    if name == "csv":
        header = pl.read_csv(data, separator=config.separator, n_rows=0).columns
        texts = {column: pl.String() for column in _of(kinds, "str", *_TEMPORAL) if column in header}
        frame = pl.read_csv(data, separator=config.separator, schema_overrides=texts, infer_schema_length=None)
    else:
        frame = pl.read_ndjson(data) if config.lines else pl.read_json(data)
    for column in _of(kinds, *_TEMPORAL):
        if column in frame.columns and frame.schema[column] == pl.String:
            text = pl.col(column).str
            frame = frame.with_columns(text.to_datetime() if kinds[column] == "datetime" else text.to_date())
    return frame


def _write_polars(name: str, file: io.BytesIO, config: Any, frame: Any) -> None:
    if name == "parquet":
        frame.write_parquet(file)
    elif name == "csv":
        frame.write_csv(file, separator=config.separator)
    elif config.lines:
        frame.write_ndjson(file)
    else:
        frame.write_json(file)


def _read_pyarrow(name: str, data: bytes, config: Any, kinds: Kinds) -> Any:
    import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]  # ships no types

    if name == "parquet":
        import pyarrow.parquet as pq  # pyright: ignore[reportMissingTypeStubs]  # ships no types

        return pq.read_table(io.BytesIO(data))
    if name == "csv":
        from pyarrow import csv  # pyright: ignore[reportMissingTypeStubs]  # ships no types

        types = {column: pa.string() for column in _of(kinds, "str")}
        types |= {column: pa.timestamp("us") for column in _of(kinds, "datetime")}
        return csv.read_csv(
            io.BytesIO(data),
            parse_options=csv.ParseOptions(delimiter=config.separator),
            convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True),
        )
    table = pa.Table.from_pylist(_records(data, config))
    for column in _of(kinds, *_TEMPORAL):
        place = table.schema.get_field_index(column)
        if place >= 0 and pa.types.is_string(table.schema.field(place).type):
            wanted = pa.timestamp("us") if kinds[column] == "datetime" else pa.date32()
            table = table.set_column(place, column, table.column(place).cast(wanted))
    return table


def _write_pyarrow(name: str, file: io.BytesIO, config: Any, table: Any) -> None:
    if name == "parquet":
        import pyarrow.parquet as pq  # pyright: ignore[reportMissingTypeStubs]  # ships no types

        pq.write_table(table, file)
    elif name == "csv":
        from pyarrow import csv  # pyright: ignore[reportMissingTypeStubs]  # ships no types

        csv.write_csv(table, file, csv.WriteOptions(delimiter=config.separator))
    elif config.lines:
        file.write(msgspec.json.Encoder().encode_lines(table.to_pylist()))
    else:
        file.write(msgspec.json.encode(table.to_pylist()))


_READERS = {"pandas": _read_pandas, "polars": _read_polars, "pyarrow": _read_pyarrow}
_WRITERS = {"pandas": _write_pandas, "polars": _write_polars, "pyarrow": _write_pyarrow}
