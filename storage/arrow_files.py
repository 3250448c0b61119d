"""Arrow tables as bytes: an IPC stream, or Parquet.

The stream is compressed with zstd: a network moves fewer bytes per second than one core packs. pyarrow ships no types,
hence ``Any``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from solidstate.errors import NotStorable
from solidstate.storage.frame_libraries import parquet, pyarrow
from solidstate.storage.store import ObjectWriter

BATCH_BYTES = 4 * 1024 * 1024
"""How much is packed and unpacked at a time; bounds what is in memory beside the table."""
BATCH_ROWS = 64 * 1024
"""At most so many rows at a time, however small they are."""


def write(table: Any, layout: str, sink: ObjectWriter) -> None:
    """Write a ``pyarrow.Table`` as "arrow" or "parquet"; raises ``NotStorable`` when Parquet would change a type."""
    pa = pyarrow()
    if layout == "parquet":
        _write_parquet(table, sink)
        return
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        for batch in batches_of(table):
            writer.write_batch(batch)


def batches_of(table: Any) -> list[Any]:
    """At least one batch, though it be empty: categories travel with batches, not with the schema."""
    pa = pyarrow()
    if table.num_rows:
        rows = BATCH_BYTES * table.num_rows // max(table.nbytes, 1)
        batches: list[Any] = table.to_batches(max_chunksize=min(max(rows, 1), BATCH_ROWS))
        return batches
    empty = [column.chunk(0) if column.num_chunks else pa.array([], column.type) for column in table.columns]
    return [pa.RecordBatch.from_arrays(empty, schema=table.schema)]


def read(data: bytes | bytearray | memoryview, layout: str) -> Any:
    """A ``pyarrow.Table``; uncompressed parts of it are views of ``data``."""
    pa = pyarrow()
    if layout == "parquet":
        pq = parquet()
        return pq.read_table(pa.BufferReader(pa.py_buffer(data)))
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        return reader.read_all()


def read_batches(data: bytes | bytearray | memoryview, layout: str) -> tuple[Any, Iterator[Any]]:
    """The schema, and the same table batch by batch: only one is unpacked at a time."""
    pa = pyarrow()
    if layout == "parquet":
        pq = parquet()
        file = pq.ParquetFile(pa.BufferReader(pa.py_buffer(data)))
        return file.schema_arrow, file.iter_batches(batch_size=BATCH_ROWS)
    reader = pa.ipc.open_stream(pa.py_buffer(data))
    return reader.schema, iter(reader)


def _write_parquet(table: Any, sink: ObjectWriter) -> None:
    pq = parquet()
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
