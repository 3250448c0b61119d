"""Resources, modes and presets: what a pipeline needs from its surroundings, declared as data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

import msgspec

from solidstate.errors import DefinitionError
from solidstate.signature import config_of, hints_of, summary_of

F = TypeVar("F", bound=Callable[..., Any])


class ResourceDefinition(msgspec.Struct, frozen=True, eq=False):
    """How to make one resource: ``fn(context?, config?, other resources by name...)``.

    A generator function yields the resource once; what follows the ``yield`` is its teardown, run even when the step
    failed. Opened at its first use in a step, closed when the step ends.
    """

    name: str
    fn: Callable[..., Any]
    config_type: Any = None
    takes_context: bool = False
    requires: tuple[str, ...] = ()
    generator: bool = False
    description: str = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.fn(*args, **kwargs)


@overload
def resource(fn: F, /) -> ResourceDefinition: ...
@overload
def resource(*, name: str | None = None, description: str | None = None) -> Callable[[F], ResourceDefinition]: ...
def resource(fn: Any = None, /, *, name: str | None = None, description: str | None = None) -> Any:
    """Declare a resource. Its typed ``config`` parameter becomes ``resources.<key>.config`` in the run request."""

    def decorate(func: Callable[..., Any]) -> ResourceDefinition:
        hints = hints_of(func)
        parameters = list(inspect.signature(func).parameters.values())
        takes_context = bool(parameters) and parameters[0].name in ("context", "_context", "_")
        config_type = config_of(func, hints, subject=f"resource `{name or func.__name__}`")
        reserved = {"config"} | ({parameters[0].name} if takes_context else set())
        return ResourceDefinition(
            name=name or func.__name__,
            fn=func,
            config_type=config_type,
            takes_context=takes_context,
            requires=tuple(p.name for p in parameters if p.name not in reserved),
            generator=inspect.isgeneratorfunction(func),
            description=description if description is not None else summary_of(func),
        )

    return decorate if fn is None else decorate(fn)


def constant(name: str, value: object) -> ResourceDefinition:
    """A resource that is simply ``value``: handy in tests and for stubs in a mode."""
    return ResourceDefinition(name=name, fn=lambda: value, description=f"a constant {type(value).__name__}")


class Mode:
    """A named set of resources. The same solids run in every mode of their pipeline.

    ``resources`` maps the key solids ask for to an ``@resource`` or to any plain value, which is then used as it is.
    """

    __slots__ = ("description", "name", "resources")

    def __init__(self, name: str, resources: Mapping[str, Any] | None = None, description: str = "") -> None:
        self.name = name
        self.resources: dict[str, ResourceDefinition] = {
            key: value if isinstance(value, ResourceDefinition) else constant(key, value)
            for key, value in (resources or {}).items()
        }
        self.description = description

    def __repr__(self) -> str:
        return f"Mode({self.name!r}, resources={sorted(self.resources)})"


DEFAULT_MODE = "default"


class Preset(msgspec.Struct, frozen=True):
    """A named run request to start from: what a user writes is merged over ``run_config``, key by key."""

    name: str
    mode: str | None = None
    run_config: dict[str, Any] = {}
    description: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.run_config, dict):
            raise DefinitionError(
                f"`run_config` of preset `{self.name}` must be a mapping, got `{type(self.run_config).__name__}`.",
                subject=self.name,
                hint="write it like a run request: `{'solids': {...}}`",
            )
