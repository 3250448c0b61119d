"""pandas frames and series as Arrow tables, exactly: index, labels, dtypes and all, or refused.

Arrow has columns with names and no more. What pandas has beside that (the index, labels that are numbers, tuples or
repeated, names, attributes) travels in the table's metadata; the index's values travel as columns. Whether every dtype
survives is tried on no rows at all, before anything large is written. pandas and pyarrow ship no types, hence ``Any``.
"""

from __future__ import annotations

import datetime as dt
import io
import math
from collections.abc import Iterable
from typing import Any

from solidstate.errors import IntermediateError, NotStorable
from solidstate.storage import arrow_files
from solidstate.storage.frame_libraries import pandas, pyarrow
from solidstate.storage.plain_values import decode_plain, encode_plain

NAN = float("nan")
METADATA = b"solidstate.pandas"
_OBJECTS = ({str}, {bytes}, {bool}, {dt.date})
"""What an object column may hold beside missing values: kinds that Arrow gives back as they were."""
_MIXED = object()


def to_arrow(value: Any, layout: str) -> Any:
    """A ``pyarrow.Table`` that :func:`from_arrow` turns into the same ``DataFrame`` or ``Series``; numeric columns are
    not copied. Raises ``NotStorable`` naming the column, for "parquet" also for categories."""
    pd, pa = pandas(), pyarrow()
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
    everything = (*columns, *levels)
    objects = [[i, _missing_marker(column)] for i, column in enumerate(everything) if _is_object(column.dtype)]
    facts = {
        "series": [value.name] if is_series else None,
        "rows": len(frame),
        "width": len(columns),
        "objects": objects,
        "strings": [[i, *kind] for i, column in enumerate(everything) if (kind := _string_kind(column.dtype))],
        "index": index,
        "labels": None if is_series else _write_labels(frame.columns),
        "attrs": dict(value.attrs),
        "duplicates": value.flags.allows_duplicate_labels,
    }
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), METADATA: encode_plain(facts)})
    _try_on_no_rows(value.iloc[:0], table)
    return table


def from_arrow(schema: Any, batches: Iterable[Any]) -> Any:
    """The ``DataFrame`` or ``Series``, of memory of its own. Unpacked batch by batch, a large frame is there once."""
    pd = pandas()
    facts = decode_plain(schema.metadata[METADATA])
    columns = _columns(schema, batches, facts["rows"], {i for i, _ in facts["objects"]})
    for i, marker in facts["objects"]:
        values = columns[i].astype(object)
        columns[i] = values.where(values.notna(), marker)
    for i, storage, nan in facts["strings"]:
        columns[i] = columns[i].astype(pd.StringDtype(storage, na_value=NAN if nan else pd.NA))
    index = _join_index(facts["index"], columns[facts["width"] :])
    if facts["series"] is not None:
        value: Any = columns[0].set_axis(index)
        value.name = facts["series"][0]
    else:
        rows = pd.RangeIndex(facts["rows"])
        value = pd.DataFrame(dict(enumerate(columns[: facts["width"]])), index=rows, copy=False).set_axis(index)
        value.columns = _read_labels(facts["labels"])
    value.attrs = facts["attrs"]
    return value if facts["duplicates"] else value.set_flags(allows_duplicate_labels=False)


def _check_column(where: str, dtype: Any, values: Any, layout: str) -> None:
    pd = pandas()
    if isinstance(dtype, pd.CategoricalDtype):
        if layout == "parquet":
            raise _refused(
                where, "is categorical, and Parquet does not keep categories", "leave the format to solidstate"
            )
        where, dtype, values = f"categories of the {where}", dtype.categories.dtype, dtype.categories
    if not _is_object(dtype):
        return
    if _missing_marker(values) is _MIXED:
        kinds: set[type[Any]] = {type(value) for value in values if value is not None}
        found = " and ".join(sorted(f"`{kind.__name__}`" for kind in kinds))
        hint = 'convert it, for example `frame[name] = frame[name].astype("str")`, or keep such values out of frames'
        raise _refused(where, f"of dtype `object` holds {found} values, which Arrow cannot give back as they are", hint)


def _is_object(dtype: Any) -> bool:
    return getattr(dtype, "char", "") == "O"


def _missing_marker(values: Any) -> Any:
    """What stands for a missing value in an object column that Arrow can give back: None or NaN, one of them, among
    values of one kind. ``_MIXED`` when the column is anything else."""
    marker: float | None = None
    present: set[type[Any]] = set()
    for value in values:
        if value is None:
            continue
        if type(value) is float and math.isnan(value):
            marker = NAN
        else:
            present.add(type(value))
    no_gap = marker is None or not any(value is None for value in values)
    return marker if no_gap and (present in _OBJECTS or (not present and marker is None)) else _MIXED


