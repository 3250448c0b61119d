"""``@pipeline``: solids joined by data, with the modes and presets they can run in. Checked when it is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, overload

import msgspec

from solidstate.bodies import run_body
from solidstate.composite_checks import composite_problems
from solidstate.composites import CompositeDefinition, CompositeUse
from solidstate.composition import Binding, Composition, Node, Source, composing, current_composition
from solidstate.errors import DefinitionError, DefinitionErrors, lookup, shown
from solidstate.hooks import HookDefinition, hook_tuple
from solidstate.pipeline_checks import argument_problems, definition_problems
from solidstate.resources import DEFAULT_MODE, Mode, Preset
from solidstate.signature import bare, check_name, function_of, name_of, parameters_of, summary_of, where
from solidstate.solid import AliasedSolid, SolidDefinition


class PipelineDefinition(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """A checked graph of solids. ``nodes`` are in definition order, which every later order respects among equals.

    Nodes are flat; ``composites`` say which of them belong together, outer ones before those inside them.
    """

    name: str
    nodes: tuple[Node, ...]
    modes: tuple[Mode, ...]
    presets: tuple[Preset, ...] = ()
    description: str = ""
    tags: dict[str, str] = {}
    hooks: tuple[HookDefinition, ...] = ()
    composites: tuple[CompositeUse, ...] = ()

    def __call__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raises DefinitionError: a pipeline is run, not called."""
        outer = current_composition()
        if outer is None:
            problem, hint = f"Pipeline `{self.name}` is called like a function.", "run it: `execute_pipeline(...)`"
        else:
            problem = f"Pipeline `{self.name}` is called in the body of `{outer.owner}`."
            hint = "a pipeline cannot be part of another; make it a `@composite_solid`"
        raise DefinitionError(problem, subject=self.name, hint=hint)

    def node(self, name: str) -> Node:
        """Raises DefinitionError when there is none of that name; so do ``mode`` and ``preset``."""
        return lookup("step", name, {node.name: node for node in self.nodes}, f"pipeline `{self.name}`")

    def composite(self, name: str) -> CompositeUse:
        """Raises DefinitionError when there is no composite of that whole name."""
        return lookup("composite", name, {use.name: use for use in self.composites}, f"pipeline `{self.name}`")

    def mode(self, name: str) -> Mode:
        return lookup("mode", name, {mode.name: mode for mode in self.modes}, f"pipeline `{self.name}`")

    def preset(self, name: str) -> Preset:
        return lookup("preset", name, {preset.name: preset for preset in self.presets}, f"pipeline `{self.name}`")


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
    hooks: Iterable[HookDefinition] | None = None,
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
    hooks: Iterable[HookDefinition] | None = None,
) -> Any:
    """Build a pipeline from a function whose body calls solids on each other's outputs.

    Raises DefinitionErrors with every problem found: names used twice, unknown inputs, inputs nobody can provide,
    resources a mode lacks. ``hooks`` are called for every step, after the solid's own.
    """

    def decorate(value: Any) -> PipelineDefinition:
        func = function_of(value, "pipeline")
        title = name if name is not None else name_of(func)
        check_name(title, "pipeline", path=where(func))
        parameters = [f"`{bare(parameter)}`" for parameter in parameters_of(func)]
        if parameters:
            raise DefinitionError(
                f"The function of pipeline `{title}` has parameters ({', '.join(parameters)}); it takes none.",
                subject=title,
                path=where(func),
                hint="make it a solid's config, or read it from a solid",
            )
        with composing(Composition(title)) as composition:
            run_body(func, f"pipeline `{title}`", title)
        return _checked(
            title, composition, modes, presets, summary_of(func) if description is None else description, tags, hooks
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
    hooks: Iterable[HookDefinition] | None = None,
) -> PipelineDefinition:
    """Build a pipeline from data, for graphs made by a program.

    ``dependencies`` maps a node's name to its inputs, each fed by ``"node"`` (its only output), ``"node.output"``, or a
    list of these for a fan-in. Raises DefinitionErrors, also for cycles.
    """
    composition = Composition(name)
    check_name(name, "pipeline")
    wrong = _not_dependencies(dependencies)
    if wrong is not None:
        raise DefinitionError(
            f"`dependencies` of pipeline `{name}` must map names of solids to mappings of their inputs, {wrong}.",
            subject=name,
            path=name,
            hint='write `{"clean": {"flights": "read"}}`',
        )
    definitions = _definitions(composition, solids)
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
    return _checked(name, composition, modes, presets, description, tags, hooks)


