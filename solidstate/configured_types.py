"""What can be configured in a pipeline: the types, by the places they have in a run request."""

from __future__ import annotations

from typing import Any

from solidstate.config import configurable
from solidstate.pipeline import PipelineDefinition


def configured_types(pipeline: PipelineDefinition, mode: Any) -> dict[tuple[str, ...], Any]:
    """The types of all that can be configured, by place; of resources that differ between modes those of ``mode``."""
    types: dict[tuple[str, ...], Any] = {}
    for node in pipeline.nodes:
        if node.solid.config_type is None and len(node.bindings) == len(node.solid.inputs):
            continue  # as most have it
        place = _place(node.name)
        if node.solid.config_type is not None:
            types[*place, "config"] = node.solid.config_type
        for inp in node.solid.inputs:
            if inp.name not in node.bindings and configurable(inp.type.given_as):
                types[*place, "inputs", inp.name] = inp.type.given_as
    for use in pipeline.composites:
        if use.definition.config_type is not None:
            types[*_place(use.name), "config"] = use.definition.config_type
    for one in sorted(pipeline.modes, key=lambda each: each.name == mode):
        for key, definition in one.resources.items():
            if definition.config_type is not None:
                types["resources", key, "config"] = definition.config_type
    return types


def _place(name: str) -> tuple[str, ...]:
    """Where a step or composite stands in a request: `outer.inner` under ``solids.outer.solids.inner``."""
    return tuple(key for part in name.split(".") for key in ("solids", part))
