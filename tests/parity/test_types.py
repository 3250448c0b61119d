"""The types of 2019: scalars, containers, types of one's own with checks, metadata, formats, hydration."""

from __future__ import annotations

import enum
from typing import Any

import msgspec
import pytest

from solidstate import In, Out, solid
from tests.parity.running import failed, run, statuses


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Row(msgspec.Struct):
    name: str
    late: bool = False


class Box:
    """A class of the author's own."""

    def __init__(self, size: int = 1) -> None:
        self.size = size


REFUSED = "Output `result` of `give` does not pass the check of type "


def checked(annotation: Any, value: Any) -> str:
    """What is said of a value that a solid gives for an output of the type; empty when it passes."""
    giving: Any = solid(name="give", outs={"result": Out(annotation)})(lambda: value)
    result = run(giving)
    return "" if result.success else failed(result, "give").removeprefix(REFUSED)


TABLE: dict[str, tuple[Any, Any, Any, str]] = {
    "Int": (int, 1, "1", "`int`: expected `int`, got '1' of type `str`."),
    "Float": (float, 1.5, "1.5", "`float`: expected `float`, got '1.5' of type `str`."),
    "Bool": (bool, True, 1, "`bool`: expected `bool`, got 1 of type `int`."),
    "String": (str, "a", 1, "`str`: expected `str`, got 1 of type `int`."),
    "List": (list, [1], {"a": 1}, "`list`: expected `list`, got {'a': 1} of type `dict`."),
    "List of String": (list[str], ["a"], ["a", 1], "`list[str]`: expected `str`, got 1 of type `int` at `$[1]`."),
    "Optional Int": (int | None, None, "1", "`int | None`: expected `int | None`, got '1' of type `str`."),
    "List of Optional Int": (
        list[int | None],
        [1, None],
        ["1"],
        "`list[int | None]`: expected `int | None`, got '1' of type `str` at `$[0]`.",
    ),
    "Dict": (dict, {"a": 1}, [1], "`dict`: expected `dict`, got [1] of type `list`."),
    "Dict of Int": (
        dict[str, int],
        {"a": 1},
        {"a": "1"},
        "`dict[str, int]`: expected `int`, got '1' of type `str` at `$['a']`.",
    ),
    "Set of Int": (set[int], {1}, [1], "`set[int]`: expected `set`, got [1] of type `list`."),
    "Tuple": (
        tuple[int, str],
        (1, "a"),
        ("a", 1),
        "`tuple[int, str]`: expected `int`, got 'a' of type `str` at `$[0]`.",
    ),
    "NamedDict": (Row, Row("a"), {"name": "a"}, "`Row`: expected `Row`, got {'name': 'a'} of type `dict`."),
    "Enum": (Color, Color.RED, "red", "`Color`: expected `Color`, got 'red' of type `str`."),
}


@pytest.mark.parametrize("name", list(TABLE))
def test_a_builtin_type(name: str) -> None:
    """Values of the type pass, others fail the step at run time, with what was expected and what was found."""
    annotation, right, wrong, text = TABLE[name]
    assert (checked(annotation, right), checked(annotation, wrong)) == ("", text)


def test_any_takes_everything() -> None:
    """Without an annotation every value passes."""
    assert [checked(Any, value) for value in (1, None, ["a"])] == ["", "", ""]


def test_inputs_are_checked() -> None:
    """A value that does not fit fails the step that takes it, in words that name solid, input, value and type."""
    taking: Any = solid(name="take", ins={"value": In(int)})(lambda value: None)
    giving: Any = solid(name="give")(lambda: "x")
    result = run(lambda: taking(giving()))
    assert statuses(result) == {"give": "success", "take": "failed"}
    assert failed(result, "take") == (
        "Input `value` of `take` does not pass the check of type `int`: expected `int`, got 'x' of type `str`."
    )


def test_an_element_is_named() -> None:
    """A wrong element of a list is told with its place."""
    assert checked(list[int], [1, "x"]) == "`list[int]`: expected `int`, got 'x' of type `str` at `$[1]`."


def test_outputs_are_checked() -> None:
    """A value that is not what the output says fails the step that made it."""

    @solid
    def make() -> int:
        return "x"  # type: ignore[return-value]  # what is tested

    assert failed(run(make), "make") == (
        "Output `result` of `make` does not pass the check of type `int`: expected `int`, got 'x' of type `str`."
    )


def test_a_class_is_an_isinstance_check() -> None:
    """`PythonObjectType`: any class can be a type as it is."""

    @solid
    def make() -> Box:
        return "no box"  # type: ignore[return-value]  # what is tested

    assert failed(run(make), "make") == (
        "Output `result` of `make` does not pass the check of type `Box`: expected `Box`, got 'no box' of type `str`."
    )


def test_a_bool_is_no_int() -> None:
    """2019 let it pass, because Python's `bool` is a kind of `int`."""
    assert checked(int, True) == "`int`: expected `int`, got True of type `bool`."


def test_an_int_is_a_float() -> None:
    """As type checkers and people have it; 2019 refused it."""
    assert checked(float, 1) == ""
