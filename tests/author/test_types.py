"""Edge types: what a user's own check says, and how it meets the built-in one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest

from solidstate.errors import DefinitionError
from solidstate.types import Nothing, SolidType, TypeCheck, resolve_type

EVEN = SolidType("Even", python=int, check=lambda value: value % 2 == 0, metadata=lambda value: {"half": value // 2})


def test_the_python_type_is_checked_first() -> None:
    """A user's check sees only values of the Python type it was written for."""
    assert resolve_type(EVEN).check("2").description == "expected `int`, got '2' of type `str`"
    assert resolve_type(EVEN).check(3) == TypeCheck(False, "the check of type `Even` said no")
    assert resolve_type(EVEN).check(4) == TypeCheck(True, "", {"half": 2})


def test_all_parts_of_annotated_count() -> None:
    """A SolidType beside limits replaces none of them."""
    edge = resolve_type(Annotated[int, msgspec.Meta(ge=10), EVEN])
    assert edge.name == "Even"
    assert [edge.check(value).success for value in (12, 11, 8)] == [True, False, False]


def test_own_types_count_inside_containers() -> None:
    """`list[Annotated[int, Even]]` looks at every element, and so does `list[Even]`."""
    for annotation in (list[Annotated[int, EVEN]], list[EVEN]):  # type: ignore[valid-type]  # a value as a type
        edge = resolve_type(annotation)
        assert edge.name == "list[Even]"
        assert edge.check([2, 4]).success
        assert edge.check([2, 3]).description == (
            "expected `Even`, got 3 of type `int` at `$[1]`: the check of type `Even` said no"
        )


class bool_:  # noqa: N801 - numpy's name
    """As numpy's: no subclass of bool, and true or false nevertheless."""

    def __init__(self, truth: bool) -> None:
        self.truth = truth

    def __bool__(self) -> bool:
        return self.truth


@pytest.mark.parametrize("verdict", [True, None, TypeCheck(True), bool_(True)])
def test_verdicts_that_pass(verdict: Any) -> None:
    """A check may return TypeCheck, a bool (numpy's, too) or nothing."""
    assert resolve_type(SolidType("T", check=lambda value: verdict)).check(1).success


@pytest.mark.parametrize("verdict", [False, TypeCheck(False), bool_(False)])
def test_verdicts_that_do_not(verdict: Any) -> None:
    """And the same the other way."""
    assert not resolve_type(SolidType("T", check=lambda value: verdict)).check(1).success


def test_another_verdict_is_an_error() -> None:
    """Text is true in Python, which is not what its author meant."""
    bad: Any = str
    with pytest.raises(DefinitionError) as caught:
        resolve_type(SolidType("T", check=bad)).check(1)
    assert str(caught.value) == (
        "The check of type `T` must return TypeCheck, bool or None, got `str`.\n"
        "  fix: return `TypeCheck(success, description)`"
    )


def test_nothing_carries_no_value() -> None:
    """Nothing is a type of its own, which None has."""
    edge = resolve_type(Nothing)
    assert (edge.name, edge.nothing, edge.check(None).success, edge.check(0).success) == ("Nothing", True, True, False)


def test_what_is_not_checked_is_known() -> None:
    """Steps need not look at values of such types."""
    assert resolve_type(Any).unchecked
    assert not resolve_type(int).unchecked
    assert not resolve_type(EVEN).unchecked