def _refused(where: str, why: str, hint: str) -> NotStorable:
    return NotStorable(f"The {where} {why}.", subject=where, path="$", hint=hint)


def _split_index(index: Any) -> tuple[dict[str, Any], list[Any]]:
    """What is not in the values, and the values: one series per level."""
    pd = pandas()
    if type(index) is pd.RangeIndex:
        return {"range": [index.start, index.stop, index.step], "names": list(index.names)}, []
    freq = getattr(index, "freqstr", None) if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    facts = {"names": list(index.names), "multi": isinstance(index, pd.MultiIndex), "freq": freq}
    levels = [index.get_level_values(i) for i in range(index.nlevels)]
    return facts, [pd.Series(level.array, dtype=level.dtype, copy=False) for level in levels]


def _join_index(facts: dict[str, Any], levels: list[Any]) -> Any:
    pd = pandas()
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
    pd = pandas()
    facts, levels = _split_index(labels)
    if not levels:
        return [facts, None]
    for level in levels:
        if _is_object(level.dtype):
            _check_column("column axis", level.dtype, level, "arrow")
    frame = pd.DataFrame(dict(enumerate(levels)), columns=pd.RangeIndex(len(levels)))
    file = io.BytesIO()
    arrow_files.write(to_arrow(frame, "arrow"), "arrow", file)
    return [facts, file.getvalue()]


def _read_labels(stored: Any) -> Any:
    facts, data = stored
    if data is None:
        return _join_index(facts, [])
    frame = from_arrow(*arrow_files.read_batches(data, "arrow"))
    return _join_index(facts, [frame.iloc[:, i] for i in range(frame.shape[1])])


def _string_kind(dtype: Any) -> list[Any]:
    """Which of pandas' four kinds of text this is: they share one name. Empty for other dtypes."""
    pd = pandas()
    return [dtype.storage, dtype.na_value is not pd.NA] if type(dtype) is pd.StringDtype else []


def _columns(schema: Any, batches: Iterable[Any], rows: int, objects: set[int]) -> list[Any]:
    """Each column as a series. Those of plain numbers and times are filled in place; the others are put together."""
    import numpy as np

    pd = pandas()
    none = schema.empty_table().to_pandas()
    dtypes = list(none.dtypes)
    plain = [
        i
        for i, dtype in enumerate(dtypes)
        if isinstance(dtype, np.dtype) and not _is_object(dtype) and i not in objects
    ]
    in_place = {i: np.empty(rows, dtypes[i]) for i in plain}
    parts: dict[int, list[Any]] = {i: [] for i in range(len(dtypes)) if i not in in_place}
    done = 0
    for batch in batches:
        piece = batch.to_pandas(use_threads=False)
        for i, values in in_place.items():
            if piece.dtypes.iloc[i] != dtypes[i]:
                raise IntermediateError(f"The stored column {i} has rows of another type than `{dtypes[i]}`.")
            values[done : done + len(piece)] = piece.iloc[:, i].to_numpy()
        for i, pieces in parts.items():
            pieces.append(piece.iloc[:, i])
        done += batch.num_rows
        del batch, piece  # or it would stay until the next one is unpacked
    if dtypes and done != rows:
        raise IntermediateError(f"The stored frame should have {rows:,} rows and has {done:,}.")
    return [
        pd.Series(in_place[i], copy=False) if i in in_place else _together(parts[i] or [none.iloc[:, i]])
        for i in range(len(dtypes))
    ]


def _together(pieces: list[Any]) -> Any:
    pd = pandas()
    return pd.concat(pieces, ignore_index=True) if len(pieces) > 1 else pieces[0].copy()


def _try_on_no_rows(empty: Any, table: Any) -> None:
    pd = pandas()
    facts = decode_plain(table.schema.metadata[METADATA])
    if "range" in facts["index"]:
        facts["index"]["range"] = [empty.index.start, empty.index.stop, empty.index.step]
    facts["rows"] = 0
    facts["index"]["freq"] = None  # belongs to the values
    metadata = {**table.schema.metadata, METADATA: encode_plain(facts)}
    back = from_arrow(table.schema.with_metadata(metadata), arrow_files.batches_of(table.slice(0, 0)))
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
        if str(was) == str(now):
            was, now = repr(was), repr(now)
        raise _refused(where, f"of dtype `{was}` would come back as `{now}`", hint)
