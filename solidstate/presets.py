"""A preset below a run request: what is written in both is taken from the request, field by field.

Where only one of several things can stand (a Selector, a Secret, a tagged union), the request's choice takes the place
of the preset's; laid over each other they would be two at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import inspect as mi

from solidstate.config import Schema, is_secret, is_selector, schema_of, unwrap, without_none
from solidstate.documents import merge


def laid_over(annotation: Any, below: Any, above: Any) -> Any:
    """``above`` over ``below``, both values somebody wrote for a type."""
    return _merged(schema_of(annotation), below, above)


def _merged(schema: Schema, below: Any, above: Any) -> Any:
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    schema = without_none(schema)
    if isinstance(schema, mi.UnionType):
        return _chosen(schema, below, above)
    if is_secret(schema) or (is_selector(schema) and above.keys() != below.keys()):
        return above
    if isinstance(schema, mi.DictType):
        return _each(dict.fromkeys([*below, *above], schema.value_type), below, above)
    if isinstance(schema, (mi.StructType, mi.DataclassType, mi.TypedDictType)):
        return _each({field.encode_name: field.type for field in schema.fields}, below, above)
    return merge(below, above)


def _chosen(union: mi.UnionType, below: Mapping[str, Any], above: Mapping[str, Any]) -> Any:
    """Of a tagged union: the members' fields when both chose the same, or the request did not say."""
    members = [one for one in map(unwrap, union.types) if isinstance(one, mi.StructType) and one.tag_field]
    for member in members:
        tag = str(member.tag_field)
        if below.get(tag) == member.tag:
            return _merged(member, below, above) if above.get(tag, member.tag) == member.tag else above
    return merge(below, above)


def _each(types: Mapping[str, Schema], below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, item in above.items():
        result[key] = (
            _merged(types[key], below[key], item) if key in below and key in types else merge(below.get(key), item)
        )
    return result


def merge_request(below: Mapping[str, Any], above: Mapping[str, Any], types: Mapping[tuple[str, ...], Any]) -> Any:
    """A run request over its preset. ``types`` are those of configs and inputs, by their place in a request:
    ``("solids", "read", "config")``."""
    merged = merge(below, above)
    for place, annotation in types.items():
        low, high = _at(below, place), _at(above, place)
        if isinstance(low, Mapping) and isinstance(high, Mapping):
            merged = _with(merged, place, laid_over(annotation, low, high))
    return merged


def _at(document: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _with(document: Mapping[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    key, *rest = place
    return {**document, key: _with(document[key], tuple(rest), value) if rest else value}
