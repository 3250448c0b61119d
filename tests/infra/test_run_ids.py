"""What a run may be called."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate.errors import EngineError
from solidstate.infra.run_ids import check_run_id


@pytest.mark.parametrize("name", ["2026-11-28-120000-a1b2c3", "r", "2026.11_a-b", "x" * 80])
def test_plain_names_are_taken(name: str) -> None:
    """Those we make ourselves among them."""
    check_run_id(name)


@pytest.mark.parametrize("name", ["", "a/b", "-a", ".", "x" * 81, "ä", "a\n", 5])
def test_others_are_refused(name: Any) -> None:
    """Before anything is made of them."""
    with pytest.raises(EngineError, match="cannot be used: expected a letter or digit, then letters"):
        check_run_id(name)
