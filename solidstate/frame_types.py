"""Types of frames: which columns a pandas, polars or pyarrow frame has, of what kind, and what holds for their values.

::

    FLIGHTS = frame_type(
        "Flights",
        columns={"carrier": Column(str, pattern="[A-Z0-9]{2}"), "delay": Column(float, nullable=True, ge=-120)},
        unique=["year", "month", "day", "carrier", "flight"],
        min_rows=1,
    )

    @solid
    def late(flights: Annotated[pandas.DataFrame, FLIGHTS]) -> ...: ...

Such a type checks frames of one library, records their size and columns with every input and output event, shows the
first offending rows when a rule is broken, and reads and writes CSV, Parquet and JSON where a run request says. The
checks are the library's own operations over whole columns, and no library is imported that is not in use.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from solidstate.errors import DefinitionError, name_list, shown
from solidstate.frame_checks import FrameSchema, check_frame
from solidstate.frame_files import FORMATS, loader, materializer
from solidstate.types import SolidType, TypeCheck

Library = Literal["pandas", "polars", "pyarrow"]
_FRAMES = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "Table"}

KINDS: dict[Any, str] = {
    int: "int",
    float: "float",
    str: "str",
    bool: "bool",
    bytes: "bytes",
    dt.datetime: "datetime",
    dt.date: "date",
    dt.time: "time",
    dt.timedelta: "duration",
    Decimal: "decimal",
}
"""Python types that name a kind of column, whatever its width, unit or way of storage."""


class Column(msgspec.Struct, frozen=True):
    """What holds for one column.

    ``type`` is a Python type (``int`` is an integer of any width; ``float`` takes integers, too), None for any, or
    text: the library's own name of a dtype, such as ``"int32"``. Rules count for the values that are there;
    ``nullable`` says whether some may be missing. In pandas a nullable ``int`` may be stored as floats without
    fractions. ``pattern`` must match the whole text; polars and pyarrow know no look-around. A column that is not
    ``required`` may be absent.
    """

    type: Any = None
    nullable: bool = False
    ge: Any = None
    gt: Any = None
    le: Any = None
    lt: Any = None
    isin: Sequence[Any] | None = None
    unique: bool = False
    pattern: str | None = None
    required: bool = True
    description: str = ""

    @property
    def kind(self) -> str:
        """The name of the kind or dtype; empty for any."""
        return "" if self.type is None else KINDS.get(self.type, str(self.type))


def frame_type(
    name: str,
    columns: Mapping[str, Column | Any] | None = None,
    *,
    library: Library = "pandas",
    min_rows: int | None = None,
    max_rows: int | None = None,
    strict: bool = False,
    unique: Sequence[str] = (),
    codec: Any = None,
    description: str = "",
) -> SolidType:
    """A SolidType of frames. A column may be given by its type alone: ``{"carrier": str}``.

    ``strict`` refuses columns that are not declared; ``unique`` names columns whose values together tell rows apart.
    Raises DefinitionError for a declaration that contradicts itself.
    """
    declared = {key: one if isinstance(one, Column) else Column(one) for key, one in (columns or {}).items()}
    schema = FrameSchema(
        library=library,
        columns=declared,
        min_rows=min_rows,
        max_rows=max_rows,
        strict=strict,
        unique=(unique,) if isinstance(unique, str) else tuple(unique),
    )
    problem = _problem(schema)
    if problem is not None:
        raise DefinitionError(f"Frame type `{name}`: {problem[0]}.", subject=name, hint=problem[1])
    kinds = {key: column.kind for key, column in declared.items()}
    package, cls = library, _FRAMES[library]

    def check(value: Any) -> TypeCheck:
        if not any((c.__module__.partition(".")[0], c.__name__) == (package, cls) for c in type(value).__mro__):
            near = (
                ", which is a question, not an answer: use `.collect()`" if type(value).__name__ == "LazyFrame" else ""
            )
            found = f"`{type(value).__module__.partition('.')[0]}.{type(value).__qualname__}`"
            return TypeCheck(False, f"expected a `{package}.{cls}`, got a {found.replace('builtins.', '')}{near}")
        return check_frame(value, schema)

    return SolidType(
        name=name,
        check=check,
        codec=codec,
        description=description,
        loader={one: loader(library, one, kinds) for one in FORMATS},
        materializer={one: materializer(library, one) for one in FORMATS},
        facts=schema.describe(),
    )


def _problem(schema: FrameSchema) -> tuple[str, str] | None:
    """What is wrong with a declaration, and a fix."""
    if schema.library not in _FRAMES:
        return f"there is no frame library {shown(schema.library)}", f"choose one of {name_list(list(_FRAMES))}"
    low, high = schema.min_rows, schema.max_rows
    if low is not None and high is not None and low > high:
        return f"it has at least {low} and at most {high} rows", "exchange `min_rows` and `max_rows`"
    for key in schema.unique:
        if schema.columns and key not in schema.columns:
            return f"`unique` names `{key}`, which is not among its columns", "declare the column, too"
    for key, column in schema.columns.items():
        if column.type is not None and not isinstance(column.type, str) and column.type not in KINDS:
            known = ", ".join(f"`{one.__name__}`" for one in KINDS)
            return f"column `{key}` has the type {shown(column.type)}", f"use one of {known}, or a dtype's name as text"
        if column.isin is not None and (isinstance(column.isin, str) or not isinstance(column.isin, Collection)):
            return f"`isin` of column `{key}` is {shown(column.isin)}", "write a list of values"
        if column.pattern is not None:
            try:
                re.compile(column.pattern)
            except re.error as error:
                return f"`pattern` of column `{key}` is no regular expression: {error}", "correct the pattern"
    return None
