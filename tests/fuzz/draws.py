"""Bytes read as decisions: what turns the output of any fuzzer into documents that come near to valid ones.

Bytes that have run out decide for the first and the least of everything, so every document comes to an end.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")

HOSTILE = (
    "",
    "..",
    ".",
    "../../etc/passwd",
    "/etc/passwd",
    "%2e%2e/",
    "..\\..\\x",
    "a\0b",
    "a\nerror: forged",
    "\r",
    "\x1b[2J",
    "\x9b31m",
    "\x1b]0;title\x07",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\u2028",
    "\ud800",
    "\N{ZERO WIDTH JOINER}",
    "e\u0301" * 40,
    "x" * 10_000,
    "<script>alert(1)</script>",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "-rf",
    "__class__",
    "*",
    "a@b",
    "CON",
    "1" * 5_000,
)
"""Texts that have hurt other programs."""
NUMBERS = (0, 1, -1, 255, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**40, 10**400, 0.5, -0.0, 1e300, 1e-320)
NO_NUMBERS = (float("inf"), float("-inf"), float("nan"))


class Draws:
    """Decisions from ``data``, first byte first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def over(self) -> bool:
        return self._at >= len(self._data)

    def number(self, below: int) -> int:
        """From 0 on, and below ``below``, which is at most 65,536."""
        size = 1 if below <= 256 else 2
        taken = self.take(size)
        return int.from_bytes(taken, "big") % below

    def pick(self, options: Sequence[T]) -> T:
        return options[self.number(len(options))]

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def rest(self) -> bytes:
        return self.take(max(0, len(self._data) - self._at))

    def text(self, words: Sequence[str] = ()) -> str:
        """Mostly a known word, at times a hostile one, or letters as they come."""
        kind = self.number(8)
        if kind < 4 and words:
            return self.pick(words)
        if kind < 5:
            return self.pick(HOSTILE)
        if kind < 6 and words:
            return self.pick(words) + self.pick(HOSTILE)
        return self.take(self.number(24)).decode("utf-8", "surrogateescape")

    def leaf(self, words: Sequence[str] = (), *, json: bool = False) -> Any:
        """A text, a number, a truth or nothing. ``json``: nothing that only Python has."""
        kind = self.number(10)
        if kind == 0:
            return None
        if kind == 1:
            return bool(self.number(2))
        if kind == 2:
            return self.number(65_536) - 100
        if kind == 3:
            return self.pick(NUMBERS)
        if kind == 4:
            number: float = struct.unpack("<d", self.take(8).ljust(8, b"\0"))[0]
            return number if not json or abs(number) < float("inf") else 0.0
        if kind == 5 and not json:
            return self.pick(NO_NUMBERS)
        return self.text(words)

    def value(self, words: Sequence[str] = (), *, depth: int = 5, json: bool = False) -> Any:
        """A document, with ``words`` among its keys and texts."""
        kind = self.number(8) if depth and not self.over else 0
        if kind < 4:
            return self.leaf(words, json=json)
        count = self.number(5)
        if kind < 6:
            return {self.text(words): self.value(words, depth=depth - 1, json=json) for _ in range(count)}
        if kind == 7 and self.number(32) == 1:
            return self._deep(count)
        return [self.value(words, depth=depth - 1, json=json) for _ in range(count)]

    def changed(self, document: Any, words: Sequence[str] = (), *, json: bool = False) -> Any:
        """A valid document with some of it replaced, taken away or added."""
        if self.over:
            return document
        kind = self.number(8)
        if isinstance(document, dict) and kind < 6:
            made = dict(document)
            for key in list(document):
                what = self.number(8)
                if what == 1:
                    del made[key]
                elif what == 2:
                    made[self.text(words)] = made.pop(key)
                elif what > 5:
                    made[key] = self.changed(made[key], words, json=json)
            return made
        if isinstance(document, list) and kind < 6:
            return [self.changed(one, words, json=json) for one in document] * (1 + (self.number(8) == 1))
        return document if kind < 4 else self.value(words, json=json)

    def _deep(self, kind: int) -> Any:
        """Nested as nobody nests."""
        found: Any = 1
        for _ in range((60, 70, 900, 3_000, 20_000)[kind]):
            found = [found]
        return found
