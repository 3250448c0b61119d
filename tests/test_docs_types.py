"""The page on types does what it says."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "types.md"


def test_the_blocks_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of Python on the page, with its own assertions, in one module."""
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    module = types.ModuleType("types_page")
    monkeypatch.setitem(sys.modules, "types_page", module)
    for block in code:
        exec(compile(block, str(PAGE), "exec"), module.__dict__)  # noqa: S102 - the page is ours
    assert len(code) == 6
