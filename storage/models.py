"""pydantic models as plain values, without importing pydantic: what is no model of it needs none of it.

A model is taken apart into its fields, so that each keeps its exact type, and put together again without validation, as
copying one does. Where a field has no format of its own (a URL), the model's own JSON stands for the whole, if what is
read from it is equal; a SecretStr is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from solidstate.errors import IntermediateError, NotStorable, shown

Lower = Callable[[Any, str], Any]
"""Turns a field's value into what msgpack holds; told the field's name. Raises ``NotStorable``."""


def is_model(cls: type) -> bool:
    return any(base.__name__ == "BaseModel" and base.__module__.startswith("pydantic.") for base in cls.__mro__)


def field_types(cls: Any) -> list[Any]:
    return [field.annotation for field in cls.model_fields.values()]


def take_apart(value: Any, lower: Lower) -> list[Any]:
    """A model as parts for :func:`put_together`. Raises ``NotStorable``."""
    fields, fields_set, extra, private = _state(value)
    try:
        return [
            {name: lower(one, name) for name, one in fields.items()},
            sorted(fields_set),
            {name: lower(one, name) for name, one in extra.items()},
            {name: lower(one, name) for name, one in private.items()},
        ]
    except NotStorable as refused:
        try:
            text = value.model_dump_json(round_trip=True)
            whole = bool(type(value).model_validate_json(text) == value)
        except Exception:  # noqa: BLE001 - serializers and validators are the user's
            raise refused from None
        if not whole:
            raise
        return [text]


def put_together(cls: Any, parts: list[Any]) -> Any:
    """Inverse of :func:`take_apart`."""
    if not is_model(cls):
        raise IntermediateError(f"The stored value holds a model `{cls.__name__}`, which is none any more.")
    if len(parts) == 1:
        return cls.model_validate_json(parts[0])
    fields, fields_set, extra, private = parts
    stray = [name for name in fields if name not in cls.model_fields]
    if stray:  # it would stand in the place of a method
        raise IntermediateError(f"The stored `{cls.__name__}` has {shown(stray[0])}, which is not one of its fields.")
    made = cls.__new__(cls)
    made.__setstate__(
        {
            "__dict__": fields,
            "__pydantic_fields_set__": set(fields_set),
            "__pydantic_extra__": extra if cls.model_config.get("extra") == "allow" else None,
            "__pydantic_private__": private if cls.__private_attributes__ else None,
        }
    )
    return made


def same_models(a: Any, b: Any, same: Callable[[Any, Any], bool]) -> bool:
    """Whether two models of one class hold the same. What no rule knows is compared by its own ``==``."""
    fields, given, *others = _state(a)
    fields_b, given_b, *others_b = _state(b)
    if given != given_b:
        return False
    return all(
        list(x) == list(y) and all(_same_field(one, y[name], same) for name, one in x.items())
        for x, y in zip([fields, *others], [fields_b, *others_b], strict=True)
    )


def _same_field(x: Any, y: Any, same: Callable[[Any, Any], bool]) -> bool:
    holder = isinstance(x, (list, dict, tuple, set, frozenset))
    return same(x, y) or (not holder and type(x) is type(y) and bool(x == y))


def _state(value: Any) -> tuple[dict[str, Any], set[str], dict[str, Any], dict[str, Any]]:
    """Fields, which of them were given, extra fields, private attributes. What a cached property remembered is left
    out: it can be computed again."""
    state = value.__getstate__()
    fields = {name: one for name, one in state["__dict__"].items() if name in type(value).model_fields}
    given: set[str] = state["__pydantic_fields_set__"]
    return fields, given, state.get("__pydantic_extra__") or {}, state.get("__pydantic_private__") or {}
