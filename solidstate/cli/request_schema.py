"""The JSON Schema of a pipeline's run request, for editors that complete and check while one types.

It describes the shape of a request. What must be there is stricter than a schema can say (a preset may give it, a
selection may make it needless), so `required` is only stated for pipelines without presets; ``solidstate config check``
is the judge.
"""

from __future__ import annotations

from typing import Any

import msgspec

from solidstate.config import configurable, is_secret, is_selector, objects_in, schema_of
from solidstate.output_options import outputs_annotation
from solidstate.pipeline import PipelineDefinition
from solidstate.secret import PATTERNS, SOURCES, Secret

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/{name}"


def request_schema(pipeline: PipelineDefinition) -> dict[str, Any]:
    """Draft 2020-12, with the config types under ``$defs``."""
    types = _types(pipeline)
    special = _special(types)
    schemas, components = msgspec.json.schema_components([*types.values(), *special], ref_template=_REF)
    by_place = dict(zip(types, schemas, strict=False))
    named = {one["$ref"].rpartition("/")[2]: cls for cls, one in zip(special, schemas[len(types) :], strict=True)}
    strict = not pipeline.presets
    properties: dict[str, Any] = {
        "mode": _choice("Which resources to use.", [mode.name for mode in pipeline.modes]),
        "preset": _choice("A named request, merged below this one.", [preset.name for preset in pipeline.presets]),
        "solids": _object(_solids(pipeline, by_place, "")),
        "resources": _object(_resources(pipeline, by_place)),
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "steps": {
            "type": "string",
            "description": "A part of the pipeline: name, name*, *name, name+1, tag:key=value.",
        },
        "from_run": {"type": "string", "description": "Take what is not selected from this run."},
    }
    if not pipeline.presets:
        del properties["preset"]
    schema = {
        "$schema": _DIALECT,
        "title": f"Run request for pipeline {pipeline.name}",
        **({"description": pipeline.description} if pipeline.description else {}),
        **_object(properties),
        "$defs": {
            name: _one_of(component, named[name]) if name in named else _closed(component, strict=strict)
            for name, component in components.items()
        },
    }
    if strict and len(pipeline.modes) > 1:
        schema["required"] = ["mode"]
    return schema


_Place = tuple[str, ...]


def _types(pipeline: PipelineDefinition) -> dict[_Place, Any]:
    """Every type that a request can hold, by its place."""
    types: dict[_Place, Any] = {}
    for node in pipeline.nodes:
        if node.solid.config_type is not None:
            types["solids", node.name, "config"] = node.solid.config_type
        for inp in node.solid.inputs:
            if inp.name not in node.bindings and not inp.type.nothing and configurable(inp.type.given_as):
                types["solids", node.name, "inputs", inp.name] = inp.type.given_as
        outputs = outputs_annotation(node.solid)
        if outputs is not None:
            types["solids", node.name, "outputs"] = outputs
    for use in pipeline.composites:
        if use.definition.config_type is not None:
            types["solids", use.name, "config"] = use.definition.config_type
    for mode in pipeline.modes:
        for key, definition in mode.resources.items():
            if definition.config_type is not None:
                types["resources", key, mode.name] = definition.config_type
    return types


def _special(types: dict[_Place, Any]) -> list[type]:
    """The classes of which one field alone may be given."""
    objects = (one for annotation in types.values() for one in objects_in(schema_of(annotation)))
    return list(dict.fromkeys(one.cls for one in objects if is_secret(one) or is_selector(one)))


def _one_of(component: dict[str, Any], cls: type) -> dict[str, Any]:
    """A Selector or a Secret, in words of JSON Schema."""
    described: dict[str, Any] = {key: component[key] for key in ("title", "description") if key in component}
    if cls is Secret:
        named = {name: {"type": "string", "pattern": f"^{one.pattern}$"} for name, one in PATTERNS.items()}
        forms: list[dict[str, Any]] = [_object({name: named[name]}) | {"required": [name]} for name in SOURCES]
        forms[-1]["properties"]["key"] = named["key"]
        return {**described, "type": "object", "oneOf": forms}
    options = {name: _never_null(one) for name, one in component.get("properties", {}).items()}
    return {**described, **_object(options), "minProperties": 1, "maxProperties": 1}


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    kept = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    return {**rest, **(kept[0] if len(kept) == 1 else {"anyOf": kept} if kept else {})}


def _solids(
    pipeline: PipelineDefinition, by_place: dict[_Place, Any], outer: str, *, made: bool = False
) -> dict[str, Any]:
    """The solids and composites directly inside a composite, or the pipeline; ``made``: their config is not written."""
    nodes = {node.name: node for node in pipeline.nodes}
    uses = {use.name: use.definition for use in pipeline.composites}
    inside = [name for name in (*nodes, *uses) if name.startswith(outer)]
    found: dict[str, Any] = {}
    for part in dict.fromkeys(name.removeprefix(outer).partition(".")[0] for name in inside):
        name = outer + part
        if name in nodes:
            found[part] = _node(nodes[name], by_place)
            if made:
                found[part]["properties"].pop("config", None)
            continue
        config = by_place.get(("solids", name, "config"))
        inner = _solids(pipeline, by_place, f"{name}.", made=made or config is not None)
        written = {"config": config} if config is not None and not made else {}
        described = {"description": uses[name].description} if uses[name].description else {}
        found[part] = {**described, **_object({**written, "solids": _object(inner)})}
    return found


def _node(node: Any, by_place: dict[_Place, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    config = by_place.get(("solids", node.name, "config"))
    if config is not None:
        parts["config"] = config
    inputs = {place[3]: one for place, one in by_place.items() if place[:3] == ("solids", node.name, "inputs")}
    if inputs:
        parts["inputs"] = _object(inputs)
    outputs = by_place.get(("solids", node.name, "outputs"))
    if outputs is not None:
        parts["outputs"] = {**outputs, "description": "Where to write outputs, beside storing them."}
    described = {"description": node.solid.description} if node.solid.description else {}
    return {**described, **_object(parts)}


def _resources(pipeline: PipelineDefinition, by_place: dict[_Place, Any]) -> dict[str, Any]:
    """A key may mean another resource in each mode: its config is that of any of them."""
    found: dict[str, list[Any]] = {}
    for place, schema in by_place.items():
        if place[0] == "resources" and schema not in found.setdefault(place[1], []):
            found[place[1]].append(schema)
    keys = dict.fromkeys(key for mode in pipeline.modes for key in mode.resources)
    configs = {key: found.get(key, []) for key in keys}
    return {
        key: _object({"config": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}} if schemas else {})
        for key, schemas in configs.items()
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _choice(description: str, names: list[str]) -> dict[str, Any]:
    return {"description": description, "enum": names}


def _closed(component: dict[str, Any], *, strict: bool) -> dict[str, Any]:
    """Unknown fields are errors in a run request, though msgspec itself would let them pass."""
    if component.get("type") != "object" or "properties" not in component:
        return component
    closed = {**component, "additionalProperties": False}
    if not strict:
        tags = [name for name in component.get("required", []) if "enum" in component["properties"].get(name, {})]
        closed.pop("required", None)
        if tags:
            closed["required"] = tags
    return closed
