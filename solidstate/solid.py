"""``@solid``: a typed function becomes a self-describing node. Frozen definitions, no effects."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, get_args, get_origin, overload

import msgspec

from solidstate.composition import current_composition
from solidstate.declarations import DynamicOut, In, Out, argument_problems, parameter_problems
from solidstate.errors import DefinitionError, DefinitionErrors, lookup, short
from solidstate.events import Output
from solidstate.expectations import Expectation
from solidstate.handles import OutputHandle, OutputHandles
from solidstate.hooks import HookDefinition, hook_tuple
from solidstate.permissions import Permission, permission_tuple
from solidstate.policies import Compute, RetryPolicy
from solidstate.signature import (
    CONTEXT_NAMES,
    check_name,
    config_of,
    function_of,
    hints_of,
    name_of,
    parameters_of,
    summary_of,
    where,
)
from solidstate.type_variables import P, R
from solidstate.types import ANY, EdgeType, resolve_type

__all__ = ["AliasedSolid", "In", "InputDefinition", "Out", "OutputDefinition", "SolidDefinition", "check_name", "solid"]

Wired = OutputHandle | OutputHandles | Sequence[OutputHandle]
"""What takes a value's place in the body of a pipeline."""

_UNSET: Any = msgspec.UNSET


class InputDefinition(msgspec.Struct, frozen=True, eq=False):
    """An input as it was declared and inferred."""

    name: str
    type: EdgeType
    description: str = ""
    default: Any = msgspec.UNSET

    @property
    def has_default(self) -> bool:
        return self.default is not msgspec.UNSET


class OutputDefinition(msgspec.Struct, frozen=True, eq=False):
    """An output as it was declared and inferred. A ``dynamic`` one has up to ``max_items`` items of the type."""

    name: str
    type: EdgeType
    description: str = ""
    optional: bool = False
    dynamic: bool = False
    max_items: int = 1


