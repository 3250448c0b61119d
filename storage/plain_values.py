"""Self-describing values: bytes that say by themselves which exact Python types they hold.

The format is msgpack. What msgpack has (None, bool, 64-bit int, float, str, bytes, list, dict with scalar keys) is
written as it is, so the common case runs at msgspec's speed and any msgpack reader can look at it. Everything else is
an extension type, whose payload is msgpack again. An object of a user's class is written only when the class is in the
caller's table of known classes; nothing is ever imported by name on the way back.

Two references to one object become two equal objects.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from solidstate.errors import IntermediateError, NotStorable, shown
from solidstate.storage.models import is_model, put_together, take_apart
from solidstate.storage.plain_leaves import INT64_MIN, READ_LEAF, UINT64_MAX, WRITE_LEAF, ext, is_utf8
from solidstate.storage.refusals import Place, refusal
from solidstate.storage.sameness import MAX_DEPTH, attributes_beside_fields

# Extension codes of containers and objects, after those of plain_leaves. Part of the stored format: never renumber.
TUPLE, SET, FROZENSET, MAP, STRUCT, DATACLASS, NAMEDTUPLE, ENUM, MODEL = range(32, 41)

Classes = Mapping[str, type]
"""Classes an object may be of, by the name that is stored."""
NO_CLASSES: Classes = {}

_encode = msgspec.msgpack.Encoder().encode
_AS_IS = frozenset({type(None), bool, float, bytes})
_NATIVE = _AS_IS | {str, int}


def encode_plain(value: object, classes: Classes = NO_CLASSES, *, plain_numpy: bool = False) -> bytes:
    """Bytes that :func:`decode_plain` turns into an equal value of equal types; raises ``NotStorable``. With
    ``plain_numpy`` a numpy scalar that inherits from float, str or bytes (``numpy.float64``) becomes just that."""
    return _encode(_Lowering(classes, plain_numpy).lower(value, Place(), 0))


def decode_plain(data: bytes | bytearray | memoryview, classes: Classes = NO_CLASSES) -> Any:
    """Inverse of :func:`encode_plain`; raises ``IntermediateError`` for anything else."""
    try:
        return _Raising(classes).decode(data)
    except IntermediateError:
        raise
    except Exception as error:  # whatever a hostile or damaged object provokes is one thing to the reader
        raise IntermediateError(
            f"The stored bytes are not a `plain` value: {error}.",
            subject="plain",
            hint="run the step that produced it again",
        ) from error


class _Lowering:
    """Turns a value into what msgspec writes natively, with ``Ext`` for the rest."""

    def __init__(self, classes: Classes, plain_numpy: bool) -> None:
        self._names = {cls: name for name, cls in classes.items()}
        self._plain_numpy = plain_numpy

    def lower(self, value: Any, at: Place, depth: int) -> Any:
        kind: type[Any] = type(value)
        if kind in _AS_IS:
            return value
        leaf = WRITE_LEAF.get(kind)
        if leaf is not None:
            return leaf(value, at)
        if depth >= MAX_DEPTH:
            path = f"{at.path()[:60]}..."
            raise NotStorable(
                f"The value at `{path}` contains itself or is nested more than {MAX_DEPTH} levels deep.",
                subject=kind.__name__,
                path=path,
                hint="return a flatter value, for example a list of records that refer to each other by id",
            )
        if kind is list:
            return self._items(value, at, depth)
        if kind is dict:
            return self._dict(value, at, depth)
        if kind is tuple:
            return ext(TUPLE, _encode(self._items(value, at, depth)))
        if kind is set or kind is frozenset:
            # Sorted, because the order of a set differs between processes and equal values should give equal bytes.
            items = sorted(_encode(self.lower(item, Place(at, item, "{%s}"), depth + 1)) for item in value)
            return ext(SET if kind is set else FROZENSET, _array(items))
        if kind in self._names:
            return self._instance(value, kind, at, depth)
        if self._plain_numpy and kind.__module__ == "numpy" and isinstance(value, (float, complex, str, bytes)):
            return self.lower(value.item(), at, depth)  # type: ignore[union-attr]  # all of numpy's have one
        raise refusal(value, at.path())

    def _items(self, values: Sequence[Any], at: Place, depth: int) -> list[Any]:
        if _is_native(values):
            return list(values)
        return [self.lower(item, Place(at, i, "[%s]"), depth + 1) for i, item in enumerate(values)]

    def _dict(self, value: dict[Any, Any], at: Place, depth: int) -> Any:
        if _is_native(value) and _is_native(value.values()):
            return value
        below = depth + 1
        values = [self.lower(item, Place(at, key, "[%s]"), below) for key, item in value.items()]
        keys = [self.lower(key, Place(at, key, "{key %s}"), below) for key in value]
        if _NATIVE.issuperset(map(type, keys)):
            return dict(zip(keys, values, strict=True))
        return ext(MAP, _encode([part for pair in zip(keys, values, strict=True) for part in pair]))

    def _instance(self, value: Any, kind: type, at: Place, depth: int) -> Any:
        name = self._names[kind]
        if isinstance(value, enum.Enum):
            # A flag made of several members has no name of its own, so flags go by value.
            by = value.value if isinstance(value, enum.Flag) else value.name
            return ext(ENUM, _encode([name, self.lower(by, at, depth + 1)]))
        if isinstance(value, tuple):
            return ext(NAMEDTUPLE, _encode([name, *self._items(value, at, depth)]))
        if is_model(kind):
            parts = take_apart(value, lambda one, key: self.lower(one, Place(at, key, ".%s"), depth + 1))
            return ext(MODEL, _encode([name, *parts]))
        fields = _fields_of(value, at)
        lowered = {key: self.lower(item, Place(at, key, ".%s"), depth + 1) for key, item in fields.items()}
        return ext(STRUCT if isinstance(value, msgspec.Struct) else DATACLASS, _encode([name, lowered]))


class _Raising:
    """Turns what msgspec read back into the value."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self.decode: Callable[[Any], Any] = msgspec.msgpack.Decoder(ext_hook=self._hook).decode

    def _hook(self, code: int, data: memoryview) -> Any:
        leaf = READ_LEAF.get(code)
        if leaf is not None:
            return leaf(data)
        parts = self.decode(data)
        if code == TUPLE:
            return tuple(parts)
        if code == SET:
            return set(parts)
        if code == FROZENSET:
            return frozenset(parts)
        if code == MAP:
            return dict(zip(parts[::2], parts[1::2], strict=True))
        return self._instance(code, parts)

    def _instance(self, code: int, parts: list[Any]) -> Any:
        cls: Any = self._classes.get(parts[0])
        if cls is None:
            raise IntermediateError(
                f"The stored value holds a `{parts[0]}`, which its declared type no longer mentions.",
                subject=str(parts[0]),
                hint=f"mention `{parts[0]}` in the annotation of the output again, or run the producing step again",
            )
        if code == STRUCT:
            return cls(**parts[1])
        if code == NAMEDTUPLE:
            return tuple.__new__(cls, parts[1:])
        if code == MODEL:
            return put_together(cls, parts[1:])
        if code == ENUM:
            return cls(parts[1]) if issubclass(cls, enum.Flag) else cls[parts[1]]
        if code == DATACLASS:
            declared = {field.name for field in dataclasses.fields(cls)}
            for name in parts[1]:
                if name not in declared:  # `__class__`, or what stands in a method's place
                    raise IntermediateError(
                        f"The stored `{parts[0]}` has {shown(name)}, which is not one of its fields.",
                        subject=str(parts[0]),
                        hint="run the step that produced it again; its class has changed",
                    )
            # Restored, not made: __init__ and __post_init__ ran when the object was first made.
            made = object.__new__(cls)
            for name, value in parts[1].items():
                object.__setattr__(made, name, value)
            return made
        raise IntermediateError(f"The stored value uses the unknown format extension `{code}`.", subject=str(code))


def _fields_of(value: Any, at: Place) -> dict[str, Any]:
    """The fields of a Struct or dataclass by name; raises ``NotStorable`` when it carries anything beside them."""
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
    else:
        names = [field.name for field in dataclasses.fields(value)]
        fields = {name: getattr(value, name) for name in names if hasattr(value, name)}
    extra = attributes_beside_fields(value)
    if extra:
        name = type(value).__name__
        raise NotStorable(
            f"The `{name}` at `{at.path()}` carries `{extra[0]}`, which is not one of its fields.",
            subject=name,
            path=at.path(),
            hint=f"declare `{extra[0]}` as a field, or remove it before returning the value",
        )
    return fields


def _is_native(values: Collection[Any]) -> bool:
    """Whether msgpack holds every one of these as it is."""
    kinds = set(map(type, values))
    if not kinds <= _NATIVE:
        return False
    if int in kinds and not all(INT64_MIN <= value <= UINT64_MAX for value in values if type(value) is int):
        return False
    return str not in kinds or is_utf8("".join([value for value in values if type(value) is str]))


def _array(items: list[bytes]) -> bytes:
    return b"\xdd" + len(items).to_bytes(4, "big") + b"".join(items)  # msgpack array 32
