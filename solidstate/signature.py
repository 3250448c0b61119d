"""Reading a user's function: resolved hints, its config parameter, its summary line."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from solidstate.errors import DefinitionError
from solidstate.type_checks import type_name

CONTEXT_NAMES = ("context", "_context", "_")


def hints_of(fn: Callable[..., Any]) -> dict[str, Any]:
    """The function's type hints with strings resolved. A name that does not resolve is reported with the function."""
    try:
        return typing.get_type_hints(fn, include_extras=True)
    except Exception as error:  # resolving evaluates user-written text, so anything can come out
        raise DefinitionError(
            f"The type hints of `{fn.__qualname__}` cannot be resolved: {error}.",
            subject=fn.__qualname__,
            path=where(fn),
            hint="import the name at module level, not under `if TYPE_CHECKING:`",
        ) from error


def config_of(fn: Callable[..., Any], hints: dict[str, Any], *, subject: str) -> Any:
    """The type of the reserved parameter ``config``, None when the function has none."""
    parameter = inspect.signature(fn).parameters.get("config")
    if parameter is None:
        return None
    annotation = hints.get("config")
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    found = "no annotation" if annotation is None else f"`{type_name(annotation)}`"
    raise DefinitionError(
        f"The parameter `config` of {subject} must be annotated with a `msgspec.Struct`, found {found}.",
        subject=subject,
        path=where(fn),
        hint="declare `class Config(msgspec.Struct): ...` and write `config: Config`",
    )


def summary_of(fn: Callable[..., Any]) -> str:
    """The first paragraph of the docstring on one line."""
    return " ".join((inspect.getdoc(fn) or "").split("\n\n")[0].split())


def where(fn: Callable[..., Any]) -> str:
    """``file:line`` of a function, empty when it has none."""
    code = getattr(inspect.unwrap(fn), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else ""