class SolidDefinition(msgspec.Struct, Generic[P, R], frozen=True, eq=False):
    """A solid. Called in a pipeline it becomes a node; called anywhere else it is the function it wraps.

    For type checkers a call with values has the parameters and the result of that function. A call with outputs of
    other solids, as in a pipeline's body, may leave out ``context``, ``config`` and what config gives, so it is not
    checked there, and its result is ``Any``; so is that of a call without arguments, which may be either. Which output
    fits which input is told when the pipeline is built.
    """

    name: str
    fn: Callable[P, R]
    inputs: tuple[InputDefinition, ...]
    outputs: tuple[OutputDefinition, ...]
    takes_context: bool = False
    config_type: Any = None
    resources: tuple[str, ...] = ()
    retry: RetryPolicy | None = None
    compute: Compute = Compute()
    tags: dict[str, str] = {}
    description: str = ""
    hooks: tuple[HookDefinition, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    permissions: tuple[Permission, ...] = ()

    @overload
    def __call__(self, *args: Wired, **kwargs: Wired) -> Any: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        composition = current_composition()
        if composition is None:
            return self.fn(*args, **kwargs)
        return composition.invoke(self, self.name, {}, args, kwargs)

    def alias(self, name: str) -> AliasedSolid[P, R]:
        """The same solid under another name in a pipeline, with config, inputs and history of its own."""
        check_name(name, f"alias of solid `{self.name}`")
        return AliasedSolid(self, name)

    def with_hooks(self, hooks: Iterable[HookDefinition]) -> SolidDefinition[P, R]:
        """The same solid with these hooks after those it has. Raises DefinitionError for what is no hook."""
        added = hook_tuple([*self.hooks, *hook_tuple(hooks, f"solid `{self.name}`")], f"solid `{self.name}`")
        return msgspec.structs.replace(self, hooks=added)

    def input(self, name: str) -> InputDefinition:
        """Raises DefinitionError when there is none of that name."""
        for inp in self.inputs:
            if inp.name == name:
                return inp
        return lookup("input", name, {inp.name: inp for inp in self.inputs}, f"solid `{self.name}`")

    def output(self, name: str) -> OutputDefinition:
        """Raises DefinitionError when there is none of that name."""
        for out in self.outputs:
            if out.name == name:
                return out
        return lookup("output", name, {out.name: out for out in self.outputs}, f"solid `{self.name}`")


class AliasedSolid(msgspec.Struct, Generic[P, R], frozen=True, eq=False):
    """A solid under another name: a node of its own in a pipeline."""

    solid: SolidDefinition[P, R]
    name: str

    @overload
    def __call__(self, *args: Wired, **kwargs: Wired) -> Any: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        composition = current_composition()
        if composition is None:
            return self.solid.fn(*args, **kwargs)
        return composition.invoke(self.solid, self.name, {}, args, kwargs)


class SolidDecorator(Protocol):
    """``@solid(...)`` with arguments: makes a solid of any function."""

    def __call__(self, fn: Callable[P, R], /) -> SolidDefinition[P, R]: ...


@overload
def solid(fn: Callable[P, R], /) -> SolidDefinition[P, R]: ...
@overload
def solid(
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, In] | None = None,
    outs: Mapping[str, Out] | None = None,
    resources: Collection[str] | None = None,
    retry: RetryPolicy | None = None,
    compute: Compute | None = None,
    tags: Mapping[str, str] | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    permissions: Iterable[Permission | Mapping[str, Any]] | None = None,
) -> SolidDecorator: ...
def solid(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, In] | None = None,
    outs: Mapping[str, Out] | None = None,
    resources: Collection[str] | None = None,
    retry: RetryPolicy | None = None,
    compute: Compute | None = None,
    tags: Mapping[str, str] | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    permissions: Iterable[Permission | Mapping[str, Any]] | None = None,
) -> Any:
    """Declare a solid from a function.

    A first parameter named ``context`` receives the context; ``config`` (annotated with a ``msgspec.Struct``) the
    solid's config; every other parameter is an input. The return annotation is the single output ``result`` unless
    ``outs`` declares others. The function may be a generator, ``async``, or both. ``permissions`` are what it needs in
    AWS beside storing its outputs. Raises DefinitionErrors with everything that is wrong with the declaration.
    """

    def decorate(value: Any) -> SolidDefinition:
        func = function_of(value, "solid", coroutines=True)
        title = name if name is not None else name_of(func)
        problems = argument_problems(title, where(func), ins, outs, resources, retry, compute, tags)
        allowed: tuple[Permission, ...] = ()
        try:
            allowed = permission_tuple(permissions, f"solid `{short(str(title))}`", where(func))
        except DefinitionError as error:
            items = error.items if isinstance(error, DefinitionErrors) else (error,)
            problems += [item for item in items if isinstance(item, DefinitionError)]
        if problems:
            raise problems[0] if len(problems) == 1 else DefinitionErrors(f"Solid `{short(str(title))}`", problems)
        return _define(
            func,
            name=title,
            description=summary_of(func) if description is None else description,
            ins=dict(ins or {}),
            outs=dict(outs) if outs is not None else None,
            resources=tuple(sorted({resources} if isinstance(resources, str) else set(resources or ()))),
            retry=retry,
            compute=compute or Compute(),
            tags={str(k): str(v) for k, v in (tags or {}).items()},
            hooks=hook_tuple(hooks, f"solid `{title}`", where(func)),
            permissions=allowed,
        )

    return decorate if fn is None else decorate(fn)


