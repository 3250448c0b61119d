"""Arguments of `@solid` are judged together, in their order."""

from __future__ import annotations

from typing import Any

from solidstate import Compute, In, Out, RetryPolicy
from solidstate.declarations import argument_problems


def problems(**given: Any) -> list[str]:
    names = ("name", "place", "ins", "outs", "resources", "retry", "compute", "tags")
    arguments: dict[str, Any] = dict.fromkeys(names) | {"name": "s", "place": "here.py:1"} | given
    return [problem.problem for problem in argument_problems(**arguments)]


def test_right_arguments() -> None:
    """None is left out; a single name may stand for a set of one."""
    assert problems() == []
    assert (
        problems(ins={"a": In(int)}, outs={}, resources="clock", retry=RetryPolicy(), compute=Compute(), tags={1: 2})
        == []
    )


def test_all_problems_are_found() -> None:
    """Wrong names and wrong values in one go."""
    assert problems(ins={"a b": 1}, outs=[Out()], resources={"x", 5} - {"x"}, retry="3") == [
        "'a b' is not a name for an input of solid `s`: expected a letter or underscore, then letters, digits and "
        "underscores, at most 80.",
        "`ins['a b']` of solid `s` must be an `In`, got 1 of type `int`.",
        "`outs` of solid `s` must be a mapping of names to `Out`, got [Out(type=UNSET, description='', "
        "optional=False)] of type `list`.",
        "5 is not a name for a resource of solid `s`: expected a letter or underscore, then letters, digits and "
        "underscores, at most 80.",
        "`retry` of solid `s` must be a `RetryPolicy`, got '3' of type `str`.",
    ]
