"""Texts of users, written whatever they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.handler.plain import clip, clip_json, clip_middle, encodable, text_of


class Unprintable:
    """An object whose text fails."""

    def __str__(self) -> str:
        raise RuntimeError("no str")

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (Path("a/b"), "a/b"),
        (7, "7"),
        ("\udcff", "\\udcff"),
        (Unprintable(), "<Unprintable whose repr() fails>"),
    ],
)
def test_text_of_anything(value: object, text: str) -> None:
    """Paths and numbers are natural things to give where a text is wanted."""
    assert text_of(value) == text


@given(text=st.text(st.characters(codec=None)), limit=st.integers(10, 200))
def test_clipped_texts_fit(text: str, limit: int) -> None:
    """Each in its own measure, and short ones are left alone."""
    assert len(clip(text, limit)) <= limit
    assert len(json.dumps(clip_json(text, limit))) <= limit
    assert len(json.dumps(text)) > limit or clip_json(text, limit) == text
    encodable(text).encode()
    assert clip_middle(text, 10_000) == text


def test_the_middle_goes_first() -> None:
    """Both ends of a traceback matter."""
    assert clip_middle("a" * 10 + "b" * 10, 8) == "aaaa\n... 12 characters left out ...\nbbbb"
