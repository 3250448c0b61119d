"""pandas frames as the checks of ``frame_checks`` see them. Missing is what pandas calls so: None, NaN, NaT, NA."""

from __future__ import annotations

import re
from typing import Any

_INFERRED = {
    "string": "str",
    "bytes": "bytes",
    "boolean": "bool",
    "integer": "int",
    "floating": "float",
    "mixed-integer-float": "float",
    "decimal": "decimal",
    "datetime": "datetime",
    "datetime64": "datetime",
    "date": "date",
    "time": "time",
    "timedelta": "duration",
    "timedelta64": "duration",
    "empty": "empty",
}
"""What ``infer_dtype`` finds in a column of objects."""


class PandasView:
    """One frame."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.rows: int = len(frame)
        self.names: list[Any] = list(frame.columns)
        self.nbytes = int(frame.memory_usage(index=True, deep=False).sum())

    def _column(self, name: str) -> Any:
        column = self._frame[name]
        categories = getattr(column.dtype, "categories", None)
        return column if categories is None else column.astype(categories.dtype)

    def dtype(self, name: str) -> str:
        return str(self._frame[name].dtype)

    def kind(self, name: str) -> str:
        import pandas as pd  # pyright: ignore[reportMissingTypeStubs]  # ships no types

        column = self._column(name)
        arrow = getattr(column.dtype, "pyarrow_dtype", None)
        if arrow is not None:
            from solidstate.frame_pyarrow import kind_of

            return kind_of(arrow)
        if isinstance(column.dtype, pd.StringDtype):
            return "str"
        if column.dtype == object:
            return _INFERRED.get(pd.api.types.infer_dtype(column, skipna=True), "other")
        for kind, test in (
            ("bool", pd.api.types.is_bool_dtype),
            ("int", pd.api.types.is_integer_dtype),
            ("float", pd.api.types.is_float_dtype),
            ("datetime", pd.api.types.is_datetime64_any_dtype),
            ("duration", pd.api.types.is_timedelta64_dtype),
        ):
            if test(column.dtype):
                return kind
        return "other"

    def missing(self, name: str) -> Any:
        return self._frame[name].isna().to_numpy(dtype=bool)

    def breaking(self, name: str, rule: str, bound: Any) -> Any:
        there = ~self.missing(name)
        column = self._column(name)
        # Compared without what is missing, which object columns cannot be.
        values = column[there]
        if rule == "isin":
            right = values.isin(bound)
        elif rule == "pattern":
            right = values.astype("str").str.fullmatch(re.compile(bound).pattern)
        elif rule == "whole":
            right = values == values.round()
        else:
            right = getattr(values, rule)(bound)
        mask = there.copy()
        mask[there] = ~right.to_numpy(dtype=bool, na_value=False)
        return mask

    def repeating(self, names: list[str]) -> Any:
        columns = self._frame[names]
        return (columns.duplicated() & columns.notna().all(axis=1)).to_numpy(dtype=bool)

    def count(self, mask: Any) -> int:
        return int(mask.sum())

    def first(self, mask: Any, limit: int) -> list[int]:
        return [int(row) for row in mask.nonzero()[0][:limit]]

    def value(self, name: str, row: int) -> Any:
        value = self._frame[name].iloc[row]
        return value.item() if type(value).__module__ == "numpy" else value
