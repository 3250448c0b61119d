"""Whether what one solid produces can ever be what another one takes, told before anything runs.

Two types conflict when no value passes the checks of both, as far as that can be proved: a list that happens to be
empty is left out of account, everything else that might pass counts. So a base class into its subclass is no conflict
(the value may be of the subclass), nor ``X | None`` into ``X`` (it may not be None), nor two classes that a third could
be derived from both. What cannot be proved is checked when the value is there.
"""

from __future__ import annotations

import enum
import functools
import types
import typing
from collections import abc
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from solidstate.type_checks import OwnType, checker, holds_its_arguments, keys_of, stands_for, type_name

MAX_DEPTH = 20
"""Types within types. What is nested deeper, or contains itself, is left to run time."""
_SUBCLASSABLE = 1 << 10
"""CPython's Py_TPFLAGS_BASETYPE: a class without it has no subclasses, such as ``bool``."""
_DICT_AND_WEAKREF = 8
"""Bytes that each of the two slots adds, which do not stand in the way of another base class."""


class Conflict(msgspec.Struct, frozen=True):
    """``produced`` and ``wanted`` exclude each other at ``place`` inside the value (empty: the value itself)."""

    produced: str
    wanted: str
    place: str = ""

    def under(self, step: str) -> Conflict:
        return Conflict(self.produced, self.wanted, step + self.place)


def conflict(produced: Any, wanted: Any) -> Conflict | None:
    """Why no value can be of both types, or None when that is not provable. Never raises."""
    try:
        # Most edges join equal types.
        return None if produced is wanted or produced == wanted else _conflict(produced, wanted, 0)
    except Exception:  # noqa: BLE001 - types are objects of the user's; what cannot be looked into proves nothing
        return None


def _conflict(produced: Any, wanted: Any, depth: int) -> Conflict | None:
    a, b = _bare(produced), _bare(wanted)
    if depth > MAX_DEPTH or a is Any or b is Any:
        return None
    if get_origin(a) in (Union, types.UnionType):
        return _all_conflict([_conflict(one, b, depth + 1) for one in get_args(a)], a, b)
    if get_origin(b) in (Union, types.UnionType):
        return _all_conflict([_conflict(a, one, depth + 1) for one in get_args(b)], a, b)
    for values, other in ((_values(a), b), (_values(b), a)):
        if values is not None:
            check = checker(other)
            excluded = check is not None and all(check(value) is not None for value in values)
            return _between(a, b) if excluded else None
    if all(_apart(x, y) for x in _classes(a) for y in _classes(b)):
        return _between(a, b)
    return _inside(a, b, depth + 1)


def _all_conflict(found: list[Conflict | None], a: Any, b: Any) -> Conflict | None:
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    return known[0] if len(known) == 1 else _between(a, b)


def _between(a: Any, b: Any) -> Conflict:
    return Conflict(type_name(a), type_name(b))


def _bare(annotation: Any) -> Any:
    """The type without what only names or narrows it; Any for what nothing is known of."""
    for _ in range(MAX_DEPTH):
        other = stands_for(annotation)
        if other is not annotation:
            annotation = other
        elif get_origin(annotation) is typing.Annotated:
            # An own type beside others says more than they do, and only a value can tell what.
            own = next((one for one in get_args(annotation)[1:] if isinstance(one, OwnType)), None)
            python = getattr(own, "python", Any)
            annotation = get_args(annotation)[0] if python is Any else python
        elif isinstance(annotation, OwnType) and not isinstance(annotation, type):
            annotation = getattr(annotation, "python", Any)
        else:
            break
    if annotation is None:
        return type(None)
    known = isinstance(annotation, type) or get_origin(annotation) is not None
    return annotation if known and annotation is not object else Any


def _values(annotation: Any) -> list[Any] | None:
    """All values of a type that has few; None for any other."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if annotation is type(None):
        return [None]
    if annotation is bool:
        return [True, False]
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum) and not issubclass(annotation, enum.Flag):
        return list(annotation) or None
    return None


_TOWER: dict[Any, tuple[type, ...]] = {float: (float, int), complex: (complex, float, int)}
"""What the checks accept beside the class itself, as PEP 484 has it."""


def _classes(annotation: Any) -> tuple[type, ...]:
    """Classes one of which a value of the type is an instance of."""
    cls = get_origin(annotation) or annotation
    if typing.is_typeddict(cls):
        return (dict,)
    return _TOWER.get(cls, (cls,)) if isinstance(cls, type) else (object,)


@functools.lru_cache(maxsize=4096)
def _apart(a: type, b: type) -> bool:
    """Whether Python itself rules out an instance of both: neither is a subclass of the other, and no class can be
    derived from the two, because one is final or because their layouts in memory differ."""
    # A class that answers `isinstance` by its own rules (an ABC, a protocol) may take anything.
    if any(type(cls).__instancecheck__ is not type.__instancecheck__ for cls in (a, b)):
        return False
    if issubclass(a, b) or issubclass(b, a):
        return False
    if _final(a) or _final(b):
        return True
    x, y = _layout(a), _layout(b)
    return not (issubclass(x, y) or issubclass(y, x))


def _final(cls: type) -> bool:
    return not cls.__flags__ & _SUBCLASSABLE or bool(cls.__dict__.get("__final__"))


def _layout(cls: type) -> type:
    """The class in the line of its bases that last added to an instance's memory. In doubt, an earlier one."""
    base = cls.__base__
    if base is None:
        return cls
    below = _layout(base)
    free = 0
    for slot in ("__dictoffset__", "__weakrefoffset__"):
        if getattr(cls, slot) and not getattr(below, slot):
            free += _DICT_AND_WEAKREF
    grown = cls.__basicsize__ - below.__basicsize__ > free
    return cls if grown or cls.__itemsize__ != below.__itemsize__ else below


