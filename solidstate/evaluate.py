"""Walk a value typed by a person along its schema and collect *every* error, each with its full path.

msgspec stops at the first error and does not name dict keys, so it is the wrong judge for run requests; it is asked
only at the end, to make the typed object.
"""

from __future__ import annotations

import datetime
import decimal
import math
import re
import sys
import uuid
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

import msgspec
from msgspec import inspect as mi

from solidstate.config import Schema, describe, example_of, is_secret, is_selector, positional, unwrap, without_none
from solidstate.config_errors import (
    ConfigError,
    Path,
    example_hint,
    misfit,
    mismatch,
    missing,
    pasteable,
    quoted,
    unknown,
)
from solidstate.errors import closest, shown
from solidstate.hiding import Hidden, masked
from solidstate.secret import EXAMPLE, FORM, reference_problem
from solidstate.selector import selector_problem

__all__ = ["ConfigError", "evaluate"]


def evaluate(schema: Schema, value: Any, path: Path = ()) -> list[ConfigError]:
    """All errors of a value against its schema, in document order; empty when it is right."""
    schema = unwrap(schema)
    match schema:
        case mi.AnyType() | mi.RawType():
            return _anything(value, path)
        case mi.UnionType(types=types):
            return _union(schema, tuple(types), value, path)
        case mi.EnumType(cls=cls):
            return _choice(path, value, [member.value for member in cls])
        case mi.LiteralType(values=values):
            return _choice(path, value, list(values))
        case mi.ListType() | mi.SetType() | mi.FrozenSetType() | mi.VarTupleType():
            return _items(schema, value, path)
        case mi.TupleType(item_types=types):
            if not isinstance(value, (list, tuple)) or len(value) != len(types):
                return [misfit(schema, value, path)]
            return [
                e for i, (one, v) in enumerate(zip(types, value, strict=True)) for e in evaluate(one, v, (*path, i))
            ]
        case mi.DictType():
            return _mapping(schema, value, path)
        case mi.StructType() if is_secret(schema):
            return _secret(schema, value, path)
        case mi.StructType() if is_selector(schema):
            return _selector(schema, value, path)
        case mi.StructType() | mi.DataclassType() | mi.TypedDictType() | mi.NamedTupleType():
            return _fields(schema, value, path)
        case _:
            return _scalar(schema, value, path)


