"""pyarrow tables as the checks of ``frame_checks`` see them. Missing is null; NaN is a value that is in no range."""

from __future__ import annotations

from typing import Any

_COMPARISONS = {"ge": "greater_equal", "gt": "greater", "le": "less_equal", "lt": "less"}


def kind_of(dtype: Any) -> str:
    """The kind of an Arrow type."""
    import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]  # ships no types

    tests = pa.types
    for kind, test in (
        ("bool", tests.is_boolean),
        ("int", tests.is_integer),
        ("float", tests.is_floating),
        ("str", lambda one: tests.is_string(one) or tests.is_large_string(one) or tests.is_string_view(one)),
        ("bytes", lambda one: tests.is_binary(one) or tests.is_large_binary(one) or tests.is_fixed_size_binary(one)),
        ("datetime", tests.is_timestamp),
        ("date", tests.is_date),
        ("time", tests.is_time),
        ("duration", tests.is_duration),
        ("decimal", tests.is_decimal),
        ("empty", tests.is_null),
    ):
        if test(dtype):
            return kind
    return "other"


class ArrowView:
    """One table."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self.rows: int = table.num_rows
        self.names: list[Any] = list(table.column_names)
        self.nbytes = int(table.nbytes)

    def _column(self, name: str) -> Any:
        column = self._table.column(name)
        values = getattr(column.type, "value_type", None)  # of a dictionary; of a list, too
        return column.cast(values) if str(column.type).startswith("dictionary") else column

    def dtype(self, name: str) -> str:
        return str(self._table.column(name).type)

    def kind(self, name: str) -> str:
        return kind_of(self._column(name).type)

    def missing(self, name: str) -> Any:
        return self._table.column(name).is_null()

    def breaking(self, name: str, rule: str, bound: Any) -> Any:
        import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]  # ships no types
        import pyarrow.compute as pc  # pyright: ignore[reportMissingTypeStubs]  # ships no types

        column = self._column(name)
        if rule == "isin":
            right = pc.is_in(column, value_set=pa.array(bound, type=column.type))
        elif rule == "pattern":
            right = pc.match_substring_regex(column, rf"\A(?:{bound})\z")
        elif rule == "whole":
            right = pc.equal(column, pc.round(column))
        else:
            right = pc.call_function(_COMPARISONS[rule], [column, pa.scalar(bound)])
        return pc.and_(pc.invert(pc.fill_null(right, fill_value=True)), column.is_valid())

    def repeating(self, names: list[str]) -> Any:
        import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]  # ships no types
        import pyarrow.compute as pc  # pyright: ignore[reportMissingTypeStubs]  # ships no types

        row = pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), self.rows))
        keys = [f"key_{number}" for number, _ in enumerate(names)]
        table = pa.table([*(self._column(name) for name in names), row], names=[*keys, "row"])
        table = table.drop_null()
        firsts = table.group_by(keys).aggregate([("row", "min")]).column("row_min")
        if len(firsts) == table.num_rows:
            return pa.repeat(pa.scalar(value=False), self.rows)
        later = pc.invert(pc.is_in(table.column("row"), value_set=firsts))
        return pc.is_in(row, value_set=table.column("row").filter(later))

    def count(self, mask: Any) -> int:
        import pyarrow.compute as pc  # pyright: ignore[reportMissingTypeStubs]  # ships no types

        return int(pc.sum(mask).as_py() or 0)

    def first(self, mask: Any, limit: int) -> list[int]:
        import pyarrow.compute as pc  # pyright: ignore[reportMissingTypeStubs]  # ships no types

        whole = mask.combine_chunks() if hasattr(mask, "combine_chunks") else mask
        rows: list[int] = pc.indices_nonzero(whole)[:limit].to_pylist()
        return rows

    def value(self, name: str, row: int) -> Any:
        return self._table.column(name)[row].as_py()
