"""Saying yes quickly: most of a run request is right, and the walk that explains errors costs ten times as much.

An acceptor answers True only for what the walk would find nothing wrong with; False means no more than "look closely".
Made once for each type.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from typing import Any

from msgspec import inspect as mi

from solidstate.config import AnnotationKey, Schema, is_secret, is_selector, schema_of, unwrap, without_none
from solidstate.secret import reference_problem

Acceptor = Callable[[Any], bool]


def acceptor(annotation: Any) -> Acceptor:
    """The quick check for values of a type."""
    return _acceptor(AnnotationKey(annotation))


@functools.lru_cache(maxsize=4096)
def _acceptor(annotation: AnnotationKey) -> Acceptor:
    return _made(schema_of(annotation.type), {})


def _no(_value: Any) -> bool:
    return False


def _float(value: Any) -> bool:
    if type(value) is int:
        return -sys.float_info.max <= value <= sys.float_info.max
    return type(value) is float and math.isfinite(value)


def _anything(value: Any) -> bool:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return True
    if kind is float:
        return math.isfinite(value)
    if kind is dict:
        return all(map(_anything, value.values()))
    return kind is list and all(map(_anything, value))


def _made(schema: Schema, known: dict[type, Acceptor]) -> Acceptor:
    schema = unwrap(schema)
    match schema:
        case mi.AnyType():
            return _anything
        case mi.NoneType():
            return lambda value: value is None
        case mi.BoolType():
            return lambda value: value is True or value is False
        case mi.IntType(ge=None, gt=None, le=None, lt=None, multiple_of=None):
            return lambda value: type(value) is int
        case mi.FloatType(ge=None, gt=None, le=None, lt=None, multiple_of=None):
            return _float
        case mi.StrType(min_length=None, max_length=None, pattern=None):
            return lambda value: type(value) is str
        case mi.LiteralType(values=values) if all(type(one) is str for one in values):
            allowed = frozenset(values)
            return lambda value: type(value) is str and value in allowed
        case mi.ListType(min_length=None, max_length=None):
            return _items(_made(schema.item_type, known))
        case mi.DictType(min_length=None, max_length=None) if isinstance(unwrap(schema.key_type), mi.StrType):
            return _values(_made(schema.key_type, known), _made(schema.value_type, known))
        case mi.UnionType(types=types):
            inner = without_none(schema)
            if isinstance(inner, mi.UnionType) or len(types) != 2:
                return _no
            check = _made(inner, known)
            return lambda value: value is None or check(value)
        case mi.StructType():
            return _object(schema, known)
        case _:
            return _no


def _items(check: Acceptor) -> Acceptor:
    return lambda value: type(value) is list and all(map(check, value))


def _values(key_check: Acceptor, check: Acceptor) -> Acceptor:
    return lambda value: type(value) is dict and all(map(key_check, value)) and all(map(check, value.values()))


def _object(schema: mi.StructType, known: dict[type, Acceptor]) -> Acceptor:
    if is_secret(schema):
        return lambda value: type(value) is dict and not reference_problem(value)
    if schema.array_like or schema.tag_field is not None:
        return _no
    if schema.cls in known:  # a type that contains itself
        return lambda value: known[schema.cls](value)  # noqa: PLW0108 - what is known by then
    known[schema.cls] = _no
    if is_selector(schema):
        options = {field.encode_name: _made(without_none(field.type), known) for field in schema.fields}
        made = _one(options)
    else:
        checks = {field.encode_name: _made(field.type, known) for field in schema.fields}
        made = _all(checks, frozenset(field.encode_name for field in schema.fields if field.required))
    known[schema.cls] = made
    return made


def _one(options: dict[str, Acceptor]) -> Acceptor:
    def check(value: Any) -> bool:
        if type(value) is not dict or len(value) != 1:
            return False
        ((key, item),) = value.items()
        return item is not None and key in options and options[key](item)

    return check


def _all(checks: dict[str, Acceptor], required: frozenset[str]) -> Acceptor:
    def check(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        return all(key in checks and checks[key](item) for key, item in value.items())

    return check
