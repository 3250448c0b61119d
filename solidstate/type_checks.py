"""Annotation -> a function that tells whether a value is of that type, and if not, where it is not.

Checks look only as deep as they must: containers element by element, everything else by ``isinstance``. A bool is not
an int, an int is a float (PEP 484's numeric tower). What no rule knows is accepted: typing is gradual.
"""

from __future__ import annotations

import types
import typing
from collections import abc
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import msgspec.inspect

from solidstate.errors import shown


class Mismatch:
    """One place where a value is not what its type says; the path grows while the check unwinds."""

    __slots__ = ("expected", "note", "path", "value")

    def __init__(self, expected: str, value: object, path: str = "", note: str = "") -> None:
        self.expected = expected
        self.value = value
        self.path = path
        self.note = note

    def under(self, step: str) -> Mismatch:
        self.path = step + self.path
        return self

    def describe(self) -> str:
        where = f" at `${self.path}`" if self.path else ""
        kind = type(self.value)
        numpy = kind.__module__ == "numpy"
        note = self.note or ("`.item()` makes a plain one of it" if numpy and self.value.shape == () else "")  # type: ignore[attr-defined]  # all of numpy's have one
        why = f": {note}" if note else ""
        name = f"numpy.{kind.__name__}" if numpy else type_name(kind)  # some have the names of Python's own
        return f"expected `{self.expected}`, got {shown(self.value)} of type `{name}`{where}{why}"


Checker = Callable[[Any], "Mismatch | None"]


@typing.runtime_checkable
class OwnType(typing.Protocol):
    """A type made by a user that brings its own check and stands inside other types: ``list[Positive]``."""

    name: str

    def checker(self) -> Checker | None: ...


def type_name(annotation: object) -> str:
    """How a type is written in messages: `list[Flight]`, `int | None`."""
    if annotation is Any or annotation is object:
        return "Any"
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is Ellipsis:
        return "..."
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return next((extra.name for extra in args[1:] if isinstance(extra, OwnType)), type_name(args[0]))
    if origin in (Union, types.UnionType):
        return " | ".join(type_name(arg) for arg in args)
    if origin is Literal:
        return " | ".join(repr(arg) for arg in args)
    if origin is not None and args:
        inner = ", ".join(type_name(arg) if not isinstance(arg, list) else "..." for arg in args)
        return f"{type_name(origin)}[{inner}]"
    if isinstance(annotation, type):
        return annotation.__name__ if annotation.__module__ in ("builtins", "typing") else annotation.__qualname__
    named = getattr(annotation, "__name__", None) or getattr(annotation, "name", None)
    if named:
        return str(named)
    # The repr of an arbitrary object may hold its address, and this name is part of a plan that is hashed.
    return str(annotation).removeprefix("typing.") if type(annotation).__module__ == "typing" else "Any"


def checker(annotation: object) -> Checker | None:
    """The check for a type, or None when every value passes. Raises what resolving a TypedDict's own hints raises."""
    if annotation is Any or annotation is object or annotation is typing.Hashable:
        return None
    if annotation is None or annotation is type(None):
        return _is_none
    if _is_alias(annotation):
        return _later(lambda: checker(stands_for(annotation)))
    other = stands_for(annotation)
    if other is not annotation:
        return checker(other)
    if annotation is typing.Never or annotation is typing.NoReturn:
        return partial(Mismatch, "Never")
    if isinstance(annotation, OwnType) and not isinstance(annotation, type):
        return annotation.checker()
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return _annotated(args[0], args[1:])
    if annotation is typing.Tuple:  # noqa: UP006  # bare, it looks like the empty tuple's type
        return _instance(tuple)
    if origin in (Union, types.UnionType):
        return _union(annotation, args)
    if origin is Literal:
        return _literal(annotation, args)
    if origin is not None:
        return _generic(origin, args)
    if isinstance(annotation, type):
        return _typed_dict(annotation) if typing.is_typeddict(annotation) else _instance(annotation)
    return None


_QUALIFIERS = frozenset({typing.Required, typing.NotRequired, typing.Final, typing.ClassVar})
"""They say something about a name, nothing about its value."""


