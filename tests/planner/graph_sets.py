"""Graphs of real pipelines, where a folder of them lies beside the checkout; see bench/graphs.py for their form."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("SOLIDSTATE_GRAPHS", Path(__file__).parents[3] / "shared" / "dagsets" / "public"))


def graph_sets(largest: int = 10**9) -> list[Any]:
    """One parameter for each graph whose file has at most ``largest`` bytes; a skipped one where there is no folder."""
    found = sorted(path for path in FOLDER.glob("*.json") if path.stat().st_size <= largest)
    if not found:
        return [pytest.param(FOLDER, marks=pytest.mark.skip(reason="no folder of graphs beside the checkout"))]
    return [pytest.param(path, id=path.stem) for path in found]
