"""Where in a file each part of a run request stands, so that its errors can be found by line and column.

Made only when there is something to report. The errors themselves are the same wherever a request comes from; the place
is told beside them.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Generator, Sequence

from solidstate.config_errors import ConfigError
from solidstate.errors import RequestErrors

Step = str | int
Place = tuple[int, int]
"""Line and column, both from 1."""
Places = dict[tuple[Step, ...], tuple[Place, Place]]
"""By path: where the key stands (of an item of a list: the item), and where its value begins."""

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def locate(errors: RequestErrors, places: Places, elsewhere: Sequence[tuple[str, ...]] = ()) -> RequestErrors:
    """Note on each error where to look. What is missing is missing in the nearest part that is there; errors of parts
    that came from ``elsewhere`` (the command line) have no place."""
    for error in errors.items:
        if isinstance(error, ConfigError) and error.steps:
            error.place = _place(error, places, elsewhere)
    return errors


def _place(error: ConfigError, places: Places, elsewhere: Sequence[tuple[str, ...]]) -> Place | None:
    path = error.steps
    if any(path[: len(one)] == one for one in elsewhere):
        return None
    if path in places:
        key, value = places[path]
        return key if error.reason == "unknown" or error.problem.startswith("Key: ") else value
    if error.reason != "missing":
        return None  # a preset's
    above = next((path[:end] for end in range(len(path) - 1, 0, -1) if path[:end] in places), None)
    return places[above][0] if above is not None else None


def json_places(text: str) -> Places:
    """Of a valid JSON document."""
    lines = [0, *(found.end() for found in re.finditer("\n", text))]
    places: Places = {}

    def at(position: int) -> Place:
        number = bisect.bisect_right(lines, position) - 1
        return number + 1, position - lines[number] + 1

    for path, key, value in _walk(text, _skip(text, 0), ()):
        places[path] = at(key), at(value)
    return places


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _walk(text: str, position: int, path: tuple[Step, ...]) -> Generator[tuple[tuple[Step, ...], int, int], None, int]:
    """Paths with the positions of key and value; the generator's value is the position after the value."""
    opening = text[position]
    if opening not in "{[":
        end: int = _DECODER.raw_decode(text, position)[1]
        return end
    position = _skip(text, position + 1)
    number = 0
    while text[position] not in "}]":
        key_at, step = position, number
        inner: tuple[Step, ...] = (*path, step)
        if opening == "{":
            key, position = _DECODER.raw_decode(text, position)
            position = _skip(text, _skip(text, position) + 1)  # the colon
            inner = (*path, str(key))
        yield inner, key_at, position
        position = _skip(text, (yield from _walk(text, position, inner)))
        if text[position] == ",":
            position = _skip(text, position + 1)
        number += 1
    return position + 1
