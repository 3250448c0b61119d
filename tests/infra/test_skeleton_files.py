"""Skeletons are filled in completely or not at all."""

from __future__ import annotations

import pytest

from solidstate.infra.skeleton_files import FOLDER, SUFFIX, fill


def test_places_are_filled() -> None:
    """Wherever the name stands; marks of other languages are left alone."""
    assert fill("<<a>> << b, $(x) ${{ y }} [[z]] <<b>><<a>>", {"a": "1", "b": "2"}) == "1 << b, $(x) ${{ y }} [[z]] 21"


def test_nothing_stays_open() -> None:
    """A name that nobody knows is an error of ours."""
    with pytest.raises(KeyError):
        fill("<<unknown>>", {})


def test_only_skeletons_lie_there() -> None:
    """No tool takes one for what it will become."""
    assert [path.name for path in FOLDER.rglob("*") if path.is_file() and path.suffix != SUFFIX] == []
