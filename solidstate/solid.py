"""``@solid``: a typed function becomes a self-describing node. Frozen definitions, no effects."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar, cast, overload

import msgspec

from solidstate.composition import current_composition
from solidstate.errors import DefinitionError, DefinitionErrors
from solidstate.policies import Compute, RetryPolicy
from solidstate.signature import CONTEXT_NAMES, config_of, hints_of, summary_of, where
from solidstate.types import EdgeType, resolve_type

F = TypeVar("F", bound=Callable[..., Any])

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
"""Names of solids, inputs, outputs, resources: they become parts of S3 keys, IAM patterns and state names."""

_UNSET: Any = msgspec.UNSET


class In(msgspec.Struct, frozen=True):
    """A declared input. Replaces the parameter's annotation when ``type`` is given."""

    type: Any = msgspec.UNSET
    description: str = ""
    default: Any = msgspec.UNSET


class Out(msgspec.Struct, frozen=True):
    """A declared output. An ``optional`` one may stay out, which skips everything downstream of it."""

    type: Any = msgspec.UNSET
    description: str = ""
    optional: bool = False


class InputDefinition(msgspec.Struct, frozen=True, eq=False):
    name: str
    type: EdgeType
    description: str = ""
    default: Any = msgspec.UNSET

    @property
    def has_default(self) -> bool:
        return self.default is not msgspec.UNSET


class OutputDefinition(msgspec.Struct, frozen=True, eq=False):
    name: str
    type: EdgeType
    description: str = ""
    optional: bool = False


class SolidDefinition(msgspec.Struct, frozen=True, eq=False):
    """A solid. Called in a pipeline it becomes a node; called anywhere else it is the function it wraps."""

    name: str
    fn: Callable[..., Any]
    inputs: tuple[InputDefinition, ...]
    outputs: tuple[OutputDefinition, ...]
    takes_context: bool = False
    config_type: Any = None
    resources: tuple[str, ...] = ()
    retry: RetryPolicy | None = None
    compute: Compute = Compute()
    tags: dict[str, str] = {}
    description: str = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        composition = current_composition()
        if composition is None:
            return self.fn(*args, **kwargs)
        return composition.invoke(self, self.name, {}, args, kwargs)

    def alias(self, name: str) -> AliasedSolid:
        """The same solid under another name in a pipeline, with config, inputs and history of its own."""
        check_name(name, f"alias of solid `{self.name}`")
        return AliasedSolid(self, name)

    def input(self, name: str) -> InputDefinition:
        return next(inp for inp in self.inputs if inp.name == name)

    def output(self, name: str) -> OutputDefinition:
        return next(out for out in self.outputs if out.name == name)


class AliasedSolid(msgspec.Struct, frozen=True, eq=False):
    solid: SolidDefinition
    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        composition = current_composition()
        if composition is None:
            return self.solid.fn(*args, **kwargs)
        return composition.invoke(self.solid, self.name, {}, args, kwargs)


@overload
def solid(fn: F, /) -> SolidDefinition: ...
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
) -> Callable[[F], SolidDefinition]: ...
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
) -> Any:
    """Declare a solid from a function.

    A first parameter named ``context`` receives the context; ``config`` (annotated with a ``msgspec.Struct``) the
    solid's config; every other parameter is an input. The return annotation is the single output ``result`` unless
    ``outs`` declares others. Raises DefinitionErrors with everything that is wrong with the declaration.
    """

    def decorate(func: Callable[..., Any]) -> SolidDefinition:
        return _define(
            func,
            name=name or func.__name__,
            description=summary_of(func) if description is None else description,
            ins=dict(ins or {}),
            outs=dict(outs) if outs is not None else None,
            resources=tuple(sorted({resources} if isinstance(resources, str) else set(resources or ()))),
            retry=retry,
            compute=compute or Compute(),
            tags={str(k): str(v) for k, v in (tags or {}).items()},
        )

    return decorate if fn is None else decorate(fn)


