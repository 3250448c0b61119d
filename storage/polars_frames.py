"""polars frames in polars' own Arrow IPC or Parquet; needs no pyarrow."""

from __future__ import annotations

import io
from typing import Any, cast

from solidstate.errors import NotStorable
from solidstate.storage.store import ObjectWriter


def write(value: Any, layout: str, sink: ObjectWriter) -> None:
    """Write a ``polars.DataFrame`` or ``Series``; raises ``NotStorable`` when a column's type would change."""
    import polars as pl

    frame = value.to_frame() if isinstance(value, pl.Series) else value
    trial = io.BytesIO()
    _dump(frame.clear(), layout, trial)
    back = _load(trial.getvalue(), layout)
    for name, dtype in frame.schema.items():
        if back.schema.get(name) != dtype:
            raise NotStorable(
                f"The column `{name}` of type `{dtype}` would come back as `{back.schema.get(name)}`.",
                subject=name,
                path=f"$[{name!r}]",
                hint="convert the column to another type" if dtype != pl.Object else "convert the objects to structs",
            )
    _dump(frame, layout, cast(io.BytesIO, sink))


def read(data: bytes | bytearray | memoryview, layout: str, *, series: bool) -> Any:
    """A ``polars.DataFrame``, or the ``Series`` that was its only column."""
    frame = _load(data, layout)
    return frame.to_series(0) if series else frame


def _dump(frame: Any, layout: str, file: io.BytesIO) -> None:
    if layout == "parquet":
        frame.write_parquet(file, compression="zstd")
    else:
        frame.write_ipc_stream(file, compression="zstd")


def _load(data: bytes | bytearray | memoryview, layout: str) -> Any:
    import polars as pl

    source = data if isinstance(data, bytes) else bytes(data)
    return pl.read_parquet(source) if layout == "parquet" else pl.read_ipc_stream(source)
