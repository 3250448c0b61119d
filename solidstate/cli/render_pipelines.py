"""Pipelines as definitions: what a module offers."""

from __future__ import annotations

from typing import Any

from solidstate.cli.text import Line, Span, indented, line, plural, table
from solidstate.pipeline import PipelineDefinition


def pipeline_lines(pipeline: PipelineDefinition, *, width: int | None = None) -> list[Line]:
    """Name, modes, presets and steps of one pipeline."""
    inner = None if width is None else width - 2
    lines = [line(Span(pipeline.name, "bold"), f"  {pipeline.description}" if pipeline.description else "")]
    modes = [_row("mode", mode.name, _mode_text(mode.description, list(mode.resources))) for mode in pipeline.modes]
    presets = [
        _row("preset", preset.name, _preset_text(preset.description, preset.mode)) for preset in pipeline.presets
    ]
    tags = [_row("tag", key, value) for key, value in pipeline.tags.items()]
    steps = [
        _row("step", node.name, _step_text(node.name, node.solid.name, node.solid.description))
        for node in pipeline.nodes
    ]
    return [*lines, *indented(table([*modes, *presets, *tags, *steps], width=inner))]


def _row(kind: str, name: str, text: str) -> list[Span]:
    return [Span(kind, "dim"), Span(name, "cyan"), Span(text)]


def _mode_text(description: str, resources: list[str]) -> str:
    needs = f"({plural(len(resources), 'resource')}: {', '.join(resources)})" if resources else ""
    return " ".join(part for part in (description, needs) if part)


def _preset_text(description: str, mode: str | None) -> str:
    return " ".join(part for part in (description, f"(mode {mode})" if mode else "") if part)


def _step_text(name: str, solid: str, description: str) -> str:
    return " ".join(part for part in (description, f"(solid {solid})" if solid != name else "") if part)


def pipeline_document(pipeline: PipelineDefinition) -> dict[str, Any]:
    """The same as data."""
    return {
        "name": pipeline.name,
        "description": pipeline.description,
        "modes": [
            {
                "name": mode.name,
                "description": mode.description,
                "resources": list(mode.resources),
                "loggers": list(mode.loggers),
            }
            for mode in pipeline.modes
        ],
        "presets": [
            {"name": preset.name, "description": preset.description, "mode": preset.mode} for preset in pipeline.presets
        ],
        "tags": pipeline.tags,
        "steps": [
            {"name": node.name, "solid": node.solid.name, "description": node.solid.description}
            for node in pipeline.nodes
        ],
    }