def _define(
    func: Callable[..., Any],
    *,
    name: str,
    ins: dict[str, In],
    outs: dict[str, Out] | None,
    resources: tuple[str, ...],
    **rest: Any,
) -> SolidDefinition:
    problems: list[DefinitionError] = []
    place = where(func)
    for subject, given in _names(name, ins, outs, resources):
        try:
            check_name(given, subject, path=place)
        except DefinitionError as error:
            problems.append(error)
    hints: dict[str, Any] = {}
    config_type = None
    try:
        hints = hints_of(func)
        config_type = config_of(func, hints, subject=f"solid `{name}`")
    except DefinitionError as error:
        problems.append(error)
    parameters = list(inspect.signature(func).parameters.values())
    takes_context = bool(parameters) and parameters[0].name in CONTEXT_NAMES
    data = [p for p in parameters[1 if takes_context else 0 :] if p.name != "config"]
    for parameter in data:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            problems.append(
                DefinitionError(
                    f"Parameter `{parameter}` of solid `{name}` cannot be an input: inputs are passed by name.",
                    subject=name,
                    path=place,
                    hint="name every input; take a `list[...]` for any number of them",
                )
            )
    inputs = [_input(parameter, hints, ins.get(parameter.name)) for parameter in data]
    have = {inp.name for inp in inputs}
    for key, declared in ins.items():
        if key in have:
            continue
        edge = resolve_type(declared.type)
        if edge.nothing:
            inputs.append(InputDefinition(key, edge, declared.description))
        else:
            problems.append(
                DefinitionError(
                    f"`ins` of solid `{name}` declares `{key}`, but its function has no parameter of that name.",
                    subject=name,
                    path=place,
                    hint=f"add the parameter `{key}`, or declare `In(Nothing)` for an ordering-only input",
                )
            )
    if problems:
        raise problems[0] if len(problems) == 1 else DefinitionErrors(f"Solid `{name}`", problems)
    return SolidDefinition(
        name=name,
        fn=func,
        inputs=tuple(inputs),
        outputs=tuple(_outputs(func, hints, outs)),
        takes_context=takes_context,
        config_type=config_type,
        resources=resources,
        **rest,
    )


def _names(
    name: str, ins: dict[str, In], outs: dict[str, Out] | None, resources: tuple[str, ...]
) -> list[tuple[str, str]]:
    return [
        ("solid", name),
        *((f"input of solid `{name}`", key) for key in ins),
        *((f"output of solid `{name}`", key) for key in outs or ()),
        *((f"resource of solid `{name}`", key) for key in resources),
    ]


def check_name(name: object, subject: str, *, path: str = "") -> None:
    """Refuse a name that could not be part of a key, an IAM pattern and a state name alike."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise DefinitionError(
            f"{name!r:.60} is not a name for {'an' if subject[0] in 'aeiou' else 'a'} {subject}: expected a letter or "
            "underscore, then letters, digits and underscores, at most 80.",
            subject=str(name),
            path=path,
            hint="use a name like `read_flights`",
        )


def _input(parameter: inspect.Parameter, hints: dict[str, Any], declared: In | None) -> InputDefinition:
    annotation = hints.get(parameter.name, Any)
    if declared is not None and declared.type is not msgspec.UNSET:
        annotation = declared.type
    default = _UNSET if parameter.default is parameter.empty else parameter.default
    if declared is not None and declared.default is not msgspec.UNSET:
        default = declared.default
    return InputDefinition(parameter.name, resolve_type(annotation), declared.description if declared else "", default)


def _outputs(func: Callable[..., Any], hints: dict[str, Any], outs: dict[str, Out] | None) -> list[OutputDefinition]:
    # A generator's annotation speaks of what it yields, not of its output.
    returned = Any if inspect.isgeneratorfunction(func) else hints.get("return", Any)
    if outs is None:
        return [OutputDefinition("result", resolve_type(returned))]
    single = cast(Any, returned if len(outs) == 1 else Any)
    return [
        OutputDefinition(
            key, resolve_type(single if out.type is msgspec.UNSET else out.type), out.description, out.optional
        )
        for key, out in outs.items()
    ]
