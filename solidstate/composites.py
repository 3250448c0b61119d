"""``@composite_solid``: solids wired together under one name, to be used like a solid, to any depth.

A composite exists while a pipeline is being built and in what tools show; what runs are the solids inside it, flat,
named ``outer.inner``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, overload

import msgspec

from solidstate.bodies import run_body
from solidstate.composition import Composition, Source, composing, current_composition
from solidstate.declarations import Out
from solidstate.errors import DefinitionError, DefinitionErrors, lookup, name_list, shown
from solidstate.handles import (
    InputHandle,
    MappedHandle,
    OutputHandle,
    OutputHandles,
    is_collected,
    origin,
    over_of,
    parts_of,
)
from solidstate.signature import bare, check_name, function_of, hints_of, name_of, parameters_of, summary_of, where
from solidstate.type_checks import type_name
from solidstate.types import ANY, EdgeType, resolve_type


class CompositePort(msgspec.Struct, frozen=True, eq=False):
    """An input or output of a composite, with the type it was declared with; ``Any`` when it says none."""

    name: str
    type: EdgeType
    description: str = ""


class CompositeDefinition(msgspec.Struct, frozen=True, eq=False):
    """A composite. Called in a pipeline its body is recorded; called anywhere else it is the function it wraps.

    ``config_fn(config)`` gives the config of its children: ``{"child": {"config": {...}}}``.
    """

    name: str
    fn: Callable[..., Any]
    inputs: tuple[CompositePort, ...]
    outputs: tuple[CompositePort, ...]
    config_type: Any = None
    config_fn: Callable[[Any], Any] | None = None
    description: str = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        composition = current_composition()
        if composition is None:
            return self.fn(*args, **kwargs)
        return _expand(composition, self, self.name, args, kwargs)

    def alias(self, name: str) -> AliasedComposite:
        """The same composite under another name, with config of its own."""
        check_name(name, f"alias of composite `{self.name}`")
        return AliasedComposite(self, name)

    def output(self, name: str) -> CompositePort:
        """Raises DefinitionError when there is none of that name."""
        return lookup("output", name, {out.name: out for out in self.outputs}, f"composite `{self.name}`")


class AliasedComposite(msgspec.Struct, frozen=True, eq=False):
    """A composite under another name."""

    composite: CompositeDefinition
    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        composition = current_composition()
        if composition is None:
            return self.composite.fn(*args, **kwargs)
        return _expand(composition, self.composite, self.name, args, kwargs)


class CompositeUse(msgspec.Struct, frozen=True, eq=False):
    """A composite in a pipeline, as data. ``name`` and ``children`` are whole names (``outer.inner``); ``inputs`` maps
    each input to the inputs it is passed on to (of children), ``outputs`` each output to the output that it is."""

    name: str
    definition: CompositeDefinition
    children: tuple[str, ...]
    inputs: dict[str, tuple[Source, ...]]
    outputs: dict[str, Source]
    collected: tuple[str, ...] = ()
    """Outputs that are lists of all items of theirs."""


@overload
def composite_solid(fn: Callable[..., Any], /) -> CompositeDefinition: ...
@overload
def composite_solid(
    *,
    name: str | None = None,
    description: str | None = None,
    outs: Mapping[str, Out] | None = None,
    config: type[msgspec.Struct] | None = None,
    config_fn: Callable[[Any], Any] | None = None,
) -> Callable[[Callable[..., Any]], CompositeDefinition]: ...
def composite_solid(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    outs: Mapping[str, Out] | None = None,
    config: Any = None,
    config_fn: Callable[[Any], Any] | None = None,
) -> Any:
    """Declare a composite from a function whose body calls solids and composites on each other's outputs.

    Its parameters are inputs, the handle it returns is the output ``result``; a mapping of names to handles gives
    several. An input that is not connected is an open input of the solids it is passed to. With ``config`` and
    ``config_fn`` its config replaces that of the children ``config_fn`` names. Raises DefinitionErrors.
    """

    def decorate(value: Any) -> CompositeDefinition:
        func = function_of(value, "composite_solid")
        title = name if name is not None else name_of(func)
        check_name(title, "composite", path=where(func))
        problems = _config_problems(title, config, config_fn, where(func))
        ports = {
            p.name: _port(p.name, hints_of(func).get(p.name, Any), title, where(func)) for p in _inputs(title, func)
        }
        checked = CompositeDefinition(title, func, tuple(ports.values()), ())
        composition = Composition(title, checked_alone=True)
        with composing(composition), _inside(checked):
            handles = _recorded(composition, checked, title, {})
        problems += composition.problems
        declared = dict(outs or {})
        returned = hints_of(func).get("return", type(None))
        if not handles and (declared or returned is not type(None)):
            promised = (
                f"declares {name_list(list(declared))}" if declared else f"is annotated `-> {type_name(returned)}`"
            )
            problems.append(
                DefinitionError(
                    f"Composite `{title}` {promised}, but its body returns nothing.",
                    subject=title,
                    path=where(func),
                    hint="write `return` before the call whose output it is, or annotate it `-> None`"
                    if not declared
                    else 'return the outputs: `return {"' + next(iter(declared)) + '": ...}`',
                )
            )
        elif outs is not None and set(handles) != set(outs):
            problems.append(
                DefinitionError(
                    f"`outs` of composite `{title}` declares {name_list(list(outs)) or 'none'}, but its body returns "
                    f"{name_list(list(handles)) or 'none'}.",
                    subject=title,
                    path=where(func),
                    hint='return a mapping of these names: `return {"late": handle, "early": other}`',
                )
            )
        if problems:
            raise problems[0] if len(problems) == 1 else DefinitionErrors(f"Composite `{title}`", problems)
        returned = hints_of(func).get("return", Any) if list(handles) == ["result"] else Any
        return msgspec.structs.replace(
            checked,
            outputs=tuple(_out(key, declared.get(key), returned, title, where(func)) for key in handles),
            config_type=config,
            config_fn=config_fn,
            description=summary_of(func) if description is None else description,
        )

    return decorate if fn is None else decorate(fn)


def _inputs(title: str, func: Callable[..., Any]) -> list[Any]:
    parameters = parameters_of(func)
    for parameter in parameters:
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD and parameter.kind is not parameter.KEYWORD_ONLY:
            problem, hint = "inputs are passed by name", "name every input"
        elif parameter.default is not parameter.empty:
            problem = "it has a default, which would have to be an output of a solid"
            hint = "give the default to the parameter of the solid inside it"
        elif parameter.name == "context":
            problem, hint = "a composite is not run, so it has no context", "take the context in a solid inside it"
        else:
            check_name(parameter.name, f"input of composite `{title}`", path=where(func))
            continue
        raise DefinitionError(
            f"Parameter `{bare(parameter)}` of composite `{title}` cannot be an input: {problem}.",
            subject=title,
            path=where(func),
            hint=hint,
        )
    return parameters


def _config_problems(title: str, config: Any, config_fn: Any, place: str) -> list[DefinitionError]:
    if (config is None) != (config_fn is None):
        has, lacks = ("config", "config_fn") if config_fn is None else ("config_fn", "config")
        problem = f"Composite `{title}` has `{has}` but no `{lacks}`."
        hint = "declare both: `config=` is what users write, `config_fn=` makes the config of the solids inside from it"
    elif config is not None and not (isinstance(config, type) and issubclass(config, msgspec.Struct)):
        problem = f"`config` of composite `{title}` must be a `msgspec.Struct`, got {shown(config)}."
        hint = "declare `class Config(msgspec.Struct): ...` and write `config=Config`"
    elif config_fn is not None and not callable(config_fn):
        problem = f"`config_fn` of composite `{title}` must be a function, got {shown(config_fn)}."
        hint = 'write `config_fn=lambda config: {"child": {"config": {...}}}`'
    else:
        return []
    return [DefinitionError(problem, subject=title, path=place, hint=hint)]


def _port(name: str, annotation: Any, title: str, place: str, *, what: str = "input", told: str = "") -> CompositePort:
    try:
        return CompositePort(name, ANY if annotation is Any else resolve_type(annotation), told)
    except DefinitionError as error:
        problem = f"The type of {what} `{name}` of composite `{title}` cannot be used: {error.problem}"
        raise DefinitionError(problem, subject=title, path=place, hint=error.hint) from error


def _out(name: str, declared: Out | None, returned: Any, title: str, place: str) -> CompositePort:
    annotation = returned if declared is None or declared.type is msgspec.UNSET else declared.type
    told = declared.description if declared else ""
    return _port(name, annotation, title, place, what="output", told=told)


def _expand(
    composition: Composition,
    definition: CompositeDefinition,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Record a composite's body; gives the handles of its outputs: none, one, or several by name."""
    whole = composition.prefix + name
    with _inside(definition):
        if not composition.take_name(whole, definition.name):
            problems = composition.problems  # nothing that uses its outputs could be checked
            raise problems[-1] if len(problems) == 1 else DefinitionErrors(f"Pipeline `{composition.owner}`", problems)
        given = composition.arguments([inp.name for inp in definition.inputs], whole, args, kwargs)
        usable: dict[str, Any] = {}
        for key, value in given.items():
            composition.note_target(value, whole, key)
            if not composition.wrong_argument(whole, key, value) and not isinstance(value, InputHandle):
                usable[key] = value
        inner = Composition(composition.owner, within=composition, name=name)
        composition.composites[whole] = None  # takes its place in the order before those inside it
        with composing(inner):
            handles = _recorded(inner, definition, whole, usable)
    composition.composites[whole] = CompositeUse(
        name=whole,
        definition=definition,
        children=tuple(inner.children),
        inputs={inp.name: tuple(inner.targets.get(inp.name, ())) for inp in definition.inputs},
        outputs={key: origin(handle)[1] for key, handle in handles.items()},
        collected=tuple(key for key, one in handles.items() if isinstance(one, OutputHandle) and is_collected(one)),
    )
    if not handles:
        return None
    return next(iter(handles.values())) if list(handles) == ["result"] else OutputHandles(whole, handles)


