"""Resources, modes and presets: what a pipeline needs from its surroundings, declared as data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Generic, Protocol, overload

import msgspec

from solidstate.errors import DefinitionError, closest, name_list, shown
from solidstate.permissions import Permission, permission_tuple
from solidstate.signature import (
    CONTEXT_NAMES,
    bare,
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


class ResourceDefinition(msgspec.Struct, Generic[P, R], frozen=True, eq=False):
    """How to make one resource: ``fn(context?, config?, other resources by name...)``.

    A generator function yields the resource once; what follows the ``yield`` is its teardown, run even when the step
    failed. Opened at its first use in a step, closed when the step ends.
    """

    name: str
    fn: Callable[P, R]
    config_type: Any = None
    takes_context: bool = False
    requires: tuple[str, ...] = ()
    generator: bool = False
    description: str = ""
    permissions: tuple[Permission, ...] = ()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.fn(*args, **kwargs)


class ResourceDecorator(Protocol):
    """``@resource(...)`` with arguments: makes a resource of any function."""

    def __call__(self, fn: Callable[P, R], /) -> ResourceDefinition[P, R]: ...


@overload
def resource(fn: Callable[P, R], /) -> ResourceDefinition[P, R]: ...
@overload
def resource(
    *,
    name: str | None = None,
    description: str | None = None,
    permissions: Iterable[Permission | Mapping[str, Any]] | None = None,
) -> ResourceDecorator: ...
def resource(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    permissions: Iterable[Permission | Mapping[str, Any]] | None = None,
) -> Any:
    """Declare a resource. Its typed ``config`` parameter becomes ``resources.<key>.config`` in the run request;
    ``permissions`` are what it needs in AWS, and what the functions of steps that use it are allowed."""

    def decorate(value: Any) -> ResourceDefinition:
        func = function_of(value, "resource")
        title = name if name is not None else name_of(func)
        place = where(func)
        check_name(title, "resource", path=place)
        config_type = config_of(func, hints_of(func), subject=f"resource `{title}`")
        parameters = parameters_of(func)
        takes_context = bool(parameters) and parameters[0].name in CONTEXT_NAMES
        others = [p for p in parameters[1 if takes_context else 0 :] if p.name != "config"]
        for parameter in others:
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise DefinitionError(
                    f"Parameter `{bare(parameter)}` of resource `{title}` is no resource: those are given by name.",
                    subject=title,
                    path=place,
                    hint="name every resource it needs",
                )
        return ResourceDefinition(
            name=title,
            fn=func,
            config_type=config_type,
            takes_context=takes_context,
            requires=tuple(p.name for p in others),
            generator=inspect.isgeneratorfunction(inspect.unwrap(func)),
            description=description if description is not None else summary_of(func),
            permissions=permission_tuple(permissions, f"resource `{title}`", place),
        )

    return decorate if fn is None else decorate(fn)


def constant(name: str, value: object) -> ResourceDefinition:
    """A resource that is simply ``value``: handy in tests and for stubs in a mode."""
    return ResourceDefinition(name=name, fn=lambda: value, description=f"a constant {type(value).__name__}")


class Mode:
    """A named set of resources. The same solids run in every mode of their pipeline.

    ``resources`` maps the key solids ask for to an ``@resource`` or to any plain value, which is then used as it is.
    ``loggers`` are keys of resources that are functions of one event: each is called with whatever a step logs.
    """

    __slots__ = ("description", "loggers", "name", "resources")

    def __init__(
        self,
        name: str,
        resources: Mapping[str, Any] | None = None,
        description: str = "",
        *,
        loggers: Collection[str] | None = None,
    ) -> None:
        check_name(name, "mode")
        if resources is not None and not isinstance(resources, Mapping):
            raise DefinitionError(
                f"`resources` of mode `{name}` must be a mapping of keys to resources, got {shown(resources)} of type "
                f"`{type(resources).__name__}`.",
                subject=name,
                hint='write `resources={"clock": fixed_clock}`',
            )
        for key in resources or ():
            check_name(key, f"resource of mode `{name}`")
        self.name = name
        self.loggers = _logger_keys(name, loggers, list(resources or ()))
        self.resources: dict[str, ResourceDefinition] = {
            key: value if isinstance(value, ResourceDefinition) else constant(key, value)
            for key, value in (resources or {}).items()
        }
        self.description = description

    def __repr__(self) -> str:
        return f"Mode({self.name!r}, resources={sorted(self.resources)})"


def _logger_keys(mode: str, loggers: object, resources: list[str]) -> tuple[str, ...]:
    given = [loggers] if isinstance(loggers, str) else [] if loggers is None else loggers
    if not isinstance(given, Collection) or isinstance(given, Mapping):
        raise DefinitionError(
            f"`loggers` of mode `{mode}` must be a list of names of its resources, got {shown(loggers)} of type "
            f"`{type(loggers).__name__}`.",
            subject=mode,
            hint='write `resources={"console": console}, loggers=["console"]`',
        )
    for key in given:
        if key not in resources:
            near = closest(key, resources) if isinstance(key, str) else None
            raise DefinitionError(
                f"Logger {shown(key)} of mode `{mode}` is none of its resources: {name_list(resources) or 'none'}.",
                subject=mode,
                hint=f"did you mean `{near}`?" if near else f"add it: `resources={{{shown(key)}: ...}}`",
            )
    return tuple(dict.fromkeys(given))


DEFAULT_MODE = "default"


class Preset(msgspec.Struct, frozen=True):
    """A named run request to start from: what a user writes is merged over ``run_config``, key by key."""

    name: str
    mode: str | None = None
    run_config: dict[str, Any] = {}
    description: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "preset")
        if not isinstance(self.run_config, dict):
            raise DefinitionError(
                f"`run_config` of preset `{self.name}` must be a dict, got {shown(self.run_config)} of type "
                f"`{type(self.run_config).__name__}`.",
                subject=self.name,
                hint="write it like a run request: `{'solids': {...}}`",
            )