def stands_for(annotation: Any) -> Any:
    """The type that a type only is another name of: a NewType, a type variable (one of its constraints, its bound, or
    anything), ``type X = ...`` of Python 3.12, with parameters or without, a qualified one. Any other is its own."""
    origin = get_origin(annotation)
    if isinstance(annotation, typing.NewType):
        return annotation.__supertype__
    if isinstance(annotation, typing.TypeVar):
        if annotation.__constraints__:
            return Union[annotation.__constraints__]  # noqa: UP007 - made of a tuple
        return annotation.__bound__ if annotation.__bound__ is not None else Any
    if _is_alias(annotation):
        return annotation.__value__ if origin is None else origin.__value__[get_args(annotation)]
    if origin in _QUALIFIERS:
        return get_args(annotation)[0]
    return str if annotation is typing.LiteralString else annotation


def _is_alias(annotation: object) -> bool:
    """Whether this is a `type X = ...`, which may contain itself, or an `X[int]` of one."""
    return "TypeAliasType" in (type(annotation).__name__, type(get_origin(annotation)).__name__)


def _later(make: Callable[[], Checker | None]) -> Checker:
    """A check made at its first use: a type that contains itself is looked into only as deep as the value goes."""
    made = cache(make)
    return lambda value: check(value) if (check := made()) else None


def _is_none(value: Any) -> Mismatch | None:
    return None if value is None else Mismatch("None", value)


def _instance(cls: type) -> Checker:
    name = type_name(cls)
    if cls is int:
        return lambda v: None if isinstance(v, int) and not isinstance(v, bool) else Mismatch(name, v)
    if cls is float:
        return lambda v: None if isinstance(v, (float, int)) and not isinstance(v, bool) else Mismatch(name, v)
    if cls is complex:
        number = (complex, float, int)
        return lambda v: None if isinstance(v, number) and not isinstance(v, bool) else Mismatch(name, v)
    if getattr(cls, "_is_protocol", False) and not getattr(cls, "_is_runtime_protocol", False):
        return lambda v: None  # a protocol without @runtime_checkable cannot be checked
    return lambda v: None if isinstance(v, cls) else Mismatch(name, v)


def _annotated(base: object, extras: tuple[object, ...]) -> Checker | None:
    checks = [checker(base)]
    for extra in extras:
        if isinstance(extra, OwnType):
            checks.append(extra.checker())
        elif isinstance(extra, msgspec.Meta):
            checks.append(_limits(typing.Annotated[base, extra]))
    known = [check for check in checks if check is not None]
    return _all_of(known) if known else None


def _all_of(checks: list[Checker]) -> Checker:
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> Mismatch | None:
        return next((miss for one in checks if (miss := one(value)) is not None), None)

    return check


def _limits(constrained: Any) -> Checker | None:
    msgspec.inspect.type_info(constrained)  # raises TypeError for a limit the type cannot have

    def check(value: Any) -> Mismatch | None:
        try:
            msgspec.convert(value, constrained)
        except msgspec.ValidationError as error:
            problem, _, path = str(error).partition(" - at `$")
            return Mismatch(problem.removeprefix("Expected ").replace("`", ""), value, path.rstrip("`"))
        return None

    return check


def _union(annotation: object, args: tuple[object, ...]) -> Checker | None:
    checks = [checker(arg) for arg in args]
    if any(check is None for check in checks):
        return None
    known = [check for check in checks if check is not None]
    name = type_name(annotation)

    def check(value: Any) -> Mismatch | None:
        misses = []
        for one in known:
            miss = one(value)
            if miss is None:
                return None
            misses.append(miss)
        deep = [miss for miss in misses if miss.path]
        return deep[0] if len(deep) == 1 else Mismatch(name, value)

    return check


def _literal(annotation: object, args: tuple[object, ...]) -> Checker:
    allowed = {(type(arg), arg) for arg in args}
    name = type_name(annotation)

    def check(value: Any) -> Mismatch | None:
        try:
            return None if (type(value), value) in allowed else Mismatch(name, value)
        except TypeError:  # unhashable
            return Mismatch(name, value)

    return check


