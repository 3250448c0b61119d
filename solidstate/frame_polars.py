"""polars frames as the checks of ``frame_checks`` see them. Missing is null; NaN is a value that is in no range."""

from __future__ import annotations

from typing import Any


class PolarsView:
    """One frame."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.rows: int = frame.height
        self.names: list[Any] = list(frame.columns)
        self.nbytes = int(frame.estimated_size())

    def _column(self, name: str) -> Any:
        import polars as pl

        column = self._frame.get_column(name)
        return column.cast(pl.String) if column.dtype in (pl.Categorical, pl.Enum) else column

    def dtype(self, name: str) -> str:
        return str(self._frame.get_column(name).dtype)

    def kind(self, name: str) -> str:
        import polars as pl

        dtype = self._column(name).dtype
        if dtype.is_integer():
            return "int"
        if dtype.is_float():
            return "float"
        kinds: list[tuple[Any, str]] = [
            (pl.String, "str"),
            (pl.Boolean, "bool"),
            (pl.Binary, "bytes"),
            (pl.Datetime, "datetime"),
            (pl.Date, "date"),
            (pl.Time, "time"),
            (pl.Duration, "duration"),
            (pl.Decimal, "decimal"),
            (pl.Null, "empty"),
        ]
        return next((kind for known, kind in kinds if dtype == known), "other")

    def missing(self, name: str) -> Any:
        return self._frame.get_column(name).is_null()

    def breaking(self, name: str, rule: str, bound: Any) -> Any:
        column = self._column(name)
        if rule == "isin":
            right = column.is_in(bound)
        elif rule == "pattern":
            right = column.str.contains(rf"\A(?:{bound})\z")
        elif rule == "whole":
            right = column == column.round()
        else:
            right = getattr(column, rule)(bound)
            if column.dtype.is_float():
                right &= column.is_not_nan()
        return ~right.fill_null(value=True)

    def repeating(self, names: list[str]) -> Any:
        import polars as pl

        there = pl.all_horizontal(pl.col(name).is_not_null() for name in names)
        repeats = ~pl.struct(names).is_first_distinct()
        return self._frame.select((repeats & there).alias("repeats")).to_series()

    def count(self, mask: Any) -> int:
        return int(mask.sum())

    def first(self, mask: Any, limit: int) -> list[int]:
        return [int(row) for row in mask.arg_true().head(limit).to_list()]

    def value(self, name: str, row: int) -> Any:
        return self._frame.get_column(name)[row]