def _inside(a: Any, b: Any, depth: int) -> Conflict | None:
    """What two kinds of container that do not exclude each other hold."""
    if typing.is_typeddict(a) and typing.is_typeddict(b):
        return _keys(a, b, depth)
    for one, other, swapped in ((a, b, False), (b, a, True)):
        if typing.is_typeddict(one):
            pair = _pair(other)
            return _record(one, pair, depth, swapped=swapped) if pair is not None else None
    pairs = _pair(a), _pair(b)
    if pairs[0] is not None and pairs[1] is not None:
        key = _conflict(pairs[0][0], pairs[1][0], depth)
        if key is not None:
            return key.under(".keys()")
        value = _conflict(pairs[0][1], pairs[1][1], depth)
        return value.under("[...]") if value is not None else None
    return _items(a, b, depth)


def _keys(a: Any, b: Any, depth: int) -> Conflict | None:
    """Two TypedDicts: each refuses keys that it does not know."""
    (hints_a, needed_a), (hints_b, needed_b) = keys_of(a), keys_of(b)
    if needed_a - hints_b.keys() or needed_b - hints_a.keys():
        return _between(a, b)
    for key in sorted(needed_a | needed_b):
        found = _conflict(hints_a[key], hints_b[key], depth)
        if found is not None:
            return found.under(f"[{key!r}]")
    return None


def _record(record: Any, pair: tuple[Any, Any], depth: int, *, swapped: bool) -> Conflict | None:
    """A TypedDict and a mapping of keys to values of one type."""
    hints, needed = keys_of(record)
    for key in sorted(needed):
        for part, other, place in ((str, pair[0], ".keys()"), (hints[key], pair[1], f"[{key!r}]")):
            found = _conflict(other, part, depth) if swapped else _conflict(part, other, depth)
            if found is not None:
                return found.under(place)
    return None


def _pair(annotation: Any) -> tuple[Any, Any] | None:
    """Types of key and value of a mapping that is looked into."""
    origin, args = get_origin(annotation), get_args(annotation)
    mapping = isinstance(origin, type) and issubclass(origin, abc.Mapping) and holds_its_arguments(origin)
    return (args[0], args[1]) if mapping and len(args) == 2 else None


def _items(a: Any, b: Any, depth: int) -> Conflict | None:
    """Lists, tuples, sets: a tuple of fixed length place by place, anything else by its one type of item."""
    fixed_a, fixed_b = _fixed(a), _fixed(b)
    if fixed_a is not None and fixed_b is not None:
        if len(fixed_a) != len(fixed_b):
            return _between(a, b)
        pairs = list(enumerate(zip(fixed_a, fixed_b, strict=True)))
    else:
        item_a, item_b = _item(a), _item(b)
        if fixed_a is not None and item_b is not None:
            pairs = [(index, (one, item_b)) for index, one in enumerate(fixed_a)]
        elif fixed_b is not None and item_a is not None:
            pairs = [(index, (item_a, one)) for index, one in enumerate(fixed_b)]
        elif item_a is not None and item_b is not None:
            found = _conflict(item_a, item_b, depth)
            return found.under("[...]") if found is not None else None
        else:
            return None
    for index, (one, other) in pairs:
        found = _conflict(one, other, depth)
        if found is not None:
            return found.under(f"[{index}]")
    return None


def _fixed(annotation: Any) -> tuple[Any, ...] | None:
    args = get_args(annotation)
    if get_origin(annotation) is not tuple or (len(args) == 2 and args[1] is Ellipsis):
        return None
    open_ended = any(getattr(arg, "__unpacked__", False) or get_origin(arg) is typing.Unpack for arg in args)
    return None if open_ended else args


def _item(annotation: Any) -> Any:
    """The type of every item of a collection that is looked into; None for others. A mapping's items are its keys."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return args[0] if len(args) == 2 and args[1] is Ellipsis else None
    if isinstance(origin, type) and args and holds_its_arguments(origin):
        return args[0]
    return None
