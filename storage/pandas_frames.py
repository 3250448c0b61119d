"""pandas frames and series as Arrow tables, exactly: index, labels, dtypes and all, or refused.

Arrow has columns with names and no more. What pandas has beside that (the index, labels that are numbers, tuples or
repeated, names, attributes) travels in the table's metadata; the index's values travel as columns. Whether every dtype
survives is tried on no rows at all, before anything large is written. pandas and pyarrow ship no types, hence ``Any``.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from solidstate.errors import NotStorable
from solidstate.storage import arrow_files
from solidstate.storage.plain_values import decode_plain, encode_plain

METADATA = b"solidstate.pandas"
_OBJECTS = ({str}, {bytes}, {bool}, {dt.date})
"""What an object column may hold beside None: kinds that Arrow gives back as they were."""


def to_arrow(value: Any, layout: str) -> Any:
    """A ``pyarrow.Table`` that :func:`from_arrow` turns into the same ``DataFrame`` or ``Series``; numeric columns are
    not copied. Raises ``NotStorable`` naming the column, for "parquet" also for categories."""
    import pandas as pd
    import pyarrow as pa

    is_series = isinstance(value, pd.Series)
    frame = value.to_frame(name=0) if is_series else value
    index, levels = _split_index(frame.index)
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
    labels = [str(label) for label in frame.columns]
    for label, column in zip(labels, columns, strict=True):
        _check_column(f"column `{label}`", column.dtype, column, layout)
    for number, level in enumerate(levels):
        _check_column(f"index level {number}", level.dtype, level, layout)
    if len(set(labels)) != len(labels):
        labels = [f"{label}#{i}" for i, label in enumerate(labels)]
    names = labels + _index_names(labels, len(levels))
    flat = dict(zip(names, [column.reset_index(drop=True) for column in (*columns, *levels)], strict=True))
    body = pd.DataFrame(flat, index=pd.RangeIndex(len(frame)), copy=False)
    table = pa.Table.from_pandas(body, preserve_index=False, nthreads=1)
    objects = [i for i, column in enumerate((*columns, *levels)) if column.dtype == object]
    facts = {
        "series": [value.name] if is_series else None,
        "rows": len(frame),
        "width": len(columns),
        "objects": objects,
        "index": index,
        "labels": None if is_series else _write_labels(frame.columns),
        "attrs": dict(value.attrs),
        "duplicates": value.flags.allows_duplicate_labels,
    }
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), METADATA: encode_plain(facts)})
    _try_on_no_rows(value.iloc[:0], table)
    return table


def from_arrow(table: Any) -> Any:
    """The ``DataFrame`` or ``Series``, writable. Uses the table up: the caller must not touch it again."""
    import pandas as pd

    facts = decode_plain(table.schema.metadata[METADATA])
    # One allocation per column, and the table's memory is given back column by column: a large frame is there once.
    body = table.to_pandas(split_blocks=True, self_destruct=True, use_threads=False)
    del table
    columns = [_restored(body.iloc[:, i], as_object=i in facts["objects"]) for i in range(body.shape[1])]
    del body
    index = _join_index(facts["index"], columns[facts["width"] :], facts["rows"])
    if facts["series"] is not None:
        value: Any = columns[0].set_axis(index)
        value.name = facts["series"][0]
    else:
        value = pd.DataFrame(dict(enumerate(columns[: facts["width"]])), index=columns[0].index if columns else None, copy=False)  # fmt: skip
        value = value.set_axis(index, axis=0) if columns else pd.DataFrame(index=index)
        value.columns = _read_labels(facts["labels"])
    value.attrs = facts["attrs"]
    return value if facts["duplicates"] else value.set_flags(allows_duplicate_labels=False)


def _check_column(where: str, dtype: Any, values: Any, layout: str) -> None:
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        if layout == "parquet":
            raise _refused(where, "is categorical, and Parquet does not keep categories", "leave the format to solidstate")
        where, dtype, values = f"categories of the {where}", dtype.categories.dtype, dtype.categories
    if dtype != object:
        return
    kinds = set(map(type, values)) - {type(None)}
    if kinds and kinds not in _OBJECTS:
        found = ", ".join(sorted(f"`{kind.__name__}`" for kind in kinds))
        hint = "convert it, for example `frame[name] = frame[name].astype(\"str\")`, or keep such values out of frames"
        raise _refused(where, f"has dtype `object` and holds {found}, which Arrow does not keep apart", hint)


def _refused(where: str, why: str, hint: str) -> NotStorable:
    return NotStorable(f"The {where} {why}.", subject=where, path="$", hint=hint)


def _split_index(index: Any) -> tuple[dict[str, Any], list[Any]]:
    """What is not in the values, and the values: one series per level."""
    import pandas as pd

    if type(index) is pd.RangeIndex:
        return {"range": [index.start, index.stop, index.step], "names": list(index.names)}, []
    freq = getattr(index, "freqstr", None) if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    facts = {"names": list(index.names), "multi": isinstance(index, pd.MultiIndex), "freq": freq}
    levels = [index.get_level_values(i) for i in range(index.nlevels)]
    return facts, [pd.Series(level.array, dtype=level.dtype, copy=False) for level in levels]


def _join_index(facts: dict[str, Any], levels: list[Any], rows: int) -> Any:
    import pandas as pd

    if "range" in facts:
        return pd.RangeIndex(*facts["range"], name=facts["names"][0])
    if facts["multi"]:
        indexes = [pd.Index(level.array, dtype=level.dtype) for level in levels]
        return pd.MultiIndex.from_arrays(indexes, names=facts["names"])
    index = pd.Index(levels[0].array, dtype=levels[0].dtype, name=facts["names"][0])
    if facts["freq"] is not None:
        index = type(index)(index, freq=facts["freq"])
    return index


def _index_names(taken: list[str], count: int) -> list[str]:
    prefix = "__index_"
    while any(name.startswith(prefix) for name in taken):
        prefix = "_" + prefix
    return [f"{prefix}{i}" for i in range(count)]


def _write_labels(labels: Any) -> Any:
    """The column axis, as facts when it is a range and as a stored frame of its own otherwise."""
    import pandas as pd

    facts, levels = _split_index(labels)
    if not levels:
        return [facts, None]
    for level in levels:
        if level.dtype == object:
            _check_column("column labels", level.dtype, level, "arrow")
    frame = pd.DataFrame(dict(enumerate(levels)), columns=pd.RangeIndex(len(levels)))
    file = io.BytesIO()
    arrow_files.write(to_arrow(frame, "arrow"), "arrow", file)
    return [facts, file.getvalue()]


def _read_labels(stored: Any) -> Any:
    facts, data = stored
    if data is None:
        return _join_index(facts, [], 0)
    frame = from_arrow(arrow_files.read(data, "arrow"))
    return _join_index(facts, [frame.iloc[:, i] for i in range(frame.shape[1])], len(frame))


def _restored(column: Any, *, as_object: bool) -> Any:
    if as_object:
        objects = column.astype(object)
        return objects.where(objects.notna(), None)
    values = column.array
    flags = getattr(getattr(values, "_ndarray", None), "flags", None)
    # A small column may still be a read-only view of the stored bytes; a solid may write into what it was given.
    return column if flags is None or flags.writeable else column.copy()


def _try_on_no_rows(empty: Any, table: Any) -> None:
    import pandas as pd

    facts = decode_plain(table.schema.metadata[METADATA])
    if "range" in facts["index"]:
        facts["index"]["range"] = [empty.index.start, empty.index.stop, empty.index.step]
    facts["rows"] = 0
    facts["index"]["freq"] = None  # belongs to the values
    metadata = {**table.schema.metadata, METADATA: encode_plain(facts)}
    back = from_arrow(table.slice(0, 0).replace_schema_metadata(metadata))
    if isinstance(empty, pd.Series):
        empty, back = empty.to_frame(name=0), back.to_frame(name=0)
    if not (type(back.columns) is type(empty.columns) and back.columns.identical(empty.columns)):
        raise _refused("column axis", f"of type `{type(empty.columns).__name__}` would change", "use plain labels")
    for i, label in enumerate(empty.columns):
        _same_dtype(f"column `{label}`", empty.iloc[:, i].dtype, back.iloc[:, i].dtype)
    for number in range(empty.index.nlevels):
        was, now = (axis.get_level_values(number).dtype for axis in (empty.index, back.index))
        _same_dtype(f"index level {number}", was, now)


def _same_dtype(where: str, was: Any, now: Any) -> None:
    if was != now:
        hint = "convert it to a dtype that Arrow knows"
        raise _refused(where, f"of dtype `{was}` would come back as `{now}`", hint)
