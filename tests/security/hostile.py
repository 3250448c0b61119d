"""Names that have hurt other programs, and how it is told that a text is harmless."""

from __future__ import annotations

import pytest

from solidstate.errors import (
    ForeignCommit,
    IntermediateError,
    MissingIntermediate,
    MistypedIntermediate,
    UnreadableCommit,
)

NAMES = {
    "parent": "..",
    "path": "../../etc/passwd",
    "absolute": "/etc/passwd",
    "percent": "%2e%2e/",
    "backslash": "..\\x",
    "nul": "a\0b",
    "long": "x" * 10_000,
    "right_to_left": "a\u202egnp.exe",
    "isolate": "a\u2066b",
    "joiner": "a\u200db",
    "clear_screen": "\x1b[2J",
    "control_c1": "a\x9b31mb",
    "title": "\x1b]0;owned\x07",
    "newline": "a\nerror: forged",
    "return": "a\rforged",
    "line_separator": "a\u2028forged",
    "surrogate": "a\ud800b",
    "markup": "<script>alert(1)</script>",
}
EVERY = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
DAMAGED = {
    kind.__name__
    for kind in (ForeignCommit, IntermediateError, MissingIntermediate, MistypedIntermediate, UnreadableCommit)
}
"""As which errors a step refuses what somebody else has written."""
LONGEST_ERROR = 13_000
"""Characters of an error about one name, whatever the name: it may stand in each of three parts."""


def steering(text: str) -> str:
    """The characters of a text that steer a terminal or turn text round; line breaks are looked at apart."""
    return "".join(char for char in text if not (char.isprintable() or char == "\n"))


def assert_harmless(text: str) -> None:
    """Nothing in it steers a terminal, and no line of it can pass for one of ours."""
    assert steering(text) == ""
    assert "\nerror: forged" not in text
    assert "\nforged" not in text


def assert_told(text: str) -> None:
    """An error as the command line shows it: harmless, bounded, no traceback, none of our own bugs."""
    assert_harmless(text)
    assert text.startswith(("error: ", "usage: "))
    assert "Traceback" not in text
    assert "broke down" not in text
    assert len(text) < LONGEST_ERROR
