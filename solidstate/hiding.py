"""What was given, as it may be echoed: nothing that stands where a ``Secret`` is expected, or near enough to be meant
for it.

A refused run request is shown on consoles and becomes the cause of an execution, so a literal in the place of a
reference must not be repeated there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import inspect as mi

from solidstate.config import Schema, children, unwrap
from solidstate.secret import Secret


class Hidden:
    """Stands for a value that is not shown; only its type is told."""

    def __init__(self, value: object) -> None:
        self.kind: str = value.kind if isinstance(value, Hidden) else "None" if value is None else type(value).__name__

    def __repr__(self) -> str:
        return "<hidden>"


def holds_secret(schema: Schema, _seen: frozenset[type] = frozenset()) -> bool:
    """Whether a value of this schema can hold a secret's reference."""
    schema = unwrap(schema)
    if isinstance(schema, (mi.StructType, mi.DataclassType, mi.TypedDictType, mi.NamedTupleType)):
        if schema.cls is Secret:
            return True
        if schema.cls in _seen:
            return False
        inner = _seen | {schema.cls}
        return any(holds_secret(field.type, inner) for field in schema.fields)
    return any(holds_secret(child, _seen) for child in children(schema))


def masked(schema: Schema, value: Any) -> Any:
    """The value with ``<hidden>`` for what stands where a secret is expected, and, in a mapping that should hold one,
    for what stands under names that are not known: one of them may be the secret's, misspelt."""
    schema = unwrap(schema)
    if not holds_secret(schema):
        return value
    match schema:
        case mi.DictType() if isinstance(value, Mapping):
            return {key: masked(schema.value_type, item) for key, item in value.items()}
        case mi.ListType() | mi.SetType() | mi.FrozenSetType() | mi.VarTupleType() if isinstance(value, (list, tuple)):
            return [masked(schema.item_type, item) for item in value]
        case mi.UnionType(types=types) if isinstance(value, Mapping):
            one = [unwrap(each) for each in types if not isinstance(unwrap(each), mi.NoneType)]
            tags = {each.tag_field for each in one if isinstance(each, mi.StructType) and each.tag_field}
            if len(one) == 1:
                return masked(one[0], value)
            return {key: item if key in tags else Hidden(item) for key, item in value.items()}
        case mi.StructType() | mi.DataclassType() | mi.TypedDictType() if (
            isinstance(value, Mapping) and schema.cls is not Secret
        ):
            fields = {field.encode_name: field.type for field in schema.fields}
            return {key: masked(fields[key], item) if key in fields else Hidden(item) for key, item in value.items()}
        case _:
            return Hidden(value)
