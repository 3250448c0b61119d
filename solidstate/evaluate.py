"""Walk a value typed by a person along its schema and collect *every* error, each with its full path.

msgspec stops at the first error and does not name dict keys, so it is the wrong judge for run requests; it is asked
only at the end, to make the typed object.
"""

from __future__ import annotations

import datetime
import decimal
import math
import uuid
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import inspect as mi

from solidstate.config import Schema, describe, example_of, unwrap
from solidstate.errors import SolidstateError, closest, name_list, shown

Path = tuple[str | int, ...]
Reason = Literal["mismatch", "missing", "unknown", "constraint", "choice"]


class ConfigError(SolidstateError):
    """One thing wrong with a run request, as data: why, where, what was given, what was expected, a way out."""

    def __init__(
        self,
        reason: Reason,
        path: Path,
        problem: str,
        *,
        given: Any = msgspec.UNSET,
        expected: str = "",
        suggestion: str | None = None,
        example: Any = msgspec.UNSET,
        hint: str = "",
    ) -> None:
        super().__init__(problem, subject=path_text(path), path=path_text(path), hint=hint)
        self.reason: Reason = reason
        self.steps = path
        self.given = given
        self.expected = expected
        self.suggestion = suggestion
        self.example = example


def path_text(path: Path) -> str:
    """``solids.read.config.names[1]``"""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def nested(path: Path, value: Any) -> Any:
    """The value inside the mappings and lists its path spells."""
    for step in reversed(path):
        value = [value] if isinstance(step, int) else {step: value}
    return value


def pasteable(path: Path, value: Any) -> str:
    """JSON that is also YAML, ready to paste into a run request."""
    return msgspec.json.encode(nested(path, value), enc_hook=str).decode()


def mismatch(path: Path, value: Any, expected: str, hint: str = "") -> ConfigError:
    return ConfigError(
        "mismatch",
        path,
        f"Expected `{expected}`, got {shown(value)} of type `{_kind(value)}`.",
        given=value,
        expected=expected,
        hint=hint,
    )


def unknown(path: Path, key: Any, known: list[str]) -> ConfigError:
    near = closest(str(key), known)
    if near:
        hint = f"did you mean `{near}`?"
    else:
        hint = f"known here: {name_list(known)}" if known else "nothing can be set here; remove it"
    return ConfigError(
        "unknown", (*path, str(key)), f"Unknown field {shown(str(key))}.", given=key, suggestion=near, hint=hint
    )


def missing(path: Path, schema: Schema) -> ConfigError:
    example = example_of(schema)
    return ConfigError(
        "missing",
        path,
        f"Missing required field `{path[-1]}` of type `{describe(schema)}`.",
        expected=describe(schema),
        example=example,
        hint=f"add it, for example `{pasteable(path, example)}`",
    )


def evaluate(schema: Schema, value: Any, path: Path = ()) -> list[ConfigError]:
    """All errors of a value against its schema, in document order; empty when it is right."""
    schema = unwrap(schema)
    match schema:
        case mi.AnyType() | mi.RawType():
            return []
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
                return [mismatch(path, value, describe(schema))]
            return [
                e for i, (one, v) in enumerate(zip(types, value, strict=True)) for e in evaluate(one, v, (*path, i))
            ]
        case mi.DictType():
            return _mapping(schema, value, path)
        case mi.StructType() | mi.DataclassType() | mi.TypedDictType() | mi.NamedTupleType():
            return _fields(schema, value, path)
        case _:
            return _scalar(schema, value, path)


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__


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
            return [missing((*path, field), mi.LiteralType(tuple(str(one.tag) for one in tagged)))]
        return _choice((*path, field), value[field], [one.tag for one in tagged])
    tries = [evaluate(one, value, path) for one in types if not isinstance(unwrap(one), mi.NoneType)]
    if any(not errors for errors in tries):
        return []
    if len(tries) == 1:  # `X | None`: what is wrong inside X says more than "expected X | None"
        own = len(path)
        if all(len(error.steps) > own or error.reason in ("constraint", "choice") for error in tries[0]):
            return tries[0]
    return [mismatch(path, value, describe(schema))]


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
            hint=f"did you mean {near!r}?" if near else "",
        )
    ]


