"""Everything that can be known to be wrong with a pipeline before it runs, each with a way to fix it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from solidstate.composition import Node
from solidstate.config import configurable
from solidstate.errors import DefinitionError, closest, shown
from solidstate.hooks import HookDefinition
from solidstate.resources import Mode, Preset
from solidstate.type_conflicts import conflict


def argument_problems(pipeline: str, modes: object, presets: object, tags: object) -> list[DefinitionError]:
    """What is wrong with the arguments of the decorator, before anything is made of them."""
    problems: list[tuple[str, str, object, str]] = []
    wanted: list[tuple[str, object, type, str]] = [
        ("modes", modes, Mode, '`modes=[Mode("local", resources={...})]`'),
        ("presets", presets, Preset, '`presets=[Preset("sample", run_config={...})]`'),
    ]
    for argument, given, kind, example in wanted:
        right = isinstance(given, (list, tuple)) and all(isinstance(one, kind) for one in given)
        if given is not None and not right:
            problems.append((argument, f"a list of `{kind.__name__}`", given, example))
    if tags is not None and not isinstance(tags, Mapping):
        problems.append(("tags", "a mapping of text to text", tags, '`tags={"team": "ops"}`'))
    return [
        DefinitionError(
            f"`{argument}` of pipeline `{pipeline}` must be {expected}, got {shown(found)} of type "
            f"`{type(found).__name__}`.",
            subject=pipeline,
            path=pipeline,
            hint=f"write {example}",
        )
        for argument, expected, found, example in problems
    ]


def definition_problems(
    pipeline: str,
    nodes: Sequence[Node],
    modes: Sequence[Mode],
    presets: Sequence[Preset],
    hooks: Sequence[HookDefinition] = (),
) -> list[DefinitionError]:
    """All problems, in a fixed order: graph, inputs, edges, modes, presets."""
    if not nodes:
        return [
            DefinitionError(
                f"Pipeline `{pipeline}` has no solids.",
                subject=pipeline,
                path=pipeline,
                hint="call at least one solid in its body",
            )
        ]
    return [
        *_cycles(pipeline, nodes),
        *_unfed_inputs(pipeline, nodes),
        *_nothing_edges(pipeline, nodes),
        *_type_conflicts(pipeline, nodes),
        *_modes(pipeline, nodes, modes, hooks),
        *_presets(pipeline, modes, presets),
    ]


def _cycles(pipeline: str, nodes: Sequence[Node]) -> Iterator[DefinitionError]:
    graph = {
        node.name: [source.node for binding in node.bindings.values() for source in binding.sources] for node in nodes
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = " -> ".join(f"`{name}`" for name in error.args[1])
        yield DefinitionError(
            f"Pipeline `{pipeline}` has a cycle: {cycle}.",
            subject=pipeline,
            path=pipeline,
            hint="remove one of these dependencies; data flows one way",
        )


def _unfed_inputs(pipeline: str, nodes: Sequence[Node]) -> Iterator[DefinitionError]:
    for node in nodes:
        for inp in node.solid.inputs:
            if inp.name in node.bindings or inp.has_default:
                continue
            if inp.type.nothing or not configurable(inp.type.given_as):
                kind = (
                    "orders steps and"
                    if inp.type.nothing
                    else f"is of type `{inp.type.name}`, which config cannot give, and"
                )
                yield DefinitionError(
                    f"Input `{inp.name}` of `{node.name}` {kind} is not connected to any output.",
                    subject=node.name,
                    path=f"{pipeline}.{node.name}.{inp.name}",
                    hint=f"connect it, as in `{node.name}({inp.name}=upstream())`"
                    + ("" if inp.type.nothing else ", or give the parameter a default"),
                )


def _nothing_edges(pipeline: str, nodes: Sequence[Node]) -> Iterator[DefinitionError]:
    by_name = {node.name: node for node in nodes}
    for node in nodes:
        for key, binding in node.bindings.items():
            inp = node.solid.input(key)
            if inp.type.nothing:
                continue
            for source in binding.sources:
                out = by_name[source.node].solid.output(source.output)
                if out.type.nothing:
                    yield DefinitionError(
                        f"Output `{source.output}` of `{source.node}` is `Nothing` and carries no value, but input "
                        f"`{key}` of `{node.name}` expects `{inp.type.name}`.",
                        subject=node.name,
                        path=f"{pipeline}.{node.name}.{key}",
                        hint=f"declare the input as `In(Nothing)`, or give `{source.node}` an output with a value",
                    )


def _type_conflicts(pipeline: str, nodes: Sequence[Node]) -> Iterator[DefinitionError]:
    by_name = {node.name: node for node in nodes}
    for node in nodes:
        for key, binding in node.bindings.items():
            inp = node.solid.input(key)
            if inp.type.nothing:
                continue
            for source in dict.fromkeys(binding.sources):
                out = by_name[source.node].solid.output(source.output)
                if out.type.nothing:
                    continue
                listed = binding.fan_in or binding.collect
                produced = list[out.type.annotation] if listed else out.type.annotation  # type: ignore[name-defined]  # made of a value
                found = conflict(produced, inp.type.annotation)
                if found is None:
                    continue
                where = f": at `${found.place}` `{found.produced}` meets `{found.wanted}`" if found.place else ""
                what = f"is `{out.type.name}`" + (" (in a list)" if listed else "")
                yield DefinitionError(
                    f"Output `{source.output}` of `{source.node}` {what}, but input `{key}` of `{node.name}` expects "
                    f"`{inp.type.name}`, and no value is both{where}.",
                    subject=node.name,
                    path=f"{pipeline}.{node.name}.{key}",
                    hint="correct one of the annotations, convert in a solid between them, or connect another output",
                )


def _modes(
    pipeline: str, nodes: Sequence[Node], modes: Sequence[Mode], hooks: Sequence[HookDefinition]
) -> Iterator[DefinitionError]:
    for name, count in Counter(mode.name for mode in modes).items():
        if count > 1:
            yield DefinitionError(
                f"Pipeline `{pipeline}` has {count} modes named `{name}`.",
                subject=name,
                path=pipeline,
                hint="give each mode a name of its own",
            )
    for mode in modes:
        for node in nodes:
            for key in node.solid.resources:
                if key not in mode.resources:
                    yield _missing_resource(pipeline, mode, key, f"solid `{node.solid.name}`", node.name)
            for hook in node.solid.hooks:
                yield from _hook_resources(pipeline, mode, hook, node.name)
        for hook in hooks:
            yield from _hook_resources(pipeline, mode, hook, pipeline)
        for name, definition in mode.resources.items():
            for key in definition.requires:
                if key not in mode.resources:
                    yield _missing_resource(pipeline, mode, key, f"resource `{name}`", name)
        try:
            TopologicalSorter({key: definition.requires for key, definition in mode.resources.items()}).prepare()
        except CycleError as error:
            cycle = " -> ".join(f"`{name}`" for name in error.args[1])
            yield DefinitionError(
                f"Resources of mode `{mode.name}` need each other in a cycle: {cycle}.",
                subject=mode.name,
                path=f"{pipeline}.modes.{mode.name}",
                hint="let one of them be made without the other",
            )


def _hook_resources(pipeline: str, mode: Mode, hook: HookDefinition, owner: str) -> Iterator[DefinitionError]:
    for key in hook.resources:
        if key not in mode.resources:
            yield _missing_resource(pipeline, mode, key, f"hook `{hook.name}`", owner)


def _missing_resource(pipeline: str, mode: Mode, key: str, user: str, name: str) -> DefinitionError:
    near = closest(key, mode.resources)
    return DefinitionError(
        f"Resource `{key}` is required by {user}, but mode `{mode.name}` does not provide it.",
        subject=name,
        path=f"{pipeline}.modes.{mode.name}",
        hint=f"it provides `{near}`: correct one of the two names"
        if near
        else f'add it: `Mode("{mode.name}", resources={{"{key}": ...}})`',
    )


def _presets(pipeline: str, modes: Sequence[Mode], presets: Sequence[Preset]) -> Iterator[DefinitionError]:
    names = [mode.name for mode in modes]
    for name, count in Counter(preset.name for preset in presets).items():
        if count > 1:
            yield DefinitionError(
                f"Pipeline `{pipeline}` has {count} presets named `{name}`.",
                subject=name,
                path=pipeline,
                hint="give each preset a name of its own",
            )
    for preset in presets:
        if preset.mode is not None and preset.mode not in names:
            yield DefinitionError(
                f"Preset `{preset.name}` is for mode `{preset.mode}`, but pipeline `{pipeline}` has the modes "
                f"{', '.join(f'`{n}`' for n in names)}.",
                subject=preset.name,
                path=f"{pipeline}.presets.{preset.name}",
                hint="correct the mode's name",
            )
