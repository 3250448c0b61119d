"""How errors are put into words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.errors import (
    DefinitionError,
    Errors,
    SolidstateError,
    closest,
    escaped,
    lookup,
    name_list,
    short,
    shown,
)


def test_text_of_one() -> None:
    """Problem, place and fix, each on a line, absent parts left out."""
    assert str(SolidstateError("It is wrong.", path="a.b", hint="mend it")) == "It is wrong.\n  at: a.b\n  fix: mend it"
    assert str(SolidstateError("It is wrong.")) == "It is wrong."


def test_text_of_several() -> None:
    """Several are numbered; one stands behind the title."""
    first, second = SolidstateError("A.", hint="x"), SolidstateError("B.")
    assert str(Errors("Solid `s`", [first, second])) == "Solid `s`: 2 errors\n  1. A.\n    fix: x\n  2. B."
    assert str(Errors("Solid `s`", [second])) == "Solid `s`: B."


@given(st.text(max_size=200))
def test_typed_text_is_bounded_and_printable(text: str) -> None:
    """Escape codes, line ends and marks that reverse a line are spelled out."""
    for made in (short(text), shown(text)):
        assert made.isprintable()
        assert len(made) <= 60


def test_a_repr_that_fails_is_no_reason_to_fail() -> None:
    """A message about a value does not depend on the value's own code."""

    class Broken:
        def __repr__(self) -> str:
            raise ZeroDivisionError

    assert shown(Broken()) == "<Broken whose repr() fails>"
    assert shown(10**5000) == "<int whose repr() fails>"


def test_names() -> None:
    """Names are listed up to a limit, the closest is found, and none is close to a very long one."""
    assert name_list(["a", "b", "c"], limit=2) == "`a`, `b` and 1 more"
    assert closest("raed", ["read", "write"]) == "read"
    assert closest("zzz", ["read"]) is None
    assert closest("a" * 10_000, ["a" * 9_999]) is None


def test_lookup() -> None:
    """What is there is returned; otherwise all there is is named."""
    assert lookup("mode", "a", {"a": 1}, "pipeline `p`") == 1
    with pytest.raises(DefinitionError) as caught:
        lookup("mode", "q\n", {"local": 1, "prod": 2}, "pipeline `p`")
    assert str(caught.value) == "There is no mode `q\\n` in pipeline `p`.\n  fix: modes: `local`, `prod`"


def test_escaped_text_keeps_what_can_be_read() -> None:
    """Letters of any script stay; what steers a terminal or ends a line does not."""
    assert escaped("größer 大") == "größer 大"
    assert escaped("a\x1b[2J\n\u202e\x9b") == "a\\x1b[2J\\n\\u202e\\x9b"
