"""Paths and examples in messages: exact where they are plain, harmless where they are not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.config_errors import Path, pasteable, path_text, quoted, unknown


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("solids", "read", "names", 1), "solids.read.names[1]"),
        (("tags", "cost center", "x"), "tags['cost center'].x"),
        (("tags", ""), "tags['']"),
        (("my-key",), "my-key"),
    ],
)
def test_paths(path: Path, text: str) -> None:
    """A plain key follows a dot, any other is quoted."""
    assert path_text(path) == text


@given(st.lists(st.text(max_size=300) | st.integers(0, 9), max_size=4).map(tuple))
def test_any_path_can_be_shown(path: Path) -> None:
    """Printable and bounded, whatever the keys."""
    assert path_text(path).isprintable()
    assert len(path_text(path)) <= 90 * len(path)
    assert pasteable(path, "a").isprintable()


@given(st.lists(st.text("ab\u202e\n\"'", max_size=9), max_size=3).map(tuple), st.text(max_size=20))
def test_what_is_pasted_is_what_was_meant(path: Path, value: str) -> None:
    """An example is JSON that spells the path and the value."""
    expected: object = value
    for step in reversed(path):
        expected = {step: expected}
    assert json.loads(pasteable(path, value)) == expected


def test_too_long_an_example_is_none() -> None:
    """A message is no place for it."""
    assert pasteable(("a" * 2_000,), 1) == ""


def test_quotes_are_offered_for_scalars_only() -> None:
    """What YAML read as something else gets quotes; a list is not made text by them."""
    assert quoted(5) == "quote it: `'5'`"
    assert [quoted(value) for value in (None, [1], {"a": 1}, 10**5000)] == ["", "", "", ""]


def test_an_unknown_field_where_nothing_is_known() -> None:
    """There is nothing to choose from, so it goes."""
    assert str(unknown(("a",), "b", [])) == "Unknown field 'b'.\n  at: a.b\n  fix: nothing can be set here; remove it"
