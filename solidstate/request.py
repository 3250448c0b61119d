"""The run request: one document for every way of starting a run, validated in one place with one wording.

``resolve_request`` is what the command line, ``execute_pipeline`` and the first state of the state machine all call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from solidstate.acceptance import acceptor
from solidstate.composite_request import blamed, flatten, groups
from solidstate.composition import Node
from solidstate.config import configurable, describe, schema_of
from solidstate.config_errors import ConfigError, Path, mismatch, missing, pasteable, quoted, unknown, without_echo
from solidstate.configured_types import configured_types
from solidstate.documents import document_problem, plain, written
from solidstate.errors import RequestErrors, SolidstateError, closest, name_list, short, shown
from solidstate.evaluate import evaluate
from solidstate.hiding import holds_secret, masked
from solidstate.output_options import outputs_annotation
from solidstate.pipeline import PipelineDefinition
from solidstate.presets import merge_request
from solidstate.resources import Mode
from solidstate.selection import select_steps
from solidstate.type_checks import type_name

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")

_CORRECT = "correct the value; the type's own check refuses it"
_ENTRY = ["config", "inputs", "outputs"]
_SECTIONS = ["mode", "preset", "solids", "resources", "tags", "steps", "from_run"]


class RunRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A valid run request with its preset merged in: plain data, JSON both ways.

    ``solids`` maps a step to its ``config`` and ``inputs``; ``steps`` are the selected step names in plan order, None
    meaning all.
    """

    mode: str
    preset: str | None = None
    solids: dict[str, dict[str, Any]] = {}
    resources: dict[str, dict[str, Any]] = {}
    tags: dict[str, str] = {}
    steps: list[str] | None = None
    from_run: str | None = None


def resolve_request(pipeline: PipelineDefinition, document: object) -> RunRequest:
    """Validate a run request against a pipeline. Raises RequestErrors with every error found."""
    errors: list[ConfigError] = []
    request = _resolve(pipeline, document, errors)
    if errors or request is None:
        guarded = any(holds_secret(schema_of(one)) for one in configured_types(pipeline, None).values())
        told = [without_echo(error) for error in errors] if guarded else errors
        raise RequestErrors(f"Run request for pipeline `{pipeline.name}`", told)
    return request


def _resolve(pipeline: PipelineDefinition, document: object, errors: list[ConfigError]) -> RunRequest | None:
    if document is None:
        document = {}
    if not isinstance(document, Mapping):
        errors.append(mismatch((), document, "a mapping", "start from `{}`"))
        return None
    problem = document_problem(document)
    if problem is not None:
        errors.append(problem)
        return None
    errors += [unknown((), key, _SECTIONS) for key in document if key not in _SECTIONS]
    preset = _named("preset", document.get("preset"), [p.name for p in pipeline.presets], errors)
    merged: Mapping[str, Any] = written(document)
    if preset is not None:
        base = pipeline.preset(preset)
        inner = [section for section in _SECTIONS if section != "preset"]
        errors += [unknown(("presets", preset), key, inner) for key in base.run_config if key not in inner]
        below = {"mode": base.mode, **base.run_config} if base.mode else base.run_config
        merged = merge_request(below, merged, configured_types(pipeline, merged.get("mode") or below.get("mode")))
        problem = document_problem(base.run_config) or document_problem(merged)
        if problem is not None:
            errors.append(problem)
            return None
    mode = _mode(pipeline, merged.get("mode"), errors)
    solids = _solids(pipeline, merged.get("solids"), _unselected(merged, pipeline), errors)
    resources = _resources(mode, merged.get("resources"), errors)
    steps = _steps(pipeline, merged, errors)
    tags = _tags(merged.get("tags"), errors)
    from_run = merged.get("from_run")
    if from_run is not None and not (isinstance(from_run, str) and RUN_ID.fullmatch(from_run)):
        errors.append(mismatch(("from_run",), from_run, "a run id", "`solidstate runs` lists them"))
    return None if mode is None else RunRequest(mode.name, preset, solids, resources, tags, steps, from_run)


def _named(section: str, value: Any, names: list[str], errors: list[ConfigError]) -> str | None:
    if value is None or value in names:
        return value  # type: ignore[no-any-return]  # a name from the list, or None
    near = closest(str(value), names)
    hint = (
        f"did you mean `{near}`?"
        if near
        else f"{section}s: {name_list(names)}"
        if names
        else f"remove it; the pipeline has no {section}s"
    )
    errors.append(
        ConfigError(
            "choice",
            (section,),
            f"There is no {section} {shown(value)}.",
            given=value,
            expected=" | ".join(names),
            suggestion=near,
            hint=hint,
        )
    )
    return None


