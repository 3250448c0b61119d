"""Error texts kept in a file for people to read, and to read again as a diff when one changes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

GOLDEN = Path(__file__).parent.parent / "golden" / "errors"


def compare(name: str, texts: Mapping[str, str]) -> None:
    """Compare texts by case with those on file; ``UPDATE_GOLDEN=1`` writes them instead."""
    written = "".join(f"## {case}\n{text}\n\n" for case, text in texts.items())
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written)
    assert path.read_text() == written
