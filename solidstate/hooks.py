"""Hooks: a function of the user's that is told how a step ended. It cannot change how it ended.

A hook runs inside the step's own function, after the step's result (or its failure) is on record. It runs *at least
once*: an attempt that is killed between its record and its hooks has them run by whoever finds that record, so a hook
that pages somebody hands over ``context.idempotency_key``. A step that was killed before it could record a failure (out
of time or memory) runs no failure hook; the run's own end tells of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any, Literal, TypeVar, overload

import msgspec

from solidstate.errors import DefinitionError, shown
from solidstate.signature import check_name, function_of, name_of, parameters_of, summary_of, where

F = TypeVar("F", bound=Callable[..., Any])

HookOccasion = Literal["success", "failure"]


class HookDefinition(msgspec.Struct, frozen=True, eq=False):
    """What to call, with a ``HookContext``, when a step has ended in the way ``on`` says. ``resources`` are the keys
    it may use."""

    name: str
    fn: Callable[..., Any]
    on: HookOccasion
    resources: tuple[str, ...] = ()
    description: str = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.fn(*args, **kwargs)


@overload
def success_hook(fn: F, /) -> HookDefinition: ...
@overload
def success_hook(
    *, name: str | None = None, description: str | None = None, resources: Collection[str] | None = None
) -> Callable[[F], HookDefinition]: ...
def success_hook(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    resources: Collection[str] | None = None,
) -> Any:
    """Declare a hook that is called after a step has succeeded: ``def tell(context: HookContext) -> None``.

    Attach it with ``@solid(hooks=...)``, ``a_solid.with_hooks(...)`` or, for every step, ``@pipeline(hooks=...)``.
    Raises DefinitionError for a function that does not take exactly the context.
    """

    def decorate(value: Any) -> HookDefinition:
        return _hook(value, "success", name, description, resources)

    return decorate if fn is None else decorate(fn)


@overload
def failure_hook(fn: F, /) -> HookDefinition: ...
@overload
def failure_hook(
    *, name: str | None = None, description: str | None = None, resources: Collection[str] | None = None
) -> Callable[[F], HookDefinition]: ...
def failure_hook(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    resources: Collection[str] | None = None,
) -> Any:
    """Declare a hook that is called after a step has failed for good: not after an attempt that is repeated. Otherwise
    as :func:`success_hook`."""

    def decorate(value: Any) -> HookDefinition:
        return _hook(value, "failure", name, description, resources)

    return decorate if fn is None else decorate(fn)


def _hook(
    value: Any, on: HookOccasion, name: str | None, description: str | None, resources: Collection[str] | None
) -> HookDefinition:
    func = function_of(value, f"{on}_hook", coroutines=True)
    title = name if name is not None else name_of(func)
    place = where(func)
    check_name(title, "hook", path=place)
    needed = [resources] if isinstance(resources, str) else list(resources or ())
    for key in needed:
        check_name(key, f"resource of hook `{title}`", path=place)
    parameters = parameters_of(func)
    needless = [p for p in parameters[1:] if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY or needless:
        raise DefinitionError(
            f"Hook `{title}` must take one parameter, its context; it takes {len(parameters)}.",
            subject=title,
            path=place,
            hint=f"write `def {title}(context): ...`",
        )
    return HookDefinition(
        name=title,
        fn=func,
        on=on,
        resources=tuple(sorted(set(needed))),
        description=summary_of(func) if description is None else description,
    )


def hook_tuple(hooks: Iterable[HookDefinition] | None, owner: str, place: str = "") -> tuple[HookDefinition, ...]:
    """Hooks in the order they run: as given; those of a set, which has no order, by name. Raises DefinitionError for
    anything that is no hook, and for two of one name and occasion."""
    if hooks is None:
        return ()
    given: list[Any] = list(hooks) if isinstance(hooks, (list, tuple, set, frozenset)) else [hooks]
    wrong = next((one for one in given if not isinstance(one, HookDefinition)), None)
    if wrong is not None:
        raise DefinitionError(
            f"`hooks` of {owner} must be hooks, got {shown(wrong)} of type `{type(wrong).__name__}`.",
            subject=owner,
            path=place,
            hint="decorate the function with `@success_hook` or `@failure_hook`, and write `hooks={it}`",
        )
    if isinstance(hooks, (set, frozenset)):
        given.sort(key=lambda hook: (hook.name, hook.on))
    seen: set[tuple[str, str]] = set()
    for hook in given:
        if (hook.name, hook.on) in seen:
            raise DefinitionError(
                f"{owner[0].upper()}{owner[1:]} has two {hook.on} hooks named `{hook.name}`.",
                subject=hook.name,
                path=place,
                hint='give one of them a name of its own: `@failure_hook(name="...")`',
            )
        seen.add((hook.name, hook.on))
    return tuple(given)