def _mode(pipeline: PipelineDefinition, value: Any, errors: list[ConfigError]) -> Mode | None:
    names = [mode.name for mode in pipeline.modes]
    if value is None and len(names) == 1:
        return pipeline.modes[0]
    if value is None:
        hint = f"add it, for example `{pasteable(('mode',), names[0])}`"
        problem = f"Missing required field `mode`; pipeline `{pipeline.name}` has {name_list(names)}."
        errors.append(
            ConfigError("missing", ("mode",), problem, expected=" | ".join(names), example=names[0], hint=hint)
        )
        return None
    name = _named("mode", value, names, errors)
    return pipeline.mode(name) if name is not None else None


def _section(path: Path, value: Any, errors: list[ConfigError]) -> Mapping[str, Any]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    errors.append(mismatch(path, value, "a mapping", "write `name: value` pairs below it, or `{}`"))
    return {}


def _unselected(merged: Mapping[str, Any], pipeline: PipelineDefinition) -> set[str]:
    """Steps that will not run, whose missing config is therefore no error."""
    if not isinstance(merged.get("steps"), str):
        return set()
    chosen, errors = _select(pipeline, merged["steps"], _upstream(pipeline))
    return set() if errors else {node.name for node in pipeline.nodes} - set(chosen)


def _solids(
    pipeline: PipelineDefinition, value: Any, unselected: set[str], errors: list[ConfigError]
) -> dict[str, dict[str, Any]]:
    section = _section(("solids",), value, errors)
    if not section and not pipeline.composites and not any(map(_configurable, pipeline.nodes)):
        return {}
    nodes = {node.name: node for node in pipeline.nodes}

    def composite_config(path: Path, config_type: Any, entry: Mapping[str, Any], needed: bool) -> dict[str, Any]:
        return _config(path, config_type, entry, errors, needed=needed)

    flat = flatten(pipeline, section, set(nodes) - unselected, composite_config, errors)
    result: dict[str, dict[str, Any]] = {name: {"config": config} for name, config in flat.configs.items()}
    for name, place in flat.places.items():
        node, path, entry = nodes[name], place.path, place.entry
        if not entry and not _configurable(node):
            continue  # nothing is said of it, and nothing would have to be
        found: list[ConfigError] = []
        found += [unknown(path, key, _ENTRY) for key in entry if key not in _ENTRY]
        given = name not in unselected and name not in flat.unmade
        config = _config((*path, "config"), node.solid.config_type, entry, found, needed=given)
        inputs = _inputs((*path, "inputs"), node, entry.get("inputs"), found, needed=name not in unselected)
        outputs = _outputs((*path, "outputs"), node, entry.get("outputs"), found)
        errors += blamed(found, place)
        kept = {key: part for key, part in zip(_ENTRY, (config, inputs, outputs), strict=True) if part}
        if kept:
            result[name] = kept
    return result


def _configurable(node: Node) -> bool:
    """Whether a request may have to say something of it."""
    return node.solid.config_type is not None or len(node.bindings) != len(node.solid.inputs)


def _config(
    path: Path, config_type: Any, entry: Mapping[str, Any], errors: list[ConfigError], *, needed: bool
) -> dict[str, Any]:
    value = entry.get("config")
    if config_type is None:
        if value is not None:
            errors.append(
                ConfigError(
                    "unknown",
                    path,
                    f"`{'.'.join(str(p) for p in path[:-1])}` takes no config.",
                    given=value,
                    hint="remove it",
                )
            )
        return {}
    if value is None and not needed:
        return {}
    if value is not None and not isinstance(value, (Mapping, config_type)):
        schema = schema_of(config_type)
        errors.append(mismatch(path, masked(schema, value), "a mapping", f"its fields: `{describe(schema)}`"))
        return {}
    return _judged(path, value or {}, config_type, errors) or {}


def _judged(path: Path, value: Any, annotation: Any, errors: list[ConfigError]) -> Any:
    """The value as JSON data, once all that is wrong with it is noted: first its shape, then what only its type itself
    knows (``__post_init__``)."""
    found = [] if acceptor(annotation)(value) else evaluate(schema_of(annotation), value, path)
    data = plain(value)
    if not found:
        try:
            msgspec.convert(data, annotation, str_keys=True)
        except Exception as error:  # noqa: BLE001 - a type's own checks may raise anything
            problem = error.problem if isinstance(error, SolidstateError) else short(str(error), 300)
            problem, _, place = problem.partition(" - at `$")  # where msgspec was
            steps = [int(step) if step.isdigit() else step for step in re.findall(r"\w+", place, re.ASCII)]
            text = f"Not a valid `{type_name(annotation)}`: {problem.rstrip('.')}."
            echo = masked(schema_of(annotation), value)
            found = [ConfigError("constraint", (*path, *steps), text, given=echo, hint=_CORRECT)]
    errors += found
    return data


