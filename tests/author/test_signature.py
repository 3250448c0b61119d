"""What is read from a function, whatever kind of callable it is."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from solidstate.errors import DefinitionError
from solidstate.signature import (
    bare,
    check_name,
    config_of,
    function_of,
    hints_of,
    name_of,
    parameters_of,
    summary_of,
    where,
)

if TYPE_CHECKING:
    from decimal import Decimal


class Config(msgspec.Struct):
    path: str


def documented(config: Config, *rest: int, size: int = 3) -> str:
    """The first sentence,
    on two lines.

    More.
    """
    return config.path


def test_what_a_function_says() -> None:
    """Names, hints with text resolved, the first paragraph, the place."""
    assert name_of(documented) == "documented"
    assert hints_of(documented) == {"config": Config, "rest": int, "size": int, "return": str}
    assert summary_of(documented) == "The first sentence, on two lines."
    assert [bare(parameter) for parameter in parameters_of(documented)] == ["config", "*rest", "size=3"]
    assert where(documented) == f"{__file__}:{documented.__code__.co_firstlineno}"
    assert config_of(documented, hints_of(documented), subject="s") is Config


def test_a_partial_speaks_for_its_function() -> None:
    """Name, place and hints are the inner function's; its documentation is not functools'."""
    partial = functools.partial(functools.partial(documented, size=4))
    assert (name_of(partial), where(partial), hints_of(partial)) == (
        "documented",
        where(documented),
        hints_of(documented),
    )
    assert summary_of(partial) == ""


def test_builtins_have_no_place() -> None:
    """What is written in C has neither place nor hints."""
    assert (where(len), hints_of(len), name_of(len)) == ("", {}, "len")


def test_a_name_only_a_type_checker_sees() -> None:
    """Hints are needed at run time."""

    def late(price: Decimal) -> None: ...

    with pytest.raises(DefinitionError) as caught:
        hints_of(late)
    assert caught.value.problem.endswith("cannot be resolved: name 'Decimal' is not defined.")
    assert caught.value.hint == "import the name at module level, not under `if TYPE_CHECKING:`"


def test_no_config() -> None:
    """A function without the parameter has no config."""
    assert config_of(lambda size: size, {}, subject="s") is None


@pytest.mark.parametrize("value", [5, None, "f", [len], Config("a"), Config, classmethod(check_name)])
def test_what_is_no_function(value: Any) -> None:
    """Decorators say so in the same words."""
    with pytest.raises(DefinitionError, match=r"^`@solid` takes a function, found "):
        function_of(value, "solid")


@pytest.mark.parametrize("name", [None, 5, "", "a b", "..", "a\0", "x" * 81, "\u202ea", "é"])
def test_names(name: Any) -> None:
    """A name is refused in one printable line."""
    check_name("x" * 80, "solid")
    with pytest.raises(DefinitionError) as caught:
        check_name(name, "solid")
    assert caught.value.problem.isprintable()
