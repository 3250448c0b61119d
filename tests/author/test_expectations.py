"""Expectations attached to solids from outside, and rows split by one."""

from __future__ import annotations

from typing import Any

import pandas
import polars
import pyarrow
import pytest

from solidstate import Nothing, Out, Output, expect_input, expect_output, quarantine, solid
from solidstate.errors import DefinitionError, SolidstateError
from solidstate.events import ExpectationResult


@solid(outs={"result": Out(int), "done": Out(Nothing)})
def double(number: int) -> int:
    return number * 2


def positive(value: int) -> bool:
    return value > 0


def refused(make: Any) -> str:
    with pytest.raises(DefinitionError) as caught:
        make()
    return str(caught.value)


def test_attaching_makes_another_solid() -> None:
    """Name and behaviour stay, the solid that somebody else owns too; the expectation is data."""
    watched = expect_output(expect_input(double, "number", positive), "result", lambda v: v < 9, severity="warn")
    assert [(e.side, e.name, e.label, e.severity) for e in watched.expectations] == [
        ("input", "number", "positive", "record"),
        ("output", "result", "output result", "warn"),
    ]
    assert (watched.name, double.expectations) == ("double", ())
    assert watched(4) == 8


def test_an_unknown_name_is_refused() -> None:
    """The closest one is offered."""
    assert refused(lambda: expect_input(double, "numbre", positive)) == (
        "There is no input `numbre` in solid `double`.\n  fix: did you mean `number`?"
    )
    assert refused(lambda: expect_output(double, "x", positive)) == (
        "There is no output `x` in solid `double`.\n  fix: outputs: `result`, `done`"
    )


def test_what_cannot_be_checked_is_refused() -> None:
    """No value, no function, no such severity."""
    severity: Any = "loud"
    check: Any = 3
    assert refused(lambda: expect_output(double, "done", positive)) == (
        "The expectation of output `done` of solid `double` has nothing to look at: the output is `Nothing`, which "
        "carries no value.\n  fix: attach it where the value is"
    )
    assert refused(lambda: expect_output(double, "result", check)) == (
        "The expectation of output `result` of solid `double` must be a function of the value, got 3 of type `int`.\n"
        "  fix: write `lambda value: len(value) > 0`"
    )
    assert refused(lambda: expect_output(double, "result", positive, severity=severity)) == (
        "The expectation of output `result` of solid `double` has the severity 'loud'; expected one of `record`, "
        '`warn`, `skip`, `fail`.\n  fix: use `severity="warn"` for a visible warning, `"fail"` to fail the step'
    )


PANDAS: Any = pandas.DataFrame({"delay": [1.0, None, 3.0]})
POLARS = polars.DataFrame({"delay": [1.0, None, 3.0]})
ARROW: Any = pyarrow.table({"delay": [1.0, None, 3.0]})
ROWS: list[dict[str, Any]] = [{"delay": 1.0}, {"delay": None}, {"delay": 3.0}]
SPLITS: dict[str, tuple[Any, Any]] = {
    "pandas": (PANDAS, PANDAS["delay"] > 0),
    "pandas, nullable": (PANDAS, pandas.array([True, None, True], dtype="boolean")),
    "pandas, objects": (PANDAS, pandas.Series([True, float("nan"), True], dtype=object)),
    "polars": (POLARS, POLARS["delay"] > 0),
    "polars expression": (POLARS, polars.col("delay") > 0),
    "pyarrow": (ARROW, pyarrow.compute.greater(ARROW["delay"], 0)),
    "rows": (ROWS, [row["delay"] is not None for row in ROWS]),
}


@pytest.mark.parametrize(("frame", "holds"), SPLITS.values(), ids=SPLITS.keys())
def test_rows_that_do_not_hold_go_their_own_way(frame: Any, holds: Any) -> None:
    """Of whatever library; a null in the mask holds for nothing; the kind of the frame stays."""
    verdict, good, bad = quarantine(frame, holds, label="known", severity="warn")
    assert verdict == ExpectationResult(
        success=False,
        label="known",
        metadata={"rows": 3, "quarantined": 1, "first": [1]},
        severity="warn",
        output="result",
    )
    assert isinstance(good, Output)
    assert isinstance(bad, Output)
    assert (good.name, len(good.value), bad.name, len(bad.value)) == ("result", 2, "quarantined", 1)
    assert type(good.value) is type(bad.value) is type(frame)


def test_nothing_to_quarantine_yields_no_second_output() -> None:
    """It is optional, and whoever reads it is skipped; an empty frame keeps its columns."""
    empty = PANDAS.iloc[:0]
    verdict, good = quarantine(empty, empty["delay"] > 0)
    assert isinstance(verdict, ExpectationResult)
    assert isinstance(good, Output)
    assert verdict.success
    assert list(good.value.columns) == ["delay"]


@pytest.mark.parametrize(
    ("frame", "holds", "text"),
    [
        (
            ROWS,
            [True],
            "`quarantine` got 1 truths for 3 rows.\n"
            "  fix: compute `holds` from the frame itself: one value for each row",
        ),
        (
            {"a": 1},
            [True],
            "`quarantine` splits frames of pandas, polars and pyarrow, and lists; it got a `dict`.\n"
            "  fix: turn it into one of these, or yield the two outputs by hand",
        ),
    ],
)
def test_what_cannot_be_split_is_refused(frame: Any, holds: Any, text: str) -> None:
    """A mask of another length, a value without rows."""
    with pytest.raises(SolidstateError) as caught:
        list(quarantine(frame, holds))
    assert str(caught.value) == text
