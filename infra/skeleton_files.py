"""Files that are written for users, kept as files: texts with ``<<name>>`` where something is filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent / "skeletons"
SUFFIX = ".tmpl"
"""Keeps tools from taking a skeleton for what it will become."""
_PLACE = re.compile(r"<<(\w+)>>")


def filled(name: str, values: Mapping[str, str]) -> str:
    """The skeleton ``name``, filled in; a name that is not in ``values`` is a KeyError."""
    return fill((FOLDER / f"{name}{SUFFIX}").read_text("utf-8"), values)


def fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: values[found[1]], text)
