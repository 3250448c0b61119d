"""What an annotation says about storage: whether msgspec can decode it alone, and which classes it mentions."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import typing
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from solidstate.storage.models import field_types, is_model

Decode = Callable[[bytes | bytearray | memoryview], Any]

_BARE = frozenset({list, dict, tuple, set, frozenset})


def typed_decoder(annotation: Any) -> Decode | None:
    """A decoder for values of that type, or None when the annotation leaves something open (``Any``, ``object``, a
    bare ``list``) or msgspec cannot decode it."""
    try:
        return _typed_decoder(annotation)
    except TypeError:  # not hashable, such as Annotated[int, {}]: nothing to remember it by
        return _typed_decoder.__wrapped__(annotation)


def known_classes(annotation: Any) -> dict[str, type]:
    """Structs, dataclasses, enums, named tuples and pydantic models that the annotation mentions, itself or through
    fields, by the name to store them under: short where that is clear, with its module where two classes share one."""
    try:
        return _known_classes(annotation)
    except TypeError:
        return _known_classes.__wrapped__(annotation)


@lru_cache(maxsize=512)
def _typed_decoder(annotation: Any) -> Decode | None:
    for part in _leaves(annotation):
        if part in (Any, object) or (inspect.isclass(part) and (part in _BARE or is_model(part))):
            return None
    try:
        return msgspec.msgpack.Decoder(annotation).decode
    except Exception:  # noqa: BLE001  # msgspec evaluates the user's annotations, which may fail in any way; there is another format
        return None


@lru_cache(maxsize=512)
def _known_classes(annotation: Any) -> dict[str, type]:
    found: dict[type, None] = {}
    waiting = [annotation]
    while waiting:
        for leaf in _leaves(waiting.pop()):
            if inspect.isclass(leaf) and leaf not in found and _has_known_shape(leaf):
                found[leaf] = None
                waiting.extend(_field_types(leaf))
    short = [cls.__qualname__ for cls in found]
    return {
        cls.__qualname__ if short.count(cls.__qualname__) == 1 else f"{cls.__module__}.{cls.__qualname__}": cls
        for cls in found
    }


def _leaves(annotation: Any) -> Iterator[Any]:
    """The types an annotation is made of, without what only decorates them."""
    if isinstance(annotation, typing.NewType):
        yield from _leaves(annotation.__supertype__)
        return
    if isinstance(annotation, typing.TypeVar):
        yield from _leaves(annotation.__bound__ if annotation.__bound__ is not None else Any)
        return
    alias = getattr(annotation, "__value__", None)  # a `type X = ...` statement, Python 3.12
    if alias is not None and not inspect.isclass(annotation):
        yield from _leaves(alias)
        return
    origin = get_origin(annotation)
    if origin is None:
        yield annotation
        if typing.is_typeddict(annotation):
            for part in _field_types(annotation):
                yield from _leaves(part)
        return
    if origin is Annotated:
        yield from _leaves(get_args(annotation)[0])
        return
    if origin is Literal:
        for value in get_args(annotation):
            yield type(value)
        return
    if inspect.isclass(origin) and origin not in _BARE:
        yield origin
    if not get_args(annotation):  # `typing.List` has an origin and leaves its items open
        yield Any
    for part in get_args(annotation):
        if part is not Ellipsis and part != ():
            yield from _leaves(part)


def _has_known_shape(cls: type) -> bool:
    if issubclass(cls, (msgspec.Struct, enum.Enum)) or dataclasses.is_dataclass(cls):
        return True
    return (issubclass(cls, tuple) and hasattr(cls, "_fields")) or is_model(cls)


def _field_types(cls: type) -> list[Any]:
    if issubclass(cls, enum.Enum):
        return []
    if is_model(cls):
        return field_types(cls)
    try:
        return list(typing.get_type_hints(cls, include_extras=True).values())
    except Exception:  # noqa: BLE001  # a name that exists for type checkers only; the class is known all the same
        return []
