"""A run request to start from, made from what a pipeline declares.

What is required stands there with a value of the right type; what is optional can be shown too, commented out, with its
default. The comment mark stands where the outermost optional thing begins, so that taking away ``# `` at the head of a
block leaves valid YAML.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect as mi

from solidstate.config import (
    Schema,
    default_of,
    describe,
    example_of,
    is_secret,
    is_selector,
    schema_of,
    unwrap,
    without_none,
)
from solidstate.errors import escaped
from solidstate.infra.yaml_text import flow_json
from solidstate.pipeline import PipelineDefinition
from solidstate.resources import Mode
from solidstate.secret import Secret

_PLAIN_TEXT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_READ_AS_VALUES = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""By some YAML reader or other."""
MAX_DEPTH = 6
"""Deeper structs are written in one line."""


class Entry(msgspec.Struct):
    """One key of the document. ``required`` keys, and keys with a required one below them, are not commented out."""

    key: str
    value: Any = None
    comment: str = ""
    required: bool = False
    alternative: bool = False
    children: list[Entry] = []

    @property
    def active(self) -> bool:
        return self.required or any(child.active for child in self.children)


def request_entries(pipeline: PipelineDefinition, mode: Mode) -> list[Entry]:
    """All that can be written in a run request of ``pipeline`` for ``mode``, in the order of its sections."""
    modes = " | ".join(one.name for one in pipeline.modes)
    entries = [Entry("mode", mode.name, modes, required=len(pipeline.modes) > 1)]
    entries += [
        Entry("preset", preset.name, preset.description or "a preset, merged below what is written here")
        for preset in pipeline.presets
    ]
    solids = _solid_entries(pipeline, "")
    resources = [
        Entry(key, children=[Entry("config", children=_fields(schema_of(one.config_type)))])
        for key, one in mode.resources.items()
        if one.config_type is not None
    ]
    sections = [Entry("solids", children=[one for one in solids if one.children])]
    sections.append(Entry("resources", children=[one for one in resources if one.children[0].children]))
    entries += [section for section in sections if section.children]
    entries.append(Entry("tags", {"owner": "ops"}, "recorded with the run"))
    entries.append(Entry("steps", f"{pipeline.nodes[0].name}*", "run a part: name, name*, *name, name+1"))
    entries.append(Entry("from_run", "RUN", "take what is not selected from this run"))
    return entries


def _solid_entries(pipeline: PipelineDefinition, outer: str, *, made: bool = False) -> list[Entry]:
    """The solids and composites directly inside a composite, or the pipeline. The config of what is inside a composite
    with a ``config_fn`` is ``made`` by it, and is not written."""
    entries: list[Entry] = []
    uses = {use.name: use.definition for use in pipeline.composites}
    nodes = {node.name: node for node in pipeline.nodes}
    inside = [name for name in (*nodes, *uses) if name.startswith(outer)]
    for part in dict.fromkeys(name.removeprefix(outer).partition(".")[0] for name in inside):
        name = outer + part
        if name in nodes:
            parts = [entry for entry in _node_entries(nodes[name]) if not (made and entry.key == "config")]
        else:
            parts, maps = [], uses[name].config_type is not None
            if maps and not made:
                parts.append(Entry("config", children=_fields(schema_of(uses[name].config_type))))
            inner = _solid_entries(pipeline, f"{name}.", made=made or maps)
            parts += [Entry("solids", children=inner)] if inner else []
        if parts:
            entries.append(Entry(part, children=parts))
    return entries


def _node_entries(node: Any) -> list[Entry]:
    entries: list[Entry] = []
    if node.solid.config_type is not None:
        entries.append(Entry("config", children=_fields(schema_of(node.solid.config_type))))
    inputs = [_input_entry(inp) for inp in node.solid.inputs if inp.name not in node.bindings and not inp.type.nothing]
    if inputs:
        entries.append(Entry("inputs", children=[one for one in inputs if one is not None]))
    # Plain values can be written as JSON, too, but nobody wants to be reminded of it at every output.
    ways = {out.name: out.type.materializer for out in node.solid.outputs if out.type.materializer is not None}
    outputs = [{name: example_of(schema_of(one.annotation))} for name, one in ways.items()]
    entries = [one for one in entries if one.children]
    return [*entries, Entry("outputs", outputs, "where to write outputs, beside storing them")] if outputs else entries


def _input_entry(inp: Any) -> Entry | None:
    try:
        schema = schema_of(inp.type.given_as)
    except (TypeError, ValueError):  # of a type that config cannot give; it has a default, or it would be no pipeline
        return None
    comment = _comment(schema, inp.description)
    if inp.has_default and inp.type.loader is None:
        return Entry(inp.name, msgspec.to_builtins(inp.default, str_keys=True, enc_hook=repr), comment)
    return Entry(inp.name, example_of(schema), comment, required=not inp.has_default)


