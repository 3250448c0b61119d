"""Target: a selection of steps."""

from __future__ import annotations

from solidstate.selection import select_steps
from tests.fuzz.draws import Draws

UPSTREAM = {
    "read": [],
    "add": ["read"],
    "split": ["add"],
    "outer.inner": ["read", "split"],
    "sort": ["outer.inner", "add"],
}
GROUPS = {"outer": ["outer.inner"]}
TAGS = {"read": {"owner": "ops"}, "add": {"owner": "dev", "tier": "gold"}}
_PIECES = (*UPSTREAM, "outer", "*", "+", ",", " ", "1", "9" * 9, "9" * 10, "tag:", "owner", "=ops", "tier", "=", ".")


def expression_of(data: bytes) -> str:
    """Text as it comes, or pieces of selections in any order."""
    draws = Draws(data)
    if draws.number(2):
        return draws.rest().decode("utf-8", "surrogateescape")
    pieces: list[str] = []
    while not draws.over:
        pieces.append(draws.text(_PIECES) if draws.number(8) == 1 else draws.pick(_PIECES))
    return "".join(pieces)


def check(data: bytes) -> None:
    expression = expression_of(data)
    chosen, errors = select_steps(expression, UPSTREAM, GROUPS, TAGS)
    assert chosen == [step for step in UPSTREAM if step in chosen]
    assert chosen or errors
    for error in errors:
        assert error.problem.isprintable()
        assert error.hint.isprintable()
        assert len(error.problem) < 300
