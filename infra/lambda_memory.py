"""How much memory a process and its children use, as Linux counts it.

Lambda's limit is on resident memory. ``RLIMIT_AS`` would limit reserved addresses instead, of which thread pools and
allocators take many times what they use; and it fails an allocation, where Lambda kills.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_SHARE = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_PROC = Path("/proc")


def peak_bytes(pid: int) -> int:
    """The most that the process has ever had, so that nothing slips through between two looks; with children, what all
    have now when that is more. 0 for a process that is gone.

    Memory that parent and child share is divided between them.
    """
    peak = _number(_PEAK, _PROC / str(pid) / "status")
    family = _descendants(pid)
    if not family:
        return peak
    return max(peak, sum(_number(_SHARE, _PROC / str(one) / "smaps_rollup") for one in [pid, *family]))


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    todo = [pid]
    while todo:
        for listed in (_PROC / str(todo.pop()) / "task").glob("*/children"):
            with contextlib.suppress(OSError):  # it has just ended
                children = [int(one) for one in listed.read_text().split()]
                found += children
                todo += children
    return found


def _number(pattern: re.Pattern[str], path: Path) -> int:
    try:
        found = pattern.search(path.read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found is not None else 0
