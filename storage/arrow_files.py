"""Arrow tables as bytes: an IPC stream, or Parquet.

The stream is compressed with zstd: a network moves fewer bytes per second than one core packs. pyarrow ships no types,
hence ``Any``.
"""

from __future__ import annotations

import io
from typing import Any

from solidstate.errors import NotStorable
from solidstate.storage.store import ObjectWriter

BATCH_ROWS = 64 * 1024
"""Rows written at a time; bounds what is in memory beside the table."""


def write(table: Any, layout: str, sink: ObjectWriter) -> None:
    """Write a ``pyarrow.Table`` as "arrow" or "parquet"; raises ``NotStorable`` when Parquet would change a type."""
    import pyarrow as pa

    if layout == "parquet":
        _write_parquet(table, sink)
        return
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=BATCH_ROWS)


def read(data: bytes | bytearray | memoryview, layout: str) -> Any:
    """A ``pyarrow.Table``; uncompressed parts of it are views of ``data``."""
    import pyarrow as pa

    source = pa.BufferReader(pa.py_buffer(data))
    if layout == "parquet":
        import pyarrow.parquet as pq

        return pq.read_table(source)
    with pa.ipc.open_stream(source) as reader:
        return reader.read_all()


def _write_parquet(table: Any, sink: ObjectWriter) -> None:
    import pyarrow.parquet as pq

    # What Parquet does to types shows on no rows at all, before anything large is written.
    trial = io.BytesIO()
    pq.write_table(table.slice(0, 0), trial)
    back = pq.read_table(io.BytesIO(trial.getvalue())).schema
    for field in table.schema:
        if back.field(field.name).type != field.type:
            raise NotStorable(
                f"The column `{field.name}` of type `{field.type}` would come back from Parquet as "
                f"`{back.field(field.name).type}`.",
                subject=field.name,
                path=f"$[{field.name!r}]",
                hint="leave the format to solidstate, which then uses Arrow, or convert the column",
            )
    pq.write_table(table, sink, compression="zstd", row_group_size=BATCH_ROWS * 8)
