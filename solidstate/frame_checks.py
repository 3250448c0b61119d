"""Hold a frame against its schema: every broken rule, how many rows break it, and the first of them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from solidstate.errors import closest, name_list, shown
from solidstate.events import plain_metadata
from solidstate.types import TypeCheck

if TYPE_CHECKING:
    from solidstate.frame_types import Column

ROWS_SHOWN = 5
PROBLEMS_SHOWN = 8
COLUMNS_RECORDED = 200
VALUE_LENGTH = 40
"""Characters of one value in a message."""

_SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_ALSO = {("int", "float")}
"""Kinds that are accepted where another is declared: (found, declared)."""


class FrameView(Protocol):
    """What the checks ask of a library. A mask is the library's own column of booleans, one for each row."""

    rows: int
    nbytes: int
    names: list[Any]

    def dtype(self, name: str) -> str: ...
    def kind(self, name: str) -> str:
        """One of ``frame_types.KINDS``, "empty" for a column of a dtype without values, or "other"."""
        ...

    def missing(self, name: str) -> Any:
        """The mask of values that are not there."""
        ...

    def breaking(self, name: str, rule: str, bound: Any) -> Any:
        """The mask of values that break a rule: ge, gt, le, lt, isin, pattern, whole (a number without a fraction)."""
        ...

    def repeating(self, names: list[str]) -> Any:
        """The mask of rows that repeat an earlier one in these columns; rows with missing values repeat none."""
        ...

    def count(self, mask: Any) -> int: ...
    def first(self, mask: Any, limit: int) -> list[int]: ...
    def value(self, name: str, row: int) -> Any: ...


class FrameSchema(msgspec.Struct, frozen=True):
    """What a frame type declares, see ``frame_types.frame_type``."""

    library: str
    columns: dict[str, Any]
    min_rows: int | None = None
    max_rows: int | None = None
    strict: bool = False
    unique: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """The schema as JSON data, without what is not said."""
        columns = {
            key: {"type": column.kind or "any"}
            | {
                field: value
                for field in column.__struct_fields__
                if field != "type" and (value := getattr(column, field)) != _DEFAULTS[field]
            }
            for key, column in self.columns.items()
        }
        told: dict[str, Any] = {
            "library": self.library,
            "columns": columns,
            "min_rows": self.min_rows,
            "max_rows": self.max_rows,
        }
        told |= {"strict": self.strict or None, "unique": list(self.unique) or None}
        return plain_metadata({key: fact for key, fact in told.items() if fact is not None})


_DEFAULTS: dict[str, Any] = {
    "nullable": False,
    "unique": False,
    "required": True,
    "description": "",
    **dict.fromkeys(("ge", "gt", "le", "lt", "isin", "pattern")),
}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One broken rule. ``rows`` are the first offending ones: position from 0, and the value as text."""

    text: str
    column: str = ""
    rule: str = ""
    count: int = 0
    rows: list[tuple[int, str]] = []

    def describe(self) -> str:
        if not self.rows:
            return self.text
        shown_rows = ", ".join(f"row {row}: {value}" if value else f"row {row}" for row, value in self.rows)
        more = self.count - len(self.rows)
        return f"{self.text} ({shown_rows}{f' and {more} more' if more > 0 else ''})"


def check_frame(frame: Any, schema: FrameSchema) -> TypeCheck:
    """The verdict, with the frame's size and columns as metadata; when it fails, with its problems, too."""
    view = view_of(frame, schema.library)
    problems = [*_shape(view, schema)]
    for name, column in schema.columns.items():
        if view.names.count(name) == 1:
            problems += _column(view, name, column)
    keys = list(schema.unique)
    if keys and all(view.names.count(key) == 1 for key in keys):
        mask = view.repeating(keys)
        count = view.count(mask)
        if count:
            rows = [(row, ", ".join(_text(view, key, row) for key in keys)) for row in view.first(mask, ROWS_SHOWN)]
            repeats = f"{count} {'row repeats' if count == 1 else 'rows repeat'} {name_list(keys)} of an earlier row"
            problems.append(Problem(repeats, ",".join(keys), "unique", count, rows))
    facts = facts_of(view)
    if not problems:
        return TypeCheck(True, metadata=facts)
    text = "; ".join(problem.describe() for problem in problems[:PROBLEMS_SHOWN])
    if len(problems) > PROBLEMS_SHOWN:
        text += f"; and {len(problems) - PROBLEMS_SHOWN} more problems"
    return TypeCheck(False, text, {**facts, "problems": msgspec.to_builtins(problems[:COLUMNS_RECORDED])})


def view_of(frame: Any, library: str) -> FrameView:
    """The frame as the checks see it; imports what ``library`` needs, which the frame's existence has loaded."""
    if library == "pandas":
        from solidstate.frame_pandas import PandasView

        return PandasView(frame)
    if library == "polars":
        from solidstate.frame_polars import PolarsView

        return PolarsView(frame)
    from solidstate.frame_pyarrow import ArrowView

    return ArrowView(frame)


