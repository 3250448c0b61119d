"""Frames and arrays as storage formats, without importing the libraries they come from.

A value is recognised by the names in its type's ancestry: when nobody imported pandas, nothing can be a pandas frame.
The libraries are imported when such a value is written or read. A subclass (a GeoDataFrame, a masked array) carries
more than its base can store and is refused.
"""

from __future__ import annotations

from typing import Any

import msgspec

from solidstate.errors import IntermediateError, NotStorable, SolidstateError
from solidstate.storage.store import ObjectWriter

Buffer = bytes | bytearray | memoryview

# package and class name -> what it is called in a format's name
_KINDS = {
    ("pandas", "DataFrame"): "pandas",
    ("pandas", "Series"): "pandas-series",
    ("polars", "DataFrame"): "polars",
    ("polars", "Series"): "polars-series",
    ("pyarrow", "Table"): "pyarrow",
    ("numpy", "ndarray"): "npy",
}
# package and class name -> the way out
_NEARLY = {
    ("pandas", "Index"): "return `index.to_series()`, or a frame",
    ("polars", "LazyFrame"): "return `frame.collect()`: a lazy frame is a question, not an answer",
    ("polars", "Expr"): "return the frame that comes of it",
    ("pyarrow", "RecordBatch"): "return `pyarrow.Table.from_batches([batch])`",
    ("pyarrow", "ChunkedArray"): "return a `pyarrow.table` with one column",
    ("pyarrow", "Array"): "return a `pyarrow.table` with one column",
    ("pyarrow", "RecordBatchReader"): "return `reader.read_all()`",
}


def is_frame(value: object) -> bool:
    """Whether this module is responsible: a frame, series or array of a known library, or something close to it."""
    if type(value).__module__ == "builtins":
        return False
    return any(identity in _KINDS or identity in _NEARLY for identity in _ancestry(value))


def frame_codec(value: object, asked: str = "") -> FrameCodec:
    """The format for a frame, series or array; ``asked`` is "arrow", "parquet", "npy" or "" for the default.

    Raises ``NotStorable`` for what is no exact frame, and for a format that does not fit it."""
    ancestry = _ancestry(value)
    kind = _KINDS.get(ancestry[0])
    name = type(value).__name__
    if kind is None:
        base = next((f"{package}.{cls}" for package, cls in ancestry if (package, cls) in _KINDS), None)
        if base is not None:
            raise NotStorable(
                f"`{name}` is a subclass of `{base}` and holds more than its storage format keeps.",
                subject=name,
                path="$",
                hint=f"return a plain `{base}`, or declare the output as a `SolidType` with a codec of your own",
            )
        hint = next((_NEARLY[identity] for identity in ancestry if identity in _NEARLY), "")
        raise NotStorable(
            f"`{name}` cannot be stored as a frame or array.",
            subject=name,
            path="$",
            hint=hint or "leave the format to solidstate",
        )
    if kind == "npy":
        recorded = "npy" if asked in {"", "npy"} else ""
    else:
        recorded = f"{asked or 'arrow'}/{kind}" if asked != "npy" else ""
    if recorded not in FRAME_CODECS:
        raise NotStorable(
            f"`{name}` cannot be stored in the format `{asked}`.",
            subject=name,
            path="$",
            hint="leave the format to solidstate",
        )
    return FRAME_CODECS[recorded]


class FrameCodec(msgspec.Struct, frozen=True):
    """One library's frames in one format, such as ``parquet/polars``."""

    name: str

    def encode(self, value: object, sink: ObjectWriter, /) -> None:
        layout, _, kind = self.name.partition("/")
        try:
            _encode(value, layout, kind, sink)
        except (SolidstateError, OSError):
            raise
        except Exception as error:  # each library has its own ways to say that it cannot
            raise NotStorable(
                f"`{type(value).__name__}` cannot be stored in the format `{self.name}`: {_said(error)}.",
                subject=type(value).__name__,
                path="$",
                hint="convert the column to another type, or declare the output as a `SolidType` with another codec",
            ) from error

    def decode(self, data: Buffer, /) -> object:
        layout, _, kind = self.name.partition("/")
        try:
            return _decode(data, layout, kind)
        except SolidstateError:
            raise
        except ImportError as error:
            package = kind.partition("-")[0] or "numpy"
            raise IntermediateError(
                f"Reading a value stored as `{self.name}` needs `{error.name or package}`, which is not installed.",
                subject=self.name,
                hint=f"add `{error.name or package}` to the requirements",
            ) from error
        except Exception as error:  # damaged bytes provoke anything
            raise IntermediateError(
                f"The stored bytes are not `{self.name}`: {_said(error)}.",
                subject=self.name,
                hint="run the step that produced it again",
            ) from error


def _encode(value: Any, layout: str, kind: str, sink: ObjectWriter) -> None:
    if kind.startswith("pandas"):
        from solidstate.storage import arrow_files, pandas_frames

        arrow_files.write(pandas_frames.to_arrow(value, layout), layout, sink)
    elif kind.startswith("polars"):
        from solidstate.storage import polars_frames

        polars_frames.write(value, layout, sink)
    elif kind == "pyarrow":
        from solidstate.storage import arrow_files

        arrow_files.write(value, layout, sink)
    else:
        from solidstate.storage import arrays

        arrays.write(value, sink)


def _decode(data: Buffer, layout: str, kind: str) -> object:
    if kind.startswith("pandas"):
        from solidstate.storage import arrow_files, pandas_frames

        return pandas_frames.from_arrow(*arrow_files.read_batches(data, layout))
    if kind.startswith("polars"):
        from solidstate.storage import polars_frames

        return polars_frames.read(data, layout, series=kind.endswith("series"))
    if kind == "pyarrow":
        from solidstate.storage import arrow_files

        return arrow_files.read(data, layout)
    from solidstate.storage import arrays

    return arrays.read(data)


def _said(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")  # some libraries answer with a whole page
    return text if len(text) <= 200 else text[:197] + "..."


def _ancestry(value: object) -> list[tuple[str, str]]:
    return [(cls.__module__.partition(".")[0], cls.__name__) for cls in type(value).__mro__]


FRAME_CODECS = {
    name: FrameCodec(name)
    for name in (
        *(f"{layout}/{kind}" for layout in ("arrow", "parquet") for kind in _KINDS.values() if kind != "npy"),
        "npy",
    )
}
"""Every format of this module by the name it is recorded under."""
