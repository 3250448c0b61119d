"""Reading a user's declaration: its name, its function, resolved hints, its config parameter, its summary line."""

from __future__ import annotations

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from solidstate.config import unwritable
from solidstate.errors import DefinitionError, shown
from solidstate.type_checks import type_name

CONTEXT_NAMES = ("context", "_context", "_")

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
"""Names of solids, inputs, outputs, resources, modes: they become parts of S3 keys, IAM patterns and state names."""


def check_name(name: object, subject: str, *, path: str = "") -> None:
    """Refuse a name that could not be part of a key, an IAM pattern and a state name alike."""
    if isinstance(name, str) and NAME.fullmatch(name):
        return
    raise DefinitionError(
        f"{shown(name)} is not a name for {'an' if subject[0] in 'aeiou' else 'a'} {subject}: expected a letter or "
        "underscore, then letters, digits and underscores, at most 80.",
        subject=shown(name),
        path=path,
        hint='give it a name of its own: `name="..."`' if name == "<lambda>" else "use a name like `read_flights`",
    )


def function_of(value: Any, decorator: str, *, coroutines: bool = False) -> Callable[..., Any]:
    """The function that ``@decorator`` was put on; an ``async`` one only where ``coroutines`` are. Raises
    DefinitionError for what cannot be one."""
    if isinstance(value, staticmethod):
        return value.__func__
    if inspect.isclass(value):
        problem = f"`@{decorator}` takes a function, found the class `{value.__qualname__}`."
        raise DefinitionError(
            problem,
            subject=value.__qualname__,
            hint=f"decorate a function that makes one: `def make() -> {value.__name__}`",
        )
    if isinstance(value, msgspec.Struct) or not callable(value):
        name = getattr(value, "name", None)
        found = f"`{name}`" if isinstance(name, str) else shown(value)
        problem = f"`@{decorator}` takes a function, found {found} of type `{type(value).__name__}`."
        hint = f"write `@{decorator}` or `@{decorator}(name=...)`, once, directly above a `def`"
        raise DefinitionError(problem, subject=decorator, hint=hint)
    if not coroutines and (inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)):
        raise DefinitionError(
            f"`@{decorator}` takes a plain function, found the coroutine function `{name_of(value)}`.",
            subject=name_of(value),
            path=where(value),
            hint="write `def`, and call `asyncio.run(...)` in its body",
        )
    function: Callable[..., Any] = value
    return function


def bare(parameter: inspect.Parameter) -> str:
    """A parameter as it is written, without its annotation: ``*values``."""
    return str(parameter.replace(annotation=parameter.empty))


def name_of(fn: Callable[..., Any]) -> str:
    """What a function is called; for a partial what it is a part of, for a callable object its class."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return str(getattr(fn, "__name__", type(fn).__name__))


def parameters_of(fn: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a function in order. Raises DefinitionError for one written in C that does not tell."""
    try:
        return list(inspect.signature(fn).parameters.values())
    except (ValueError, TypeError) as error:
        raise DefinitionError(
            f"The parameters of `{name_of(fn)}` cannot be read.",
            subject=name_of(fn),
            hint="wrap it in a function with named parameters",
        ) from error


def hints_of(fn: Callable[..., Any]) -> dict[str, Any]:
    """The function's type hints with strings resolved. A name that does not resolve is reported with the function."""
    annotated: Any = fn
    while isinstance(annotated, functools.partial):
        annotated = annotated.func
    if not inspect.isroutine(annotated):
        annotated = type(annotated).__call__  # an object that is callable
    try:
        return typing.get_type_hints(annotated, include_extras=True)
    except Exception as error:  # resolving evaluates user-written text, so anything can come out
        raise DefinitionError(
            f"The type hints of `{getattr(annotated, '__qualname__', name_of(fn))}` cannot be resolved: {error}.",
            subject=name_of(fn),
            path=where(fn),
            hint="import the name at module level, not under `if TYPE_CHECKING:`"
            if isinstance(error, NameError)
            else "correct the annotation",
        ) from error


def config_of(fn: Callable[..., Any], hints: dict[str, Any], *, subject: str) -> Any:
    """The type of the reserved parameter ``config``, None when the function has none."""
    if not any(parameter.name == "config" for parameter in parameters_of(fn)):
        return None
    annotation = hints.get("config")
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        reason = unwritable(annotation)
        if reason is None:
            return annotation
        raise DefinitionError(
            f"The config type `{type_name(annotation)}` of {subject} cannot be written in a run request: {reason}.",
            subject=subject,
            path=where(fn),
            hint="use types that JSON can spell: numbers, text, dates, enums, lists, dicts and Structs of these",
        )
    found = "no annotation" if annotation is None else f"`{type_name(annotation)}`"
    raise DefinitionError(
        f"The parameter `config` of {subject} must be annotated with a `msgspec.Struct`, found {found}.",
        subject=subject,
        path=where(fn),
        hint="declare `class Config(msgspec.Struct): ...` and write `config: Config`",
    )


def summary_of(fn: Callable[..., Any]) -> str:
    """The first paragraph of the docstring on one line."""
    text = inspect.getdoc(fn) if inspect.isroutine(fn) else None  # a partial's own docstring is functools'
    return " ".join((text or "").split("\n\n")[0].split())


def where(fn: Callable[..., Any]) -> str:
    """``file:line`` of a function, empty when it has none."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    code = getattr(inspect.unwrap(fn), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if isinstance(code, types.CodeType) else ""