def _inputs(path: Path, node: Node, value: Any, errors: list[ConfigError], *, needed: bool) -> dict[str, Any]:
    given = _section(path, value, errors)
    open_inputs = {inp.name: inp for inp in node.solid.inputs if inp.name not in node.bindings and not inp.type.nothing}
    for key in given:
        if key in node.bindings:
            sources = name_list([f"{s.node}.{s.output}" for s in node.bindings[key].sources])
            problem = f"Input `{key}` of `{node.name}` is already connected to {sources}."
            errors.append(ConfigError("unknown", (*path, key), problem, given=given[key], hint="remove it here"))
        elif key not in open_inputs:
            errors.append(unknown(path, key, list(open_inputs)))
    result: dict[str, Any] = {}
    for name, inp in open_inputs.items():
        if name in given and not configurable(inp.type.given_as):
            problem = f"Input `{name}` of `{node.name}` is of type `{inp.type.name}`, which config cannot give."
            errors.append(ConfigError("unknown", (*path, name), problem, given=given[name], hint="remove it"))
        elif name in given:
            result[name] = _judged((*path, name), given[name], inp.type.given_as, errors)
        elif not inp.has_default and needed:
            error = missing((*path, name), schema_of(inp.type.given_as))
            problem = f"Input `{name}` of `{node.name}` is not connected and not given."
            errors.append(
                ConfigError(
                    "missing", error.steps, problem, expected=error.expected, example=error.example, hint=error.hint
                )
            )
    return result


def _outputs(path: Path, node: Node, value: Any, errors: list[ConfigError]) -> list[Any]:
    """Where to write outputs, beside storing them."""
    if value is None:
        return []
    annotation = outputs_annotation(node.solid)
    if annotation is None:
        problem = f"`{node.name}` has no output that can be written where config says."
        errors.append(ConfigError("unknown", path, problem, given=value, hint="remove it"))
        return []
    written: list[Any] = _judged(path, value, annotation, errors)
    return written


def _resources(mode: Mode | None, value: Any, errors: list[ConfigError]) -> dict[str, dict[str, Any]]:
    section = _section(("resources",), value, errors)
    if mode is None:
        return {}
    errors += [unknown(("resources",), key, list(mode.resources)) for key in section if key not in mode.resources]
    result: dict[str, dict[str, Any]] = {}
    for key, definition in mode.resources.items():
        entry = _section(("resources", key), section.get(key), errors)
        errors += [unknown(("resources", key), field, ["config"]) for field in entry if field != "config"]
        config = _config(("resources", key, "config"), definition.config_type, entry, errors, needed=True)
        if config:
            result[key] = {"config": config}
    return result


def _upstream(pipeline: PipelineDefinition) -> dict[str, list[str]]:
    return {
        node.name: list(dict.fromkeys(s.node for b in node.bindings.values() for s in b.sources))
        for node in pipeline.nodes
    }


def _select(
    pipeline: PipelineDefinition, text: str, upstream: dict[str, list[str]]
) -> tuple[list[str], list[ConfigError]]:
    return select_steps(text, upstream, groups(pipeline), {node.name: node.solid.tags for node in pipeline.nodes})


def _steps(pipeline: PipelineDefinition, merged: Mapping[str, Any], errors: list[ConfigError]) -> list[str] | None:
    value = merged.get("steps")
    if value is None:
        return None
    if not isinstance(value, str):
        errors.append(mismatch(("steps",), value, "str", 'for example `"split*"`'))
        return None
    upstream = _upstream(pipeline)
    chosen, found = _select(pipeline, value, upstream)
    errors += found
    if found or merged.get("from_run") is not None:
        return chosen
    for name in chosen:
        outside = [source for source in upstream[name] if source not in chosen]
        if outside:
            problem = (
                f"`{name}` reads from {name_list(outside)}, which {'is' if len(outside) == 1 else 'are'} not selected."
            )
            hint = f"select {'it' if len(outside) == 1 else 'them'} too (`*{name}`), or name a run to reuse: `from_run`"
            errors.append(ConfigError("missing", ("steps",), problem, given=value, hint=hint))
    return chosen


def _tags(value: Any, errors: list[ConfigError]) -> dict[str, str]:
    section = _section(("tags",), value, errors)
    for key, text in section.items():
        if not isinstance(text, str):
            errors.append(
                mismatch(("tags", str(key)), text, "str", quoted(text) or "tags are text: write `owner: ops`")
            )
    return {str(key): text for key, text in section.items() if isinstance(text, str)}
