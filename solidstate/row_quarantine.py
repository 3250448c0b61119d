"""Row quarantine: split a frame into the rows that meet an expectation and, as an output of their own, the others.

    @solid(outs={"result": Out(Flights), "quarantined": Out(Flights, optional=True)})
    def clean(flights):
        yield from quarantine(flights, flights["delay"].notna(), label="delay_known")

Works for pandas, polars and pyarrow without importing any of them, and for lists.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from solidstate.errors import SolidstateError
from solidstate.events import ExpectationResult, Output, Severity

MAX_SHOWN = 5
"""Positions of offending rows that are recorded."""


def quarantine(
    frame: Any,
    holds: Any,
    *,
    label: str = "rows_hold",
    description: str = "",
    severity: Severity = "record",
    good: str = "result",
    bad: str = "quarantined",
) -> Iterator[ExpectationResult | Output[Any]]:
    """Yield the verdict, the rows for which ``holds`` is true as output ``good``, and the others, if there are any, as
    output ``bad``, which is to be declared optional: whoever reads it is skipped when there are none.

    ``holds`` has one truth a row (a polars expression will do); a null in it sends its row to ``bad``. The verdict
    tells ``rows``, how many are ``quarantined``, and the positions of the ``first`` few. With ``severity="skip"`` it
    withholds ``good`` alone. Raises SolidstateError for truths of another number than the rows, and for other kinds of
    values.
    """
    kept, held, truths = _split(frame, holds)
    count = truths.count(False)
    facts: dict[str, Any] = {"rows": len(truths), "quarantined": count}
    if count:
        facts["first"] = list(itertools.islice((row for row, true in enumerate(truths) if not true), MAX_SHOWN))
    yield ExpectationResult(count == 0, label, description, facts, severity, good)
    yield Output(kept, good)
    if count:
        yield Output(held, bad)


def _split(frame: Any, holds: Any) -> tuple[Any, Any, list[bool]]:
    library = type(frame).__module__.partition(".")[0]
    if isinstance(frame, list):
        truths = [_true(one) for one in holds]
        _check(len(truths), len(frame))
        pairs = list(zip(frame, truths, strict=True))
        return [row for row, true in pairs if true], [row for row, true in pairs if not true], truths
    if library == "pandas":
        truths = [_true(one) for one in holds]
        _check(len(truths), len(frame))
        mask: Any = import_module("numpy").array(truths, dtype=bool)  # a list of no truths would choose no columns
        return frame.loc[mask], frame.loc[~mask], truths
    if library == "polars":
        polars: Any = import_module("polars")
        series = (
            frame.select(holds.alias("holds")).to_series() if isinstance(holds, polars.Expr) else polars.Series(holds)
        )
        mask = series.cast(polars.Boolean).fill_null(value=False)
        _check(len(mask), frame.height)
        return frame.filter(mask), frame.filter(~mask), mask.to_list()
    if library == "pyarrow":
        arrow: Any = import_module("pyarrow")
        truths = [_true(one) for one in (holds.to_pylist() if hasattr(holds, "to_pylist") else holds)]
        _check(len(truths), frame.num_rows)
        return (
            frame.filter(arrow.array(truths, arrow.bool_())),
            frame.filter(arrow.array([not true for true in truths], arrow.bool_())),
            truths,
        )
    raise SolidstateError(
        f"`quarantine` splits frames of pandas, polars and pyarrow, and lists; it got a `{type(frame).__name__}`.",
        subject="quarantine",
        hint="turn it into one of these, or yield the two outputs by hand",
    )


def _check(truths: int, rows: int) -> None:
    if truths != rows:
        raise SolidstateError(
            f"`quarantine` got {truths} truths for {rows} rows.",
            subject="quarantine",
            hint="compute `holds` from the frame itself: one value for each row",
        )


def _true(value: Any) -> bool:
    """A null is not true: None, and NaN and pandas.NA, which are not equal to themselves or cannot tell."""
    try:
        return value is not None and bool(value == value) and bool(value)  # noqa: PLR0124 - NaN is not itself
    except TypeError:
        return False