def _define(
    func: Callable[..., Any], *, name: str, ins: dict[str, In], outs: dict[str, Out] | None, **rest: Any
) -> SolidDefinition:
    place = where(func)
    problems: list[DefinitionError] = []
    hints: dict[str, Any] = {}
    config_type = None
    try:
        hints = hints_of(func)
        config_type = config_of(func, hints, subject=f"solid `{name}`")
    except DefinitionError as error:
        problems.append(error)
    parameters = parameters_of(func)
    takes_context = bool(parameters) and parameters[0].name in CONTEXT_NAMES
    data = [p for p in parameters[1 if takes_context else 0 :] if p.name != "config"]
    problems += parameter_problems(name, func, data, hints)
    edges: dict[str, EdgeType] = {}
    declared = {p.name: hints.get(p.name, Any) for p in data}
    declared |= {key: inp.type for key, inp in ins.items() if _told(inp.type)}
    for key, annotation in declared.items():
        edges[key] = _edge(annotation, f"input `{key}` of solid `{name}`", place, problems)
    inputs = [_input(parameter, edges[parameter.name], ins.get(parameter.name)) for parameter in data]
    for inp in inputs:
        if inp.type.nothing and not inp.has_default:
            problems.append(
                DefinitionError(
                    f"Input `{inp.name}` of solid `{name}` is `Nothing`, which carries no value, but its function "
                    "has a parameter for it.",
                    subject=name,
                    path=place,
                    hint=f'remove the parameter and declare `ins={{"{inp.name}": In(Nothing)}}`',
                )
            )
    have = {inp.name for inp in inputs}
    for key in (key for key in ins if key not in have):
        if key in edges and edges[key].nothing:
            inputs.append(InputDefinition(key, edges[key], ins[key].description))
        else:
            problems.append(
                DefinitionError(
                    f"`ins` of solid `{name}` declares `{key}`, but its function has no parameter of that name.",
                    subject=name,
                    path=place,
                    hint=f"add the parameter `{key}`, or declare `In(Nothing)` for an ordering-only input",
                )
            )
    outputs = [
        OutputDefinition(
            key,
            _edge(annotation, f"output `{key}` of solid `{name}`", place, problems),
            out.description,
            out.optional,
            dynamic=isinstance(out, DynamicOut),
            max_items=out.max_items if isinstance(out, DynamicOut) else 1,
        )
        for key, annotation, out in _returned(func, hints, outs)
    ]
    if problems:
        raise problems[0] if len(problems) == 1 else DefinitionErrors(f"Solid `{name}`", problems)
    return SolidDefinition(
        name=name,
        fn=func,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        takes_context=takes_context,
        config_type=config_type,
        **rest,
    )


def _told(annotation: Any) -> bool:
    return annotation is not msgspec.UNSET


def _edge(annotation: Any, subject: str, place: str, problems: list[DefinitionError]) -> EdgeType:
    try:
        return resolve_type(annotation)
    except DefinitionError as error:
        problem = f"The type of {subject} cannot be used: {error.problem}"
        problems.append(DefinitionError(problem, subject=subject, path=place, hint=error.hint))
        return ANY


def _input(parameter: inspect.Parameter, edge: EdgeType, declared: In | None) -> InputDefinition:
    default = _UNSET if parameter.default is parameter.empty else parameter.default
    if declared is not None and _told(declared.default):
        default = declared.default
    return InputDefinition(parameter.name, edge, declared.description if declared else "", default)


def _returned(
    func: Callable[..., Any], hints: dict[str, Any], outs: dict[str, Out] | None
) -> list[tuple[str, Any, Out]]:
    """Name, type and declaration of each output."""
    # A generator's annotation speaks of what it yields, not of its output.
    plain = inspect.unwrap(func)
    generator = inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain)
    returned = Any if generator else hints.get("return", Any)
    if returned is Output or get_origin(returned) is Output:  # `-> Output[int]`: the output is the int inside
        returned = next(iter(get_args(returned)), Any)
    if outs is None:
        return [("result", returned, Out())]
    single = returned if len(outs) == 1 else Any

    def annotation(out: Out) -> Any:
        if _told(out.type):
            return out.type
        return Any if isinstance(out, DynamicOut) else single  # a return annotation speaks of all items together

    return [(key, annotation(out), out) for key, out in outs.items()]