def _recorded(
    inner: Composition, definition: CompositeDefinition, whole: str, given: Mapping[str, Any]
) -> dict[str, OutputHandle | MappedHandle]:
    """Run the body; the handles it returned, by output."""
    parameters: dict[str, Any] = {}
    for inp in definition.inputs:
        value = given.get(inp.name)
        own: list[OutputHandle] = []
        if value is None:
            own.append(InputHandle(inner, whole, inp.name))
        else:
            own += [_copy(one) for one in (value if isinstance(value, (list, tuple)) else [value])]
        inner.parameters.update({id(one): inp.name for one in own})
        parameters[inp.name] = tuple(own) if isinstance(value, (list, tuple)) else own[0]
    # The handles must outlive the body: they are told apart by their identity.
    result = run_body(definition.fn, f"composite `{definition.name}`", definition.name, **parameters)
    if result is None:
        return {}
    named: Mapping[Any, Any] = result if isinstance(result, Mapping) else {"result": result}
    if isinstance(result, OutputHandles):
        named = parts_of(result)[1]
    elif len(definition.outputs) == 1 and not isinstance(result, Mapping):
        named = {definition.outputs[0].name: result}
    for key, handle in named.items():
        wrong = not isinstance(handle, (OutputHandle, MappedHandle)) or isinstance(handle, InputHandle)
        if wrong or origin(handle)[0].root is not inner.root:
            name = f"as its output `{key}` " if isinstance(result, Mapping) else ""
            raise DefinitionError(
                f"Composite `{definition.name}` returns {name}{_found(handle)}; expected what a solid called in its "
                "body gives.",
                subject=definition.name,
                path=where(definition.fn),
                hint="return one output, or a mapping of names to outputs",
            )
        check_name(key, f"output of composite `{definition.name}`", path=where(definition.fn))
    return dict(named)


