"""Whether two values are the same in a stricter sense than ``==``: equal, and of equal types all the way down.

``==`` takes 1 for True and 1.0, a list of Structs for a list of their subclasses, and noon in Paris for 11:00 UTC. A
storage format that confuses those would let a pipeline compute something else after a retry than before it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import inspect
import math
import uuid
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from solidstate.storage.models import is_model, same_models

MAX_DEPTH = 200
"""Levels of nesting. Far below Python's recursion limit, so that depth is refused here and never there."""

# Types whose values are the same when types and == agree. Floats belong here although 0.0 == -0.0: what is compared was
# copied bit by bit, the question is only whether something else was put in its place.
_EASY = frozenset({type(None), bool, int, str, float, bytes, dt.date, dt.timedelta, uuid.UUID, range})


def same(a: Any, b: Any, depth: int = 0) -> bool:
    """Equal values of equal types. False also for what is nested more than 200 levels deep, and for any object of a
    class whose content is unknown."""
    kind: type[Any] = type(a)
    if kind is not type(b):
        return False
    if kind is float:
        return a == b or (math.isnan(a) and math.isnan(b))
    if kind in _EASY:
        return bool(a == b)
    if depth >= MAX_DEPTH:
        return False
    if kind is list or kind is tuple:
        return _same_items(a, b, depth)
    if kind is dict:
        return _same_items(list(a), list(b), depth) and _same_items(list(a.values()), list(b.values()), depth)
    if kind is set or kind is frozenset:
        return len(a) == len(b) and _same_members(a, b, depth + 1)
    if isinstance(a, msgspec.Struct):
        return _same_items(msgspec.structs.astuple(a), msgspec.structs.astuple(b), depth) and _same_extras(a, b)
    if isinstance(a, enum.Enum) or a is msgspec.UNSET:
        return a is b
    if isinstance(a, tuple):
        return _same_items(list(a), list(b), depth)
    if dataclasses.is_dataclass(a):
        names = [field.name for field in dataclasses.fields(a)]
        return (
            [hasattr(a, name) for name in names] == [hasattr(b, name) for name in names]
            and _same_items([getattr(a, n, None) for n in names], [getattr(b, n, None) for n in names], depth)
            and _same_extras(a, b)
        )
    if is_model(kind):
        return same_models(a, b, lambda x, y: same(x, y, depth + 1))
    return _same_leaf(a, b)


def _same_items(a: Any, b: Any, depth: int) -> bool:
    if len(a) != len(b):
        return False
    kinds = tuple(map(type, a))
    if kinds != tuple(map(type, b)):
        return False
    if _EASY.issuperset(kinds) and a == b:  # all of it at C speed; NaN is not equal to itself and takes the long way
        return True
    below = depth + 1
    return all(same(x, y, below) for x, y in zip(a, b, strict=True))


def _same_members(a: Any, b: Any, depth: int) -> bool:
    there = {item: item for item in b}
    left = []
    for item in a:
        if item in there:
            if not same(item, there.pop(item), depth):
                return False
        else:
            left.append(item)  # what holds a NaN is not found by looking it up
    others = list(there.values())
    for item in left:
        match = next((i for i, other in enumerate(others) if same(item, other, depth)), None)
        if match is None:
            return False
        others.pop(match)
    return True


def attributes_beside_fields(value: Any) -> list[str]:
    """Names in an object's ``__dict__`` that its class does not declare as fields. No format keeps them. What a
    ``cached_property`` remembered is left out: it can be computed again."""
    names = getattr(value, "__dict__", {}).keys()
    if not names:
        return []
    if isinstance(value, msgspec.Struct):
        extra = names - set(value.__struct_fields__)
    else:
        extra = names - {field.name for field in dataclasses.fields(value)}
    return sorted(n for n in extra if not isinstance(inspect.getattr_static(type(value), n, None), cached_property))


def _same_extras(a: Any, b: Any) -> bool:
    return not attributes_beside_fields(a) and not attributes_beside_fields(b)


def _same_leaf(a: Any, b: Any) -> bool:
    if isinstance(a, dt.datetime | dt.time):
        return a.replace(tzinfo=None) == b.replace(tzinfo=None) and a.fold == b.fold and _same_zone(a.tzinfo, b.tzinfo)
    if isinstance(a, Decimal):
        return str(a) == str(b)  # 1.0 and 1.00 are equal and not the same; NaN is the same and not equal
    if isinstance(a, complex):
        return same([a.real, a.imag], [b.real, b.imag])
    if isinstance(a, bytearray):
        return bytes(a) == bytes(b)
    return False


def _same_zone(a: dt.tzinfo | None, b: dt.tzinfo | None) -> bool:
    if a is b or type(a) is not type(b):
        return a is b
    from zoneinfo import ZoneInfo

    if isinstance(a, ZoneInfo) and isinstance(b, ZoneInfo):
        return a.key == b.key and a.key is not None  # two loaded from one name are not equal to each other
    return a == b and str(a) == str(b)  # a fixed offset may have a name, which == does not look at
