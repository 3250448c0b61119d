"""What a run is going to do, said before it begins: which steps it computes, what it takes from an earlier run."""

from __future__ import annotations

from solidstate.cli.text import Line, Span, line
from solidstate.handler.reuse import Reuse

MOST = 12
"""Names in a line."""


def reuse_lines(reuse: Reuse) -> list[Line]:
    """Nothing for a run of everything."""
    if not reuse.reuse and not reuse.leave and not reuse.from_run:
        return []
    total = len(reuse.compute) + len(reuse.reuse) + len(reuse.leave)
    lines = [_named(f"computing {len(reuse.compute)} of {total} steps", reuse.compute)]
    if reuse.from_run:
        lines.append(_named(f"reusing from run {reuse.from_run}", reuse.reuse))
    if reuse.leave:
        lines.append(_named("leaving out", reuse.leave))
    return lines


def _named(what: str, names: list[str]) -> Line:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return line(Span(f"{what}: ", "dim"), (", ".join(names[:MOST]) or "nothing") + more)
