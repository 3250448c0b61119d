"""What to say when a value has no storage format: the reason, and the way out that fits its kind."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from decimal import Decimal

import msgspec

from solidstate.errors import NotStorable, shown
from solidstate.storage.models import is_model

_BUILT_INS = (int, float, str, bytes, bytearray, list, dict, tuple, set, frozenset, dt.datetime, dt.date, Decimal)


class Place:
    """Where inside a value; made for every item and put into words only when one of them is refused."""

    __slots__ = ("_key", "_parent", "_step")

    def __init__(self, parent: Place | None = None, key: object = None, step: str = "") -> None:
        self._parent = parent
        self._key = key
        self._step = step

    def path(self) -> str:
        """As in ``$[3].carrier``."""
        steps: list[str] = []
        place = self
        while place._parent is not None:
            bare = type(place._key) is str and place._key.isidentifier() and place._step in {"[%s]", ".%s"}
            steps.append(f".{place._key}" if bare else place._step % shown(place._key))
            place = place._parent
        return "$" + "".join(reversed(steps))


def refusal(value: object, path: str) -> NotStorable:
    """Why this object has no self-describing format, and what to do instead."""
    kind = type(value)
    name = kind.__name__
    declared = isinstance(value, (msgspec.Struct, enum.Enum)) or dataclasses.is_dataclass(value) or is_model(kind)
    if declared or (isinstance(value, tuple) and hasattr(kind, "_fields")):
        example = name if path == "$" else f"list[{name}]"
        hint = f"annotate the output, for example `-> {example}`, so that it can be read back"
    elif kind.__module__.partition(".")[0] == "numpy" and hasattr(value, "item"):
        hint = "return a plain number with `.item()`, or an array as an output of its own"
    elif _is_frame(kind):
        hint = "make it an output of its own: frames are stored alone, not inside other values"
    else:
        own = "declare the output as a `SolidType` with a codec of your own"
        base = next((cls for cls in kind.__mro__[1:] if cls in _BUILT_INS), None)
        way = f"convert it with `{base.__name__}(...)`" if base else "return built-in types, Structs or dataclasses"
        hint = f"{way}, or {own}"
    where = "" if path == "$" else f" (at `{path}`)"
    return NotStorable(f"`{name}` has no self-describing storage format{where}.", subject=name, path=path, hint=hint)


def _is_frame(kind: type) -> bool:
    package = kind.__module__.partition(".")[0]
    return package in {"pandas", "polars", "pyarrow"} and kind.__name__ in {"DataFrame", "Series", "Table"}
