"""Config schemas as data, read from ``msgspec.Struct`` classes, and how they are shown to people.

The schema of a type is what ``msgspec.inspect`` says about it; nothing is registered anywhere.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect as mi

from solidstate.secret import EXAMPLE as SECRET_EXAMPLE
from solidstate.secret import SOURCES, Secret
from solidstate.selector import Selector

Schema = mi.Type


def schema_of(annotation: Any) -> Schema:
    """The schema of a type, worked out once for each. Raises TypeError when msgspec does not know the type."""
    return _schema_of(AnnotationKey(annotation))


class AnnotationKey:
    """A type as a key: the very object. Types that are equal (`int | str` and `str | int`) may read differently."""

    __slots__ = ("type",)

    def __init__(self, annotation: Any) -> None:
        self.type = annotation

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnnotationKey) and other.type is self.type

    def __hash__(self) -> int:
        return id(self.type)


@functools.lru_cache(maxsize=4096)
def _schema_of(annotation: AnnotationKey) -> Schema:
    return mi.type_info(annotation.type)


def configurable(annotation: Any) -> bool:
    """Whether a value of this type can be written down in a run request."""
    return _configurable(AnnotationKey(annotation))


@functools.lru_cache(maxsize=4096)
def _configurable(annotation: AnnotationKey) -> bool:
    try:
        schema = _schema_of(annotation)
    except Exception:  # noqa: BLE001 - not a type, one that msgspec refuses, or one whose own hints do not resolve
        return False
    return not _has_custom(schema, set())


def unwritable(annotation: Any) -> str | None:
    """Why no run request could give a value of this config type; None when one can. A field that may be left out may
    be of any type."""
    try:
        schema = unwrap(schema_of(annotation))
    except Exception as error:  # noqa: BLE001 - describing a type resolves the user's own hints, so anything can come out
        return str(error).rstrip(".")
    for field in getattr(schema, "fields", ()):
        if field.required and _has_custom(field.type, set()):
            return f"its field `{field.name}` is of type `{describe(field.type)}`"
    for inner in objects_in(schema):
        if is_selector(inner):
            wrong = [f.name for f in inner.fields if f.required or f.default is not None]
            if wrong or not inner.fields:
                found = f"the field `{wrong[0]}` is not" if wrong else "it has no fields"
                return f"each field of the selector `{inner.cls.__name__}` must be `X | None = None`, but {found}"
    return None


def is_secret(schema: Schema) -> bool:
    return isinstance(schema, mi.StructType) and schema.cls is Secret


def is_selector(schema: Schema) -> bool:
    return isinstance(schema, mi.StructType) and issubclass(schema.cls, Selector)


def objects_in(schema: Schema, _seen: set[type] | None = None) -> Iterator[Any]:
    """Every schema with fields in a schema, itself included; each class once."""
    seen: set[type] = set() if _seen is None else _seen
    schema = unwrap(schema)
    if isinstance(schema, (mi.StructType, mi.DataclassType, mi.TypedDictType, mi.NamedTupleType)):
        if schema.cls in seen:
            return
        seen.add(schema.cls)
        yield schema
        for field in schema.fields:
            yield from objects_in(field.type, seen)
    for child in children(schema):
        yield from objects_in(child, seen)


def without_none(schema: Schema) -> Schema:
    """``X`` of ``X | None``; any other schema as it is."""
    inner = unwrap(schema)
    if not isinstance(inner, mi.UnionType):
        return inner
    others = [one for one in inner.types if not isinstance(unwrap(one), mi.NoneType)]
    return unwrap(others[0]) if len(others) == 1 else inner


def _has_custom(schema: Schema, seen: set[type]) -> bool:
    if isinstance(schema, mi.CustomType):
        return True
    if isinstance(schema, (mi.StructType, mi.DataclassType, mi.TypedDictType, mi.NamedTupleType)):
        if schema.cls in seen:
            return False
        seen.add(schema.cls)
        return any(_has_custom(field.type, seen) for field in schema.fields if field.required)
    return any(_has_custom(child, seen) for child in children(schema))


def children(schema: Schema) -> tuple[Schema, ...]:
    """The schemas a container schema is made of (not the fields of objects)."""
    match schema:
        case mi.Metadata(type=inner):
            return (inner,)
        case mi.UnionType(types=types):
            return tuple(types)
        case mi.ListType() | mi.SetType() | mi.FrozenSetType() | mi.VarTupleType():
            return (schema.item_type,)
        case mi.TupleType(item_types=types):
            return tuple(types)
        case mi.DictType():
            return (schema.key_type, schema.value_type)
        case _:
            return ()


def unwrap(schema: Schema) -> Schema:
    """The schema without titles, descriptions and examples around it."""
    while isinstance(schema, mi.Metadata):
        schema = schema.type
    return schema


def required(field: mi.Field) -> bool:
    return field.required


def positional(schema: Schema) -> bool:
    """Whether JSON writes an object of this type as a list of its fields."""
    return isinstance(schema, mi.NamedTupleType) or (isinstance(schema, mi.StructType) and schema.array_like)


def _has_default(field: mi.Field) -> bool:
    return field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT


def default_of(field: mi.Field) -> Any:
    """The value of a field that is left out, as plain data."""
    if field.default is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default, str_keys=True, enc_hook=repr)
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default_factory(), str_keys=True, enc_hook=repr)
    return None


_SIMPLE: dict[type[Schema], tuple[str, Any]] = {
    mi.AnyType: ("Any", "..."),
    mi.NoneType: ("None", None),
    mi.BoolType: ("bool", False),
    mi.IntType: ("int", 0),
    mi.FloatType: ("float", 0.0),
    mi.StrType: ("str", "..."),
    mi.BytesType: ("bytes (base64)", ""),
    mi.ByteArrayType: ("bytes (base64)", ""),
    mi.DateTimeType: ("datetime", "2013-01-31T12:00:00Z"),
    mi.DateType: ("date", "2013-01-31"),
    mi.TimeType: ("time", "12:00:00"),
    mi.TimeDeltaType: ("duration", "PT15M"),
    mi.UUIDType: ("UUID", "00000000-0000-0000-0000-000000000000"),
    mi.DecimalType: ("decimal", "0.0"),
}


def describe(schema: Schema) -> str:
    """A schema in one line: ``int | None``, ``list[str]``, ``"csv" | "parquet"``, ``{path, limit?}``."""
    schema = unwrap(schema)
    simple = _SIMPLE.get(type(schema))
    if simple is not None:
        return simple[0] + _limits(schema)
    if is_secret(schema):
        return " | ".join(f"{{{source}}}" for source in SOURCES)
    if isinstance(schema, mi.StructType) and is_selector(schema):
        return " | ".join(f"{{{field.encode_name}}}" for field in schema.fields)
    match schema:
        case mi.EnumType(cls=cls):
            return " | ".join(repr(member.value) for member in cls)
        case mi.LiteralType(values=values):
            return " | ".join(repr(value) for value in values)
        case mi.UnionType(types=types):
            return " | ".join(describe(one) for one in types)
        case mi.DictType(key_type=key, value_type=value):
            return f"dict[{describe(key)}, {describe(value)}]"
        case mi.TupleType(item_types=types):
            return f"[{', '.join(describe(one) for one in types)}]"
        case mi.ListType() | mi.SetType() | mi.FrozenSetType() | mi.VarTupleType():
            return f"list[{describe(schema.item_type)}]"
        case mi.StructType() | mi.DataclassType() | mi.TypedDictType() | mi.NamedTupleType():
            names = ", ".join(field.encode_name + ("" if field.required else "?") for field in schema.fields)
            return f"[{names}]" if positional(schema) else f"{{{names}}}"
        case mi.CustomType(cls=custom):
            return custom.__name__
        case _:
            return type(schema).__name__


def _limits(schema: Schema) -> str:
    match schema:
        case mi.IntType() | mi.FloatType():
            signs = ((">", schema.gt), (">=", schema.ge), ("<", schema.lt), ("<=", schema.le))
            return " and".join(f" {sign} {limit}" for sign, limit in signs if limit is not None)
        case mi.StrType():
            parts = []
            if schema.min_length is not None:
                parts.append(f" of at least {schema.min_length} characters")
            if schema.max_length is not None:
                parts.append(f" of at most {schema.max_length} characters")
            if schema.pattern is not None:
                parts.append(f" matching {schema.pattern}")
            return "".join(parts)
        case _:
            return ""


def example_of(schema: Schema, *, full: bool = False, _seen: tuple[type, ...] = ()) -> Any:
    """A value of the schema to start from, as plain data. ``full`` adds optional fields with their defaults."""
    schema = unwrap(schema)
    simple = _SIMPLE.get(type(schema))
    if simple is not None:
        return _within(schema, simple[1])
    if is_secret(schema):
        return dict(SECRET_EXAMPLE)
    if isinstance(schema, mi.StructType) and is_selector(schema) and schema.cls not in _seen:
        first = schema.fields[0]
        return {first.encode_name: example_of(first.type, full=full, _seen=(*_seen, schema.cls))}
    match schema:
        case mi.EnumType(cls=cls):
            member: enum.Enum = next(iter(cls))
            return member.value
        case mi.LiteralType(values=values):
            return values[0]
        case mi.UnionType(types=types):
            known = [one for one in types if not isinstance(unwrap(one), mi.NoneType)]
            return example_of(known[0], full=full, _seen=_seen)
        case mi.TupleType(item_types=types):
            return [example_of(one, full=full, _seen=_seen) for one in types]
        case mi.StructType() | mi.DataclassType() | mi.TypedDictType() | mi.NamedTupleType():
            if schema.cls in _seen:
                return {}
            seen = (*_seen, schema.cls)
            tag: dict[str, Any] = (
                {schema.tag_field: schema.tag} if isinstance(schema, mi.StructType) and schema.tag_field else {}
            )
            made: dict[str, Any] = tag | {
                field.encode_name: default_of(field)
                if _has_default(field)
                else example_of(field.type, full=full, _seen=seen)
                for field in schema.fields
                if full or field.required
            }
            return list(made.values()) if positional(schema) else made
        case mi.ListType() | mi.SetType() | mi.FrozenSetType() | mi.VarTupleType():
            return [example_of(schema.item_type, full=full, _seen=_seen)] * (schema.min_length or 0)
        case _:
            return {}


def _within(schema: Schema, value: Any) -> Any:
    """Move a number into its declared range, or text to its declared length, where a simple step does it."""
    if isinstance(schema, mi.StrType):
        text = str(value).ljust(schema.min_length or 0, ".")
        return text if schema.max_length is None else text[: schema.max_length]
    if not isinstance(schema, (mi.IntType, mi.FloatType)):
        return value
    low = schema.ge if schema.ge is not None else schema.gt
    high = schema.le if schema.le is not None else schema.lt
    if isinstance(schema, mi.FloatType) and low is not None and high is not None:
        return (low + high) / 2
    if schema.ge is not None and value < schema.ge:
        return schema.ge
    if schema.gt is not None and value <= schema.gt:
        return schema.gt + 1
    if schema.le is not None and value > schema.le:
        return schema.le
    if schema.lt is not None and value >= schema.lt:
        return schema.lt - 1
    return value