def facts_of(view: FrameView) -> dict[str, Any]:
    """Rows, bytes in memory, and each column's name, dtype and number of missing values."""
    once = [name for name in view.names[:COLUMNS_RECORDED] if view.names.count(name) == 1]
    columns = [{"name": str(name), "type": view.dtype(name), "nulls": view.count(view.missing(name))} for name in once]
    facts: dict[str, Any] = {"rows": view.rows, "bytes": view.nbytes, "columns": columns}
    if len(view.names) > len(once):
        facts["more_columns"] = len(view.names) - len(once)
    return facts


def _shape(view: FrameView, schema: FrameSchema) -> list[Problem]:
    problems: list[Problem] = []
    if schema.min_rows is not None and view.rows < schema.min_rows:
        problems.append(Problem(f"it has {_rows(view.rows)}, expected at least {schema.min_rows}", rule="min_rows"))
    if schema.max_rows is not None and view.rows > schema.max_rows:
        problems.append(Problem(f"it has {_rows(view.rows)}, expected at most {schema.max_rows}", rule="max_rows"))
    others = [str(name) for name in view.names if name not in schema.columns]
    for name, column in schema.columns.items():
        found = view.names.count(name)
        if found > 1:
            problems.append(Problem(f"column `{name}` is there {found} times", name, "once"))
        elif not found and column.required:
            near = closest(name, others)
            problems.append(
                Problem(f"column `{name}` is missing{f' (is it `{near}`?)' if near else ''}", name, "required")
            )
    if schema.strict and others:
        one = len(others) == 1
        problems.append(
            Problem(
                f"{'column' if one else 'columns'} {name_list(others)} {'is' if one else 'are'} not declared",
                rule="strict",
            )
        )
    return problems


def _rows(count: int) -> str:
    return f"{count} {'row' if count == 1 else 'rows'}"


def _column(view: FrameView, name: str, column: Column) -> list[Problem]:
    gone = view.count(view.missing(name))
    kind = view.kind(name) if gone < view.rows else "empty"
    problems = _kind(view, name, column, kind)
    if gone and not column.nullable:
        values = "value is" if gone == 1 else "values are"
        problems.append(_broken(view, name, "nullable", view.missing(name), f"{gone} {values} missing", values=False))
    if problems and problems[0].rule == "type":
        return problems  # comparing values of another type would fail, or mislead
    if kind == "empty":
        return problems
    for rule, sign in _SIGNS.items():
        bound = getattr(column, rule)
        if bound is not None:
            problems += _rule(view, name, rule, bound, f"{sign} {shown(bound)}")
    if column.isin is not None:
        problems += _rule(view, name, "isin", list(column.isin), f"one of {shown(list(column.isin), 80)}")
    if column.pattern is not None:
        problems += _rule(view, name, "pattern", column.pattern, f"text like {shown(column.pattern)}")
    if column.unique:
        mask = view.repeating([name])
        count = view.count(mask)
        if count:
            repeats = f"{count} {'value repeats' if count == 1 else 'values repeat'} an earlier one"
            problems.append(_broken(view, name, "unique", mask, repeats))
    return problems


def _kind(view: FrameView, name: str, column: Column, kind: str) -> list[Problem]:
    wanted = column.kind
    if not wanted or kind in ("empty", wanted) or (kind, wanted) in _ALSO or view.dtype(name) == wanted:
        return []
    if wanted == "int" and kind == "float" and column.nullable:
        return _rule(view, name, "whole", None, "a whole number")
    text = f"column `{name}` is of type `{view.dtype(name)}`, expected `{wanted}`"
    return [_broken(view, name, "type", None, text)]


def _rule(view: FrameView, name: str, rule: str, bound: Any, expected: str) -> list[Problem]:
    mask = view.breaking(name, rule, bound)
    count = view.count(mask)
    if not count:
        return []
    return [_broken(view, name, rule, mask, f"{count} {'value is' if count == 1 else 'values are'} not {expected}")]


def _text(view: FrameView, name: str, row: int) -> str:
    value = view.value(name, row)
    moment = isinstance(value, (dt.date, dt.time))
    return str(value) if moment else shown(value, VALUE_LENGTH)


def _broken(view: FrameView, name: str, rule: str, mask: Any, text: str, *, values: bool = True) -> Problem:
    if mask is None:
        rows = list(range(min(view.rows, ROWS_SHOWN)))
        return Problem(text, name, rule, 0, [(row, _text(view, name, row)) for row in rows])
    rows = view.first(mask, ROWS_SHOWN)
    told = [(row, _text(view, name, row) if values else "") for row in rows]
    return Problem(f"column `{name}`: {text}", name, rule, view.count(mask), told)