def _fields(schema: Schema, depth: int = 0) -> list[Entry]:
    struct = unwrap(schema)
    if not isinstance(struct, mi.StructType):
        return []
    return [_field(field, depth) for field in struct.fields]


def _field(field: mi.Field, depth: int) -> Entry:
    comment = _comment(field.type, "")
    if not field.required:
        return Entry(field.encode_name, default_of(field), comment)
    inner = unwrap(field.type)
    if isinstance(inner, mi.StructType) and is_selector(inner) and depth < MAX_DEPTH:
        return Entry(field.encode_name, comment=comment, required=True, children=_options(inner, depth + 1))
    if is_secret(inner):
        return Entry(field.encode_name, example_of(inner), comment, required=True)
    if isinstance(inner, mi.StructType) and inner.tag_field is None and inner.fields and depth < MAX_DEPTH:
        return Entry(field.encode_name, comment=comment, required=True, children=_fields(inner, depth + 1))
    return Entry(field.encode_name, example_of(field.type), comment, required=True)


def _options(selector: mi.StructType, depth: int) -> list[Entry]:
    """The first field to choose, and the others, commented out."""
    first, *others = selector.fields
    schema = without_none(first.type)
    comment = _comment(schema, "")
    fields = _fields(schema, depth + 1) if isinstance(schema, mi.StructType) and schema.tag_field is None else []
    chosen = Entry(first.encode_name, example_of(schema), comment, required=True, children=fields)
    return [
        chosen,
        *(
            Entry(other.encode_name, example_of(other.type), _comment(without_none(other.type), ""), alternative=True)
            for other in others
        ),
    ]


def _comment(schema: Schema, description: str) -> str:
    said = description or _described(schema)
    name = describe(schema)
    return f"{name}: {said}" if said else name


def _described(schema: Schema) -> str:
    """The description a ``msgspec.Meta`` gives to a type, else the first paragraph of a Struct's docstring."""
    while isinstance(schema, mi.Metadata):
        text = (schema.extra_json_schema or {}).get("description")
        if text:
            return str(text)
        schema = schema.type
    cls = getattr(without_none(schema), "cls", None)
    if not isinstance(cls, type) or not issubclass(cls, msgspec.Struct) or cls is Secret:
        return ""
    return (inspect.cleandoc(cls.__dict__.get("__doc__") or "")).split("\n\n")[0]


def document_of(entries: list[Entry], *, full: bool) -> dict[str, Any]:
    """The entries as data: the required ones, or ``full`` with every optional field of config, inputs and mode."""
    optional = {"mode", "solids", "resources"}
    kept = [entry for entry in entries if entry.active or (full and entry.key in optional)]
    return {entry.key: _value_of(entry, full=full) for entry in kept}


def _value_of(entry: Entry, *, full: bool) -> Any:
    if not entry.children:
        return entry.value
    kept = [
        child for child in entry.children if child.active or (full and not child.alternative and child.key != "outputs")
    ]
    return {child.key: _value_of(child, full=full) for child in kept}


def yaml_of(entries: list[Entry], title: list[str], *, full: bool) -> str:
    """The entries as YAML with comments. Presets are always mentioned; other optional things when ``full``."""
    lines = [f"# {_one_line(text)}" for text in title]
    shown = [entry for entry in entries if full or entry.active or entry.key == "preset"]
    for entry in shown:
        lines += _yaml(entry, 0, full=full, commented=False)
    if not any(entry.active for entry in shown):
        lines += ["# nothing is required", "{}"]
    return "\n".join(lines) + "\n"


def _yaml(entry: Entry, depth: int, *, full: bool, commented: bool) -> Iterator[str]:
    """``commented`` says that an outer entry is commented out already; its lines get their mark there."""
    marked = not entry.active and not commented
    lines = list(_bare(entry, full=full, commented=commented or marked))
    mark = "# " if marked else ""
    indent = "" if depth == 0 else "  "
    yield from (f"{indent}{mark}{one}" for one in lines)


def _bare(entry: Entry, *, full: bool, commented: bool) -> Iterator[str]:
    key = _scalar(entry.key)
    comment = f"  # {_one_line(entry.comment)}" if entry.comment else ""
    children = [child for child in entry.children if full or child.active]
    if not children:
        value = {} if entry.children else entry.value
        yield f"{key}: {_scalar(value)}{comment}"
        return
    yield f"{key}:{comment}"
    if entry.required and not any(child.active for child in children):
        # With nothing but comments below it YAML would read null; the defaults themselves say the same.
        children = [msgspec.structs.replace(child, required=True) for child in children]
    for child in children:
        yield from _yaml(child, 1, full=full, commented=commented)


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN_TEXT.fullmatch(value) and value.lower() not in _READ_AS_VALUES:
        return value
    return flow_json(value)


def _one_line(text: str) -> str:
    return escaped(" ".join(text.split()))
