"""The same pipeline with other resources: what a test puts in the place of those that a mode names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from solidstate.errors import DefinitionError, DefinitionErrors, closest, name_list, shown
from solidstate.pipeline import PipelineDefinition
from solidstate.pipeline_checks import definition_problems
from solidstate.resources import Mode, Preset, ResourceDefinition


def with_resources(pipeline: PipelineDefinition, resources: Mapping[str, Any] | None) -> PipelineDefinition:
    """``pipeline`` with ``resources`` in place of those of the same keys, in every mode.

    Each is an ``@resource`` or any plain value. Steps and plan stay what they are. What presets say of the config of a
    resource whose stub takes none is left out. Raises DefinitionError for a key that no mode has, and for what the
    modes then lack.
    """
    if resources is None or resources == {}:
        return pipeline
    if not isinstance(resources, Mapping):
        raise DefinitionError(
            f"`resources` must map keys to resources, got {shown(resources)} of type `{type(resources).__name__}`.",
            subject=pipeline.name,
            hint='write `resources={"clock": fake_clock}`',
        )
    _check_keys(pipeline, resources)
    modes = tuple(
        Mode(
            mode.name,
            {**mode.resources, **{key: value for key, value in resources.items() if key in mode.resources}},
            mode.description,
        )
        for mode in pipeline.modes
    )
    plain = {
        key for key, value in resources.items() if not isinstance(value, ResourceDefinition) or not value.config_type
    }
    presets = tuple(_without_config(preset, plain) for preset in pipeline.presets)
    problems = definition_problems(pipeline.name, pipeline.nodes, modes, presets, pipeline.hooks)
    if problems:
        raise DefinitionErrors(f"Pipeline `{pipeline.name}` with these resources", problems)
    return msgspec.structs.replace(pipeline, modes=modes, presets=presets)


def _check_keys(pipeline: PipelineDefinition, resources: Mapping[str, Any]) -> None:
    known = list(dict.fromkeys(key for mode in pipeline.modes for key in mode.resources))
    problems: list[DefinitionError] = []
    for key in resources:
        if key in known:
            continue
        near = closest(str(key), known)
        problems.append(
            DefinitionError(
                f"Pipeline `{pipeline.name}` has no resource {shown(key)}; it has {name_list(known) or 'none'}.",
                subject=pipeline.name,
                hint=f"did you mean `{near}`?" if near else "stub what a mode of the pipeline provides",
            )
        )
    if problems:
        raise problems[0] if len(problems) == 1 else DefinitionErrors(f"Stubs of pipeline `{pipeline.name}`", problems)


def _without_config(preset: Preset, keys: set[str]) -> Preset:
    section = preset.run_config.get("resources")
    if not isinstance(section, dict) or keys.isdisjoint(section):
        return preset
    kept = {key: entry for key, entry in section.items() if key not in keys}
    return msgspec.structs.replace(preset, run_config={**preset.run_config, "resources": kept})
