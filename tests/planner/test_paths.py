"""Paths and intrinsic functions: what we may write, and what would fail only when a run gets there."""

from __future__ import annotations

import pytest

from solidstate.planner.paths import expression_fault, path_fault

EXAMPLE = "An intrinsic function looks like `States.Name($.path, 'text', 1)`, but this one is"


@pytest.mark.parametrize("path", ["$", "$.run", "$.a.b_2[0].c", "$['with space'].x", "$$", "$$.Execution.Id"])
def test_good_paths(path: str) -> None:
    """The forms a generator needs."""
    assert path_fault(path) == expression_fault(path) == ""


@pytest.mark.parametrize(
    "path", ["", "run", "$run", "$.", "$.a[", "$.a[-1]", "$.a[*]", "$..a", "$.a b", "$.a.", 1, None]
)
def test_bad_paths(path: object) -> None:
    """Malformed ones, and those that interpreters disagree on."""
    assert path_fault(path) == f"A path looks like `$.name[0]`, but this one is `{path}`."


def test_a_result_cannot_go_into_the_context() -> None:
    """The context object is read only."""
    assert (
        path_fault("$$.a", context=False) == "A result cannot be put into the context object, but this path is `$$.a`."
    )


@pytest.mark.parametrize(
    "call",
    [
        "States.UUID()",
        "States.StringToJson($.Cause)",
        "States.Format('{} and {} (both)', $.a, $$.Execution.Name)",
        "States.Array()",
        "States.ArrayGetItem(States.StringSplit($.a, ','), States.MathAdd(-1, 2))",
        "States.JsonMerge($.a, $.b, false)",
        r"States.Format('it\'s')",
    ],
)
def test_good_calls(call: str) -> None:
    """Also nested, and with brackets and commas inside of text."""
    assert expression_fault(call) == ""


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("States.StringToJSON($.a)", "There is no intrinsic function `States.StringToJSON`."),
        ("States.Format()", "`States.Format` takes 1 to 11 arguments, but has 0."),
        ("States.MathAdd(1)", "`States.MathAdd` takes 2 arguments, but has 1."),
        ("States.Array(States.Nope())", "There is no intrinsic function `States.Nope`."),
        ("States.StringToJson($.a", f"{EXAMPLE} `States.StringToJson($.a`."),
        ("States.StringToJson($.a).b", f"{EXAMPLE} `States.StringToJson($.a).b`."),
        ("States.Array(1 2)", f"{EXAMPLE} `States.Array(1 2)`."),
        ("States.Array('a)", f"{EXAMPLE} `States.Array('a)`."),
        (7, "A field that ends in `.$` holds a path or an intrinsic function, but this one holds 7."),
    ],
)
def test_bad_calls(call: object, fault: str) -> None:
    """Unknown names, wrong numbers of arguments, and text that is no call."""
    assert expression_fault(call) == fault
