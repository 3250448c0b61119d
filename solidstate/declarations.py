"""What may be written into ``@solid(...)``, and what can be wrong with it or with the function's parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from solidstate.errors import DefinitionError, shown
from solidstate.policies import Compute, RetryPolicy
from solidstate.signature import bare, check_name, name_of, where


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


MAX_DYNAMIC_ITEMS = 10_000
"""Every mapped step reads the list of all items, and whoever collects them an object for each."""


class DynamicOut(Out, frozen=True, kw_only=True):
    """A declared output with any number of items, each yielded as a ``DynamicOutput`` under a key of its own.

    ``type`` is that of one item. More than ``max_items`` is an error of the solid that yields them. Up to 1,000 run in
    an inline Map state; a higher ``max_items`` makes it a distributed one.
    """

    max_items: int = 1000

    def __post_init__(self) -> None:
        if self.optional:
            raise DefinitionError(
                "`DynamicOut.optional` cannot be set: a dynamic output without items is an empty one.",
                subject="DynamicOut",
                hint="remove `optional=True`",
            )
        if isinstance(self.max_items, bool) or not isinstance(self.max_items, int):
            found: object = shown(self.max_items)
        elif 1 <= self.max_items <= MAX_DYNAMIC_ITEMS:
            return
        else:
            found = self.max_items
        raise DefinitionError(
            f"`DynamicOut.max_items` must be a whole number from 1 to {MAX_DYNAMIC_ITEMS}, got {found}.",
            subject="DynamicOut",
            hint="leave it out for at most 1000 items",
        )


def argument_problems(
    name: object, place: str, ins: object, outs: object, resources: object, retry: object, compute: object, tags: object
) -> list[DefinitionError]:
    """What is wrong with the decorator's arguments, in their order."""
    problems: list[DefinitionError] = []
    _name(name, "solid", place, problems)
    title = f"solid `{shown(name) if not isinstance(name, str) else name}`"
    for argument, given, wanted, example in (
        ("ins", ins, In, '`ins={"flights": In(list[Flight])}`'),
        ("outs", outs, Out, '`outs={"late": Out(list[Flight])}`'),
    ):
        if given is None:
            continue
        if not isinstance(given, Mapping):
            problems.append(
                _wrong(argument, title, f"a mapping of names to `{wanted.__name__}`", given, place, example)
            )
            continue
        for key, value in given.items():
            _name(key, f"{'input' if wanted is In else 'output'} of {title}", place, problems)
            if not isinstance(value, wanted):
                subject = f"{argument}[{shown(key)}]"
                problems.append(_wrong(subject, title, f"an `{wanted.__name__}`", value, place, example))
    if resources is not None:
        if isinstance(resources, Collection):
            for key in [resources] if isinstance(resources, str) else resources:
                _name(key, f"resource of {title}", place, problems)
        else:
            problems.append(_wrong("resources", title, "a set of names", resources, place, '`resources={"clock"}`'))
    if retry is not None and not isinstance(retry, RetryPolicy):
        problems.append(_wrong("retry", title, "a `RetryPolicy`", retry, place, "`retry=RetryPolicy(max_attempts=3)`"))
    if compute is not None and not isinstance(compute, Compute):
        problems.append(_wrong("compute", title, "a `Compute`", compute, place, "`compute=Compute(memory_mb=2048)`"))
    if tags is not None and not isinstance(tags, Mapping):
        problems.append(_wrong("tags", title, "a mapping of text to text", tags, place, '`tags={"team": "ops"}`'))
    return problems


def _name(name: object, subject: str, place: str, problems: list[DefinitionError]) -> None:
    try:
        check_name(name, subject, path=place)
    except DefinitionError as error:
        problems.append(error)


def _wrong(argument: str, title: str, expected: str, found: object, place: str, example: str) -> DefinitionError:
    problem = f"`{argument}` of {title} must be {expected}, got {shown(found)} of type `{type(found).__name__}`."
    return DefinitionError(problem, subject=title, path=place, hint=f"write {example}")


def parameter_problems(
    name: str, func: Callable[..., Any], parameters: list[inspect.Parameter], hints: Mapping[str, Any]
) -> list[DefinitionError]:
    """What keeps parameters from being inputs; ``hints`` are their annotations."""
    problems: list[DefinitionError] = []
    place = where(func)
    for position, parameter in enumerate(parameters):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            problems.append(
                DefinitionError(
                    f"Parameter `{bare(parameter)}` of solid `{name}` cannot be an input: inputs are passed by name.",
                    subject=name,
                    path=place,
                    hint="name every input; take a `list[...]` for any number of them",
                )
            )
        elif parameter.name in ("context", "_context") or _is_context(hints.get(parameter.name)):
            problems.append(
                DefinitionError(
                    f"Parameter `{parameter.name}` of solid `{name}` cannot be an input: the context must be the first "
                    "parameter and be called `context`.",
                    subject=name,
                    path=place,
                    hint=f"write `def {name_of(func)}(context, ...)`",
                )
            )
        elif position == 0 and parameter.name in ("self", "cls"):
            problems.append(
                DefinitionError(
                    f"Solid `{name}` is a method: its first parameter is `{parameter.name}`.",
                    subject=name,
                    path=place,
                    hint="decorate a function outside of the class, or make a solid of a bound method: "
                    f"`{name} = solid(thing.{name})`",
                )
            )
        else:
            _name(parameter.name, f"input of solid `{name}`", place, problems)
    return problems


def _is_context(annotation: object) -> bool:
    # By name: the class belongs to a layer above, which may not be imported here.
    return isinstance(annotation, type) and (annotation.__module__, annotation.__name__) == (
        "solidstate.handler.context",
        "StepContext",
    )
