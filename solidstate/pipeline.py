"""``@pipeline``: solids joined by data, with the modes and presets they can run in. Checked when it is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, overload

import msgspec

from solidstate.composition import Binding, Composition, Node, Source, composing
from solidstate.errors import DefinitionError, DefinitionErrors
from solidstate.pipeline_checks import definition_problems
from solidstate.resources import DEFAULT_MODE, Mode, Preset
from solidstate.signature import summary_of
from solidstate.solid import AliasedSolid, SolidDefinition, check_name


class PipelineDefinition(msgspec.Struct, frozen=True, eq=False):
    """A checked graph of solids. ``nodes`` are in definition order, which every later order respects among equals."""

    name: str
    nodes: tuple[Node, ...]
    modes: tuple[Mode, ...]
    presets: tuple[Preset, ...] = ()
    description: str = ""
    tags: dict[str, str] = {}

    def node(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    def mode(self, name: str) -> Mode:
        return next(mode for mode in self.modes if mode.name == name)

    def preset(self, name: str) -> Preset:
        return next(preset for preset in self.presets if preset.name == name)


@overload
def pipeline(fn: Callable[[], Any], /) -> PipelineDefinition: ...
@overload
def pipeline(
    *,
    name: str | None = None,
    description: str | None = None,
    modes: Sequence[Mode] | None = None,
    presets: Sequence[Preset] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Callable[[Callable[[], Any]], PipelineDefinition]: ...
def pipeline(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    modes: Sequence[Mode] | None = None,
    presets: Sequence[Preset] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Any:
    """Build a pipeline from a function whose body calls solids on each other's outputs.

    Raises DefinitionErrors with every problem found: names used twice, unknown inputs, inputs nobody can provide,
    resources a mode lacks.
    """

    def decorate(func: Callable[[], Any]) -> PipelineDefinition:
        title = name or func.__name__
        with composing(title) as composition:
            func()
        return _checked(
            title, composition, modes, presets, summary_of(func) if description is None else description, tags
        )

    return decorate if fn is None else decorate(fn)


def pipeline_from_dependencies(
    name: str,
    solids: Iterable[SolidDefinition | AliasedSolid],
    dependencies: Mapping[str, Mapping[str, str | Sequence[str]]],
    *,
    modes: Sequence[Mode] | None = None,
    presets: Sequence[Preset] | None = None,
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> PipelineDefinition:
    """Build a pipeline from data, for graphs made by a program.

    ``dependencies`` maps a node's name to its inputs, each fed by ``"node"`` (its only output), ``"node.output"``, or a
    list of these for a fan-in. Raises DefinitionErrors, also for cycles.
    """
    composition = Composition(name)
    bare = {(s.name if isinstance(s, (SolidDefinition, AliasedSolid)) else str(s)): s for s in solids}
    definitions = {key: s.solid if isinstance(s, AliasedSolid) else s for key, s in bare.items()}
    for key, solid in definitions.items():
        given = dependencies.get(key, {})
        bindings = {inp: _parse_binding(composition, definitions, key, inp, ref) for inp, ref in given.items()}
        known = {inp.name for inp in solid.inputs}
        for inp in given:
            if inp not in known:
                composition.problems.append(
                    DefinitionError(
                        f"`{key}` has no input `{inp}`; its inputs: {', '.join(f'`{n}`' for n in sorted(known))}.",
                        subject=key,
                        path=f"{name}.{key}",
                        hint="correct the name in `dependencies`",
                    )
                )
        composition.nodes[key] = Node(
            name=key, solid=solid, bindings={inp: b for inp, b in bindings.items() if b is not None and inp in known}
        )
    for key in dependencies:
        if key not in definitions:
            composition.problems.append(
                DefinitionError(
                    f"`dependencies` of pipeline `{name}` names `{key}`, which is not among its solids.",
                    subject=key,
                    path=name,
                    hint="add the solid, or correct the name",
                )
            )
    return _checked(name, composition, modes, presets, description, tags)


def _parse_binding(
    composition: Composition,
    definitions: Mapping[str, SolidDefinition],
    node: str,
    inp: str,
    ref: str | Sequence[str],
) -> Binding | None:
    sources: list[Source] = []
    for text in [ref] if isinstance(ref, str) else ref:
        upstream, _, output = text.partition(".")
        solid = definitions.get(upstream)
        names = [out.name for out in solid.outputs] if solid else []
        if not output and len(names) == 1:
            output = names[0]
        if output not in names:
            found = f"outputs of `{upstream}`: {', '.join(f'`{n}`' for n in names)}" if solid else "no such solid"
            composition.problems.append(
                DefinitionError(
                    f"Input `{inp}` of `{node}` is fed by `{text}`, which does not exist ({found}).",
                    subject=node,
                    path=f"{composition.owner}.{node}.{inp}",
                    hint="write `solid` or `solid.output`",
                )
            )
            return None
        sources.append(Source(upstream, output))
    return Binding(tuple(sources), fan_in=not isinstance(ref, str))


def _checked(
    name: str,
    composition: Composition,
    modes: Sequence[Mode] | None,
    presets: Sequence[Preset] | None,
    description: str,
    tags: Mapping[str, str] | None,
) -> PipelineDefinition:
    problems: list[DefinitionError] = list(composition.problems)
    try:
        check_name(name, "pipeline")
    except DefinitionError as error:
        problems.append(error)
    built = PipelineDefinition(
        name=name,
        nodes=tuple(composition.nodes.values()),
        modes=tuple(modes) if modes else (Mode(DEFAULT_MODE),),
        presets=tuple(presets or ()),
        description=description,
        tags={str(k): str(v) for k, v in (tags or {}).items()},
    )
    problems.extend(definition_problems(built.name, built.nodes, built.modes, built.presets))
    if problems:
        raise problems[0] if len(problems) == 1 else DefinitionErrors(f"Pipeline `{name}`", problems)
    return built