def _not_dependencies(dependencies: object) -> str | None:
    if not isinstance(dependencies, Mapping):
        return f"got {shown(dependencies)} of type `{type(dependencies).__name__}`"
    for key, given in dependencies.items():
        if not isinstance(given, Mapping):
            return f"but {shown(key)} is mapped to {shown(given)} of type `{type(given).__name__}`"
    return None


def pipeline_around(
    name: str,
    solid: SolidDefinition | CompositeDefinition,
    sources: Mapping[str, SolidDefinition],
    modes: Sequence[Mode],
) -> PipelineDefinition:
    """A pipeline of one solid or composite whose inputs come from ``sources``, for running it by itself."""
    with composing(Composition(name)) as composition:
        solid(**{inp: source() for inp, source in sources.items()})
    return _checked(name, composition, modes, None, "", None, None)


def _definitions(
    composition: Composition, solids: Iterable[SolidDefinition | AliasedSolid]
) -> dict[str, SolidDefinition]:
    """Solids by the name of their node."""
    found: dict[str, SolidDefinition] = {}
    owner = composition.owner
    for one in solids:
        if not isinstance(one, (SolidDefinition, AliasedSolid)):
            problem = f"Pipeline `{owner}` is given {shown(one)} of type `{type(one).__name__}` in `solids`."
            composition.problems.append(DefinitionError(problem, subject=owner, path=owner, hint="pass a `@solid`"))
        elif one.name in found:
            composition.twice(one.name, one.name)
        else:
            found[one.name] = one.solid if isinstance(one, AliasedSolid) else one
    return found


def _parse_binding(
    composition: Composition,
    definitions: Mapping[str, SolidDefinition],
    node: str,
    inp: str,
    ref: str | Sequence[str],
) -> Binding | None:
    sources: list[Source] = []
    listed = isinstance(ref, (list, tuple))
    refs: list[Any] = [*ref] if listed else [ref]
    if not refs or not all(isinstance(text, str) for text in refs):
        composition.problems.append(
            DefinitionError(
                f"Input `{inp}` of `{node}` is fed by {shown(ref)}; expected a name or a list of names.",
                subject=node,
                path=f"{composition.owner}.{node}.{inp}",
                hint='write `"solid"`, `"solid.output"`, or a list of these for a fan-in',
            )
        )
        return None
    for text in refs:
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
        if solid is not None and solid.output(output).dynamic:
            composition.problems.append(
                DefinitionError(
                    f"Input `{inp}` of `{node}` is fed by `{text}`, which has any number of items.",
                    subject=node,
                    path=f"{composition.owner}.{node}.{inp}",
                    hint="wire it in the body of a `@pipeline`, with `.map(...)` and `.collect()`",
                )
            )
            return None
        sources.append(Source(upstream, output))
    return Binding(tuple(sources), fan_in=listed)


def _checked(
    name: str,
    composition: Composition,
    modes: Sequence[Mode] | None,
    presets: Sequence[Preset] | None,
    description: str,
    tags: Mapping[str, str] | None,
    hooks: Iterable[HookDefinition] | None,
) -> PipelineDefinition:
    problems: list[DefinitionError] = list(composition.problems)
    wrong = argument_problems(name, modes, presets, tags)
    if wrong:
        raise _together(name, [*problems, *wrong])
    built = PipelineDefinition(
        name=name,
        nodes=tuple(composition.nodes.values()),
        modes=tuple(modes) if modes else (Mode(DEFAULT_MODE),),
        presets=tuple(presets or ()),
        description=description,
        tags={str(k): str(v) for k, v in (tags or {}).items()},
        hooks=hook_tuple(hooks, f"pipeline `{name}`", name),
        composites=tuple(composition.composites.values()),
    )
    problems.extend(definition_problems(built.name, built.nodes, built.modes, built.presets, built.hooks))
    problems.extend(composite_problems(built.name, built.nodes, built.composites))
    if problems:
        raise _together(name, problems)
    return built


def _together(name: str, problems: list[DefinitionError]) -> DefinitionError:
    return problems[0] if len(problems) == 1 else DefinitionErrors(f"Pipeline `{name}`", problems)