def _found(value: Any) -> str:
    if isinstance(value, InputHandle):
        return f"its own input `{origin(value)[1].output}`"
    return "an output of another pipeline" if isinstance(value, (OutputHandle, MappedHandle)) else shown(value)


def _copy(handle: OutputHandle) -> OutputHandle:
    """The same output as an object of its own, so that it can be told which input it came in by."""
    owner, source = origin(handle)
    if isinstance(handle, InputHandle):
        return InputHandle(owner, source.node, source.output)
    scope = owner.root.scopes[-1] if over_of(handle) and not is_collected(handle) and owner.root.scopes else None
    collected = is_collected(handle)
    return OutputHandle(owner, source.node, source.output, over=over_of(handle), scope=scope, collected=collected)


_stack: ContextVar[tuple[CompositeDefinition, ...]] = ContextVar("solidstate_composites", default=())


@contextmanager
def _inside(definition: CompositeDefinition) -> Iterator[None]:
    """Refuse a composite inside of itself, which would have no end."""
    outer = _stack.get()
    names = [one.fn for one in outer]
    if definition.fn in names:
        cycle = [one.name for one in outer[names.index(definition.fn) :]] + [definition.name]
        raise DefinitionError(
            f"Composite `{definition.name}` contains itself: {' -> '.join(f'`{one}`' for one in cycle)}.",
            subject=definition.name,
            path=where(definition.fn),
            hint="remove the inner call; for a number of steps known only at run time, map over a `DynamicOut`",
        )
    token = _stack.set((*outer, definition))
    try:
        yield
    finally:
        _stack.reset(token)
