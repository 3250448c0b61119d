"""The kept inputs of each target: a file of lines in base64, each an input that reaches something no other reaches, or
that once broke the target."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

FOLDER = Path(__file__).parent / "corpora"
MAX_KEPT_BYTES = 6 * 1024
"""Of all inputs of one target together."""
_OURS = ("/solidstate/", "/handler/", "/infra/", "/planner/", "/storage/")

Line = tuple[str, int]


def kept(name: str) -> list[bytes]:
    """The inputs kept for a target."""
    path = FOLDER / f"{name}.txt"
    return [base64.b64decode(line) for line in path.read_text().splitlines()] if path.exists() else []


def keep(name: str, inputs: Iterable[bytes]) -> None:
    """Write them down."""
    lines = [base64.b64encode(one).decode() for one in dict.fromkeys(inputs)]
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))


def smallest(check: Callable[[bytes], None], inputs: Iterable[bytes]) -> list[bytes]:
    """Of ``inputs`` a few small ones that run nearly as many lines of the product as all of them, those first that run
    most for their size."""
    reached = {one: lines_of(check, one) for one in dict.fromkeys(inputs)}
    chosen: list[bytes] = []
    seen: set[Line] = set()
    size = 0
    while reached:
        best = max(reached, key=lambda one: (len(reached[one] - seen) / (20 + len(one)), -len(one)))
        new = reached.pop(best) - seen
        if not new:
            break
        if size + len(best) <= MAX_KEPT_BYTES:
            chosen.append(best)
            seen |= new
            size += len(best)
    return chosen


def lines_of(check: Callable[[bytes], None], data: bytes) -> set[Line]:
    """The lines of the product that an input runs."""
    found: set[Line] = set()

    def line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            found.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    def call(frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        return line if any(part in name for part in _OURS) and "/tests/" not in name else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        check(data)
    finally:
        sys.settrace(before)
    return found