def _generic(origin: Any, args: tuple[Any, ...]) -> Checker | None:
    if not isinstance(origin, type):
        return None
    outer = _instance(origin)
    if origin is tuple:
        return _tuple(outer, args)
    if origin is type:
        return _class(args[0])
    if not args or not holds_its_arguments(origin):
        return outer
    if len(args) == 2:
        return _mapping(outer, checker(args[0]), checker(args[1]))
    return _collection(outer, checker(args[0]))


def holds_its_arguments(origin: type) -> bool:
    """Whether the arguments of a generic type are the types of what its values hold: Python's own mappings and
    collections. An iterator would be used up by looking at it, and what ``Box[int]`` means only its author knows."""
    own = origin.__module__ in ("builtins", "collections", "collections.abc")
    return own and issubclass(origin, abc.Collection) and origin is not abc.ItemsView


def _class(wanted: Any) -> Checker:
    """For ``type[X]``. What is no class in the place of X (a union, a type variable) is not looked at."""
    name = f"type[{type_name(wanted)}]"
    known = wanted if isinstance(wanted, type) and get_origin(wanted) is None and wanted is not Any else object

    def check(value: Any) -> Mismatch | None:
        return None if isinstance(value, type) and issubclass(value, known) else Mismatch(name, value)

    return check


def _tuple(outer: Checker, args: tuple[Any, ...]) -> Checker:
    if len(args) == 2 and args[1] is Ellipsis:
        return _collection(outer, checker(args[0]))
    if any(getattr(arg, "__unpacked__", False) or get_origin(arg) is typing.Unpack for arg in args):
        return outer  # `tuple[int, *tuple[str, ...]]`
    checks = [checker(arg) for arg in args]

    def check(value: Any) -> Mismatch | None:
        found = outer(value)
        if found is not None:
            return found
        if len(value) != len(checks):
            return Mismatch(f"tuple of {len(checks)}", value)
        for index, (one, element) in enumerate(zip(checks, value, strict=True)):
            miss = one(element) if one else None
            if miss is not None:
                return miss.under(f"[{index}]")
        return None

    return check


def _collection(outer: Checker, element_check: Checker | None) -> Checker:
    def check(value: Any) -> Mismatch | None:
        found = outer(value)
        if found is not None or element_check is None:
            return found
        for index, element in enumerate(value):
            miss = element_check(element)
            if miss is not None:
                return miss.under(f"[{index}]")
        return None

    return check


def _mapping(outer: Checker, key_check: Checker | None, value_check: Checker | None) -> Checker:
    def check(value: Any) -> Mismatch | None:
        found = outer(value)
        if found is not None:
            return found
        for key, element in value.items():
            miss = key_check(key) if key_check else None
            if miss is not None:
                return miss.under(f".keys({shown(key, 30)})")
            miss = value_check(element) if value_check else None
            if miss is not None:
                return miss.under(f"[{shown(key, 30)}]")
        return None

    return check


def keys_of(cls: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """The types of a TypedDict's keys, and the keys that must be there. Raises what resolving its hints raises."""
    hints = typing.get_type_hints(cls, include_extras=True)
    said = {key: get_origin(hint) for key, hint in hints.items()}
    # Where annotations are text, the class itself does not notice that `NotRequired` stands in one.
    needed = {key for key in hints if said[key] is typing.Required or key in cls.__required_keys__}
    return hints, frozenset(key for key in needed if said[key] is not typing.NotRequired)


def _typed_dict(cls: Any) -> Checker:
    hints, required = keys_of(cls)
    checks = {key: _later(partial(checker, hint)) for key, hint in hints.items()}
    name = type_name(cls)

    def check(value: Any) -> Mismatch | None:
        if not isinstance(value, dict):
            return Mismatch(name, value)
        for key in required:
            if key not in value:
                return Mismatch(f"{name} with key {key!r}", value)
        for key, element in value.items():
            if key not in checks:
                return Mismatch(f"{name} without key {shown(key, 30)}", value)
            miss = checks[key](element)
            if miss is not None:
                return miss.under(f"[{key!r}]")
        return None

    return check
