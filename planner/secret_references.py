"""Where secrets are kept that a pipeline's defaults and presets refer to: known before anything runs, so that functions
may be allowed to read just these. What only a run request names cannot be known and is declared as a ``Permission``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect as mi

from solidstate.config import Schema, children, is_secret, schema_of, unwrap
from solidstate.configured_types import configured_types
from solidstate.hiding import holds_secret
from solidstate.permissions import Permission
from solidstate.pipeline import PipelineDefinition
from solidstate.secret import Secret

_ACCOUNT = "${AWS::Region}:${AWS::AccountId}"
_RANDOM = "-??????"
"""Secrets Manager adds six characters to the names of secrets in their ARNs (user guide, "Secrets Manager ARNs")."""


def secrets_at(pipeline: PipelineDefinition) -> dict[tuple[str, str], list[Permission]]:
    """By ``("solids", step)`` and ``("resources", key)``: what reading the secrets in its config takes."""
    found: dict[tuple[str, str], list[Permission]] = {}
    documents: list[tuple[str | None, Mapping[str, Any]]] = [(mode.name, {}) for mode in pipeline.modes]
    documents += [(preset.mode, preset.run_config) for preset in pipeline.presets]
    for mode, document in documents:
        for place, annotation in configured_types(pipeline, mode).items():
            for secret in _secrets(schema_of(annotation), _at(document, place), frozenset()):
                permission = permission_for(secret)
                for owner in _owners(place, pipeline) if permission is not None else ():
                    have = found.setdefault(owner, [])
                    if permission is not None and permission not in have:
                        have.append(permission)
    return found


def permission_for(secret: Secret) -> Permission | None:
    """What fetching the value takes; None for an environment variable."""
    if secret.ssm is not None:
        *arn, name = re.split(r":(?=parameter/)", secret.ssm)
        name = name.partition(":")[0].removeprefix("parameter/").lstrip("/")  # without a version or label
        place = arn[0] if arn else f"arn:${{AWS::Partition}}:ssm:{_ACCOUNT}"
        return Permission("ssm:GetParameter", f"{place}:parameter/{name}")
    if secret.secretsmanager is not None:
        name = secret.secretsmanager
        if not name.startswith("arn:"):
            name = f"arn:${{AWS::Partition}}:secretsmanager:{_ACCOUNT}:secret:{name}{_RANDOM}"
        return Permission("secretsmanager:GetSecretValue", name)
    return None


def _owners(place: tuple[str, ...], pipeline: PipelineDefinition) -> list[tuple[str, str]]:
    """Who reads what is configured at a place of a run request; a composite's config may reach all of its steps."""
    if place[0] == "resources":
        return [("resources", place[1])]
    name = ".".join(place[1:-1:2]) if place[-1] == "config" else ".".join(place[1:-2:2])
    inside = [node.name for node in pipeline.nodes if node.name.startswith(f"{name}.")]
    return [("solids", one) for one in inside or [name]]


def _at(document: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        document = document.get(key, msgspec.UNSET) if isinstance(document, Mapping) else msgspec.UNSET
    return document


def _secrets(schema: Schema, value: Any, above: frozenset[type]) -> Iterator[Secret]:
    """The references in a value somebody wrote for a schema, and those that stand in for what was left out."""
    schema = unwrap(schema)
    if not holds_secret(schema):
        return
    if is_secret(schema):
        secret = _reference(value)
        if secret is not None:
            yield secret
    elif isinstance(schema, (mi.StructType, mi.DataclassType, mi.TypedDictType, mi.NamedTupleType)):
        if value is msgspec.UNSET and schema.cls in above:
            return
        for field in schema.fields:
            yield from _secrets(field.type, _field(field, value), above | {schema.cls})
    elif isinstance(schema, mi.DictType):
        for item in value.values() if isinstance(value, Mapping) else ():
            yield from _secrets(schema.value_type, item, above)
    elif isinstance(schema, mi.UnionType):
        for one in schema.types if value is not msgspec.UNSET and value is not None else ():
            yield from _secrets(one, value, above)
    else:
        for item in value if isinstance(value, (list, tuple, set, frozenset)) else ():
            for inner in children(schema):
                yield from _secrets(inner, item, above)


def _field(field: Any, value: Any) -> Any:
    """What a field has: as it was written, as an object has it, or its default."""
    if isinstance(value, Mapping):
        found = value.get(field.encode_name, msgspec.UNSET)
    elif value is None or isinstance(value, msgspec.UnsetType):
        found = msgspec.UNSET
    else:
        found = getattr(value, field.name, msgspec.UNSET)
    if found is not msgspec.UNSET:
        return found
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else msgspec.UNSET


def _reference(value: Any) -> Secret | None:
    if isinstance(value, Secret):
        return value
    try:
        return msgspec.convert(value, Secret) if isinstance(value, Mapping) else None
    except (msgspec.ValidationError, ValueError, TypeError):
        return None  # wrong, as the check of the preset will say