def _anything(value: Any, path: Path) -> list[ConfigError]:
    """What JSON can hold: of the numbers, those that are finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return [mismatch(path, value, "any value of JSON", _NOT_JSON)]
    if isinstance(value, Mapping):
        return [error for key, item in value.items() for error in _anything(item, (*path, str(key)))]
    if isinstance(value, (list, tuple)):
        return [error for i, item in enumerate(value) for error in _anything(item, (*path, i))]
    return []


_NOT_JSON = "a run request is JSON, which has no such number"


def _union(schema: Schema, types: tuple[Schema, ...], value: Any, path: Path) -> list[ConfigError]:
    if value is None and any(isinstance(unwrap(one), mi.NoneType) for one in types):
        return []
    tagged = [one for one in map(unwrap, types) if isinstance(one, mi.StructType) and one.tag_field]
    if tagged and isinstance(value, Mapping):
        field = str(tagged[0].tag_field)
        for one in tagged:
            if value.get(field) == one.tag:
                return _fields(one, value, path)
        if field not in value:
            return [missing((*path, field), mi.LiteralType(tuple(one.tag for one in tagged)))]
        return _choice((*path, field), value[field], [one.tag for one in tagged])
    tries = [evaluate(one, value, path) for one in types if not isinstance(unwrap(one), mi.NoneType)]
    if any(not errors for errors in tries):
        return []
    if len(tries) == 1:  # `X | None`: what is wrong inside X says more than "expected X | None"
        own = len(path)
        if all(len(error.steps) > own or error.reason in _TELLING for error in tries[0]):
            return tries[0]
    return [misfit(schema, value, path)]


_TELLING = ("constraint", "choice", "selector", "secret")
"""Reasons that say more than that a value is of another type."""


def _secret(schema: mi.StructType, value: Any, path: Path) -> list[ConfigError]:
    """A reference is right or wrong as a whole: to point into it would mean to repeat what stands there."""
    if isinstance(value, schema.cls):
        return []
    problem = reference_problem(dict(value) if isinstance(value, Mapping) else value)
    if not problem:
        return []
    hint = f"keep the value elsewhere and refer to it, for example `{pasteable((), EXAMPLE)}`"
    return [ConfigError("secret", path, problem, given=Hidden(value), expected=FORM, hint=hint)]


def _selector(schema: mi.StructType, value: Any, path: Path) -> list[ConfigError]:
    if isinstance(value, schema.cls):
        return []
    fields = {field.encode_name: field for field in schema.fields}
    if not isinstance(value, Mapping):
        return [misfit(schema, value, path)]
    errors = [unknown(path, key, list(fields)) for key in value if key not in fields]
    given = [key for key in value if key in fields]
    if len(given) > 1 or (not given and not errors):
        hint = "keep one of them" if given else f"add one, for example `{pasteable((), example_of(schema))}`"
        problem = selector_problem(list(fields), given)
        echo = masked(schema, value)
        errors.append(ConfigError("selector", path, problem, given=echo, expected=describe(schema), hint=hint))
        return errors
    for key in given:
        inner = without_none(fields[key].type)
        if value[key] is None:
            problem = f"`{key}` is chosen, but nothing is given for it."
            hint = f"for example `{text}`" if (text := pasteable((key,), example_of(inner))) else "give it a value"
            errors.append(ConfigError("missing", (*path, key), problem, expected=describe(inner), hint=hint))
        else:
            errors += evaluate(inner, value[key], (*path, key))
    return errors


def _choice(path: Path, value: Any, allowed: list[Any]) -> list[ConfigError]:
    if isinstance(value, Enum):
        value = value.value
    if any(type(one) is type(value) and one == value for one in allowed):
        return []
    near = closest(str(value), [str(one) for one in allowed])
    return [
        ConfigError(
            "choice",
            path,
            f"Expected one of {', '.join(repr(one) for one in allowed)}, got {shown(value)}.",
            given=value,
            expected=" | ".join(repr(one) for one in allowed),
            suggestion=near,
            hint=f"did you mean {near!r}?" if near else f"for example `{allowed[0]!r}`",
        )
    ]


def _items(schema: Any, value: Any, path: Path) -> list[ConfigError]:
    if not isinstance(value, (list, tuple, set, frozenset)):
        return [misfit(schema, value, path)]
    errors = [e for i, item in enumerate(value) for e in evaluate(schema.item_type, item, (*path, i))]
    return errors + _size(path, masked(schema, value), schema.min_length, schema.max_length, "items")


def _mapping(schema: Any, value: Any, path: Path) -> list[ConfigError]:
    if not isinstance(value, Mapping):
        return [misfit(schema, value, path)]
    errors: list[ConfigError] = []
    for key, item in value.items():
        errors += [
            ConfigError(
                error.reason,
                (*path, str(key)),
                f"Key: {error.problem}",
                given=key,
                expected=error.expected,
                hint=error.hint,
            )
            for error in evaluate(schema.key_type, _key(schema.key_type, key), path)
        ]
        errors += evaluate(schema.value_type, item, (*path, str(key)))
    return errors + _size(path, masked(schema, value), schema.min_length, schema.max_length, "keys")


def _key(schema: Schema, key: Any) -> Any:
    """JSON spells every key as text; where keys are numbers, the number meant."""
    schema = unwrap(schema)
    allowed = schema.values if isinstance(schema, mi.LiteralType) else ()
    if isinstance(schema, mi.EnumType):
        allowed = tuple(member.value for member in schema.cls)
    numbers = isinstance(schema, (mi.IntType, mi.FloatType)) or any(isinstance(one, int) for one in allowed)
    if not isinstance(key, str) or not numbers or not _NUMBER.fullmatch(key):
        return key
    return float(key) if isinstance(schema, mi.FloatType) else int(key)


def _fields(schema: Any, value: Any, path: Path) -> list[ConfigError]:
    if not isinstance(schema, mi.TypedDictType) and isinstance(value, schema.cls):
        return []
    if positional(schema):
        return _positions(schema, value, path)
    if not isinstance(value, Mapping):
        return [misfit(schema, value, path)]
    fields = {field.encode_name: field for field in schema.fields}
    tag = getattr(schema, "tag_field", None)
    errors: list[ConfigError] = []
    for key, item in value.items():
        if key in fields:
            errors += evaluate(fields[key].type, item, (*path, key))
        elif key != tag:
            errors.append(unknown(path, key, list(fields)))
        else:
            errors += _choice((*path, key), item, [getattr(schema, "tag", None)])
    errors += [missing((*path, name), f.type) for name, f in fields.items() if f.required and name not in value]
    return errors


def _positions(schema: Any, value: Any, path: Path) -> list[ConfigError]:
    """A NamedTuple, or a Struct that is written as a list of its fields."""
    fields = schema.fields
    types = [field.type for field in fields]
    needed = sum(field.required for field in fields)
    if getattr(schema, "tag_field", None) is not None:
        types.insert(0, mi.LiteralType((schema.tag,)))
        needed += 1
    if not isinstance(value, (list, tuple)) or not needed <= len(value) <= len(types):
        return [mismatch(path, masked(schema, value), describe(schema), "write a list of these, in this order")]
    return [e for i, (one, v) in enumerate(zip(types, value, strict=False)) for e in evaluate(one, v, (*path, i))]


_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_TEXT_TYPES: dict[type[Schema], Any] = {
    mi.DateTimeType: datetime.datetime,
    mi.DateType: datetime.date,
    mi.TimeType: datetime.time,
    mi.TimeDeltaType: datetime.timedelta,
    mi.UUIDType: uuid.UUID,
    mi.DecimalType: decimal.Decimal,
    mi.BytesType: bytes,
    mi.ByteArrayType: bytearray,
}


def _scalar(schema: Schema, value: Any, path: Path) -> list[ConfigError]:
    name = describe(schema)
    match schema:
        case mi.NoneType():
            return [] if value is None else [mismatch(path, value, name, "write `null`")]
        case mi.BoolType():
            return [] if isinstance(value, bool) else [misfit(schema, value, path)]
        case mi.IntType():
            if isinstance(value, bool) or not isinstance(value, int):
                return [misfit(schema, value, path)]
            return _range(schema, value, path)
        case mi.FloatType():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                return [misfit(schema, value, path)]
            if isinstance(value, int) and abs(value) > sys.float_info.max:
                return [misfit(schema, value, path)]
            if not math.isfinite(value):
                return [mismatch(path, value, name, _NOT_JSON)]
            return _range(schema, value, path)
        case mi.StrType():
            if not isinstance(value, str):
                return [mismatch(path, value, name, quoted(value) or example_hint(schema))]
            return _converts(schema, value, path, _constrained(schema)) if name != "str" else []
        case _:
            if isinstance(schema, mi.DateType) and isinstance(value, datetime.datetime):
                return [mismatch(path, value, name, f"write the day alone: `{value.date()}`")]
            return _converts(schema, value, path, _textual(schema))


def _textual(schema: Schema) -> Any:
    """The Python type of a schema whose values JSON writes as text."""
    target = _TEXT_TYPES.get(type(schema)) or getattr(schema, "cls", Any)
    if isinstance(schema, (mi.BytesType, mi.ByteArrayType)):
        return Annotated[target, msgspec.Meta(min_length=schema.min_length, max_length=schema.max_length)]
    if isinstance(schema, (mi.DateTimeType, mi.TimeType)):
        return Annotated[target, msgspec.Meta(tz=schema.tz)]
    return target


def _constrained(schema: mi.StrType) -> Any:
    return Annotated[
        str, msgspec.Meta(min_length=schema.min_length, max_length=schema.max_length, pattern=schema.pattern)
    ]


def _converts(schema: Schema, value: Any, path: Path, target: Any) -> list[ConfigError]:
    try:
        msgspec.convert(value, target)
    except (msgspec.ValidationError, TypeError, ValueError, OverflowError):
        return [misfit(schema, value, path)]
    return []


def _range(schema: mi.IntType | mi.FloatType, value: float, path: Path) -> list[ConfigError]:
    wrong = (
        (schema.ge is not None and value < schema.ge)
        or (schema.gt is not None and value <= schema.gt)
        or (schema.le is not None and value > schema.le)
        or (schema.lt is not None and value >= schema.lt)
        or (schema.multiple_of is not None and value % schema.multiple_of != 0)
    )
    if not wrong:
        return []
    name = describe(schema) + (f", a multiple of {schema.multiple_of}" if schema.multiple_of is not None else "")
    return [
        ConfigError(
            "constraint",
            path,
            f"Expected `{name}`, got {shown(value)}.",
            given=value,
            expected=name,
            hint=example_hint(schema),
        )
    ]


def _size(path: Path, value: Any, low: int | None, high: int | None, unit: str) -> list[ConfigError]:
    if (low is None or len(value) >= low) and (high is None or len(value) <= high):
        return []
    expected = f"{low or 0} to {high} {unit}" if high is not None else f"at least {low} {unit}"
    return [
        ConfigError("constraint", path, f"Expected {expected}, got {len(value)}.", given=value, hint=f"give {expected}")
    ]
