"""Values that must not be shown, and taking them out of text.

The values a ``Secret`` has handed out in this process are remembered here, in every spelling in which they tend to turn
up in messages; everything solidstate writes down for people or machines goes through :func:`redact`. This module is
below all others, because already the shortest message echoes values.

Exact values are found, not what a program makes of them: half a password, or its hash, is text like any other.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterator
from typing import Any

MASK = "[secret]"
MIN_LENGTH = 4
"""Characters. Taking out shorter values would leave nothing of the text around them."""
_MIN_LINE = 8
_MIN_BASE64 = 8

_values: dict[str, None] = {}  # each kept once; dict operations are atomic, so no lock is needed
_built: tuple[int, re.Pattern[str] | None] = (0, None)


def remember(value: str) -> None:
    """Take ``value``, of at least MIN_LENGTH characters, out of whatever this process redacts from now on."""
    _values.setdefault(value)


def redact(text: str) -> str:
    """The text with ``[secret]`` in the place of every remembered value: as it is, as a line of it, as JSON and Python
    spell it (as bytes too), escaped for HTML, quoted for a URL, and in base64, also inside longer base64."""
    pattern = _pattern()
    return text if pattern is None else pattern.sub(MASK, text)


def redacted(value: Any) -> Any:
    """Plain data with all its texts, keys too, redacted. The value itself when nothing has to be hidden."""
    if _pattern() is None:
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redacted(key): redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(item) for item in value]
    return value


anything_to_hide = _values.__len__
"""How many values have been remembered in this process. Asked for every event, so it is no function of Python's."""


def _pattern() -> re.Pattern[str] | None:
    global _built  # noqa: PLW0603 - what a process has to hide is state of the process
    if len(_values) != _built[0]:
        values = list(_values)
        spellings = {spelling for value in values for spelling in _spellings(value)}
        # Of two that begin alike the longer one has to be tried first.
        ordered = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
        _built = (len(values), re.compile("|".join(map(re.escape, ordered))))
    return _built[1]


def _spellings(value: str) -> Iterator[str]:
    import html  # only a process that holds a secret needs these

    lines = value.splitlines()
    parts = [value] if len(lines) < 2 else [value, *(line for line in map(str.strip, lines) if len(line) >= _MIN_LINE)]
    for part in parts:
        once = {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1], repr(part)[1:-1]}
        once.add(repr(f'"{part}')[2:-1])  # beside a double quote, single ones are escaped
        data = part.encode("utf-8", "surrogatepass")
        once |= {repr(data)[2:-1], repr(b'"' + data)[3:-1], html.escape(part), html.escape(part, quote=False)}
        yield from once
        yield from (json.dumps(text)[1:-1] for text in once)  # a document inside a document
    yield value.strip() if len(value.strip()) >= MIN_LENGTH else value
    data = value.encode("utf-8", "surrogatepass")
    for safe in ("", "/"):
        quoted = urllib.parse.quote(data, safe=safe)
        yield from (quoted, quoted.replace("%20", "+"), re.sub("%..", lambda found: found[0].lower(), quoted))
    yield from _base64(data)


def _base64(data: bytes) -> Iterator[str]:
    """Its own base64, and what is the same wherever the value stands in longer data (``user:password``)."""
    import base64

    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(data).decode()
        yield from (whole, whole.rstrip("="))
        for shift in range(3):
            digits = encode(bytes(shift) + data).decode().rstrip("=")
            first = -(-shift * 8 // 6)  # the digits before hold bits of what stands in front
            last = (shift + len(data)) * 8 // 6  # and those from here on bits of what follows
            if last - first >= _MIN_BASE64:
                yield digits[first:last]