def _items(schema: Any, value: Any, path: Path) -> list[ConfigError]:
    if not isinstance(value, (list, tuple, set, frozenset)):
        return [mismatch(path, value, describe(schema))]
    errors = [e for i, item in enumerate(value) for e in evaluate(schema.item_type, item, (*path, i))]
    return errors + _size(path, value, schema.min_length, schema.max_length, "items")


def _mapping(schema: Any, value: Any, path: Path) -> list[ConfigError]:
    if not isinstance(value, Mapping):
        return [mismatch(path, value, describe(schema))]
    errors: list[ConfigError] = []
    for key, item in value.items():
        errors += [
            ConfigError(error.reason, (*path, str(key)), f"Key: {error.problem}", given=key)
            for error in evaluate(schema.key_type, key, path)
        ]
        errors += evaluate(schema.value_type, item, (*path, str(key)))
    return errors + _size(path, value, schema.min_length, schema.max_length, "keys")


def _fields(schema: Any, value: Any, path: Path) -> list[ConfigError]:
    if isinstance(value, schema.cls):
        return []
    if not isinstance(value, Mapping):
        return [mismatch(path, value, describe(schema))]
    fields = {field.encode_name: field for field in schema.fields}
    tag = getattr(schema, "tag_field", None)
    errors: list[ConfigError] = []
    for key, item in value.items():
        if key in fields:
            errors += evaluate(fields[key].type, item, (*path, key))
        elif key != tag:
            errors.append(unknown(path, key, list(fields)))
    errors += [missing((*path, name), f.type) for name, f in fields.items() if f.required and name not in value]
    return errors


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
            return [] if value is None else [mismatch(path, value, name)]
        case mi.BoolType():
            return [] if isinstance(value, bool) else [mismatch(path, value, name)]
        case mi.IntType():
            if isinstance(value, bool) or not isinstance(value, int):
                return [mismatch(path, value, name)]
            return _range(schema, value, path)
        case mi.FloatType():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                return [mismatch(path, value, name)]
            if not math.isfinite(value):
                return [mismatch(path, value, name, "a run request is JSON, which has no such number")]
            return _range(schema, value, path)
        case mi.StrType():
            if not isinstance(value, str):
                quoted = "" if isinstance(value, (Mapping, list)) or value is None else f"quote it: `'{value}'`"
                return [mismatch(path, value, name, quoted)]
            return _converts(schema, value, path, _constrained(schema)) if name != "str" else []
        case _:
            target = _TEXT_TYPES.get(type(schema))
            if target is not None and isinstance(value, target):
                return []
            return _converts(schema, value, path, target or getattr(schema, "cls", Any))


def _constrained(schema: mi.StrType) -> Any:
    return Annotated[
        str, msgspec.Meta(min_length=schema.min_length, max_length=schema.max_length, pattern=schema.pattern)
    ]


def _converts(schema: Schema, value: Any, path: Path, target: Any) -> list[ConfigError]:
    try:
        msgspec.convert(value, target)
    except (msgspec.ValidationError, TypeError):
        return [mismatch(path, value, describe(schema))]
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
    return [ConfigError("constraint", path, f"Expected `{name}`, got {shown(value)}.", given=value, expected=name)]


def _size(path: Path, value: Any, low: int | None, high: int | None, unit: str) -> list[ConfigError]:
    if (low is None or len(value) >= low) and (high is None or len(value) <= high):
        return []
    expected = f"{low or 0} to {high} {unit}" if high is not None else f"at least {low} {unit}"
    return [ConfigError("constraint", path, f"Expected {expected}, got {len(value)}.", given=value, expected=expected)]
