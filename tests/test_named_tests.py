"""Pages that say which test shows what they claim: the tests are there."""

from __future__ import annotations

import re

import pytest

from tests.test_repository import ROOT


@pytest.mark.parametrize(("page", "at_least"), [("SECURITY.md", 15), ("docs/reliability.md", 40)])
def test_every_test_a_page_names_is_there(page: str, at_least: int) -> None:
    """By file, and by function where one is named."""
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / page).read_text())
    assert len(named) >= at_least
    for file, function in named:
        text = (ROOT / file).read_text()
        assert not function or f"\ndef {function}(" in text, (file, function)
