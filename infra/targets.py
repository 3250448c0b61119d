"""Targets for a deployment: pipelines with the names under which a function imports them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from solidstate.errors import SolidstateError, TargetError
from solidstate.infra.stack import Target
from solidstate.load import load_module, load_pipeline, pipelines_in


def deployable(targets: Sequence[str]) -> list[Target]:
    """The pipelines that the targets name; all of a module's when a target names none. Raises SolidstateError for two
    of one name, and for modules that no import would find."""
    found: dict[str, Target] = {}
    for target in targets:
        for one in _pipelines(target):
            other = found.setdefault(one.definition.name, one)
            if other.definition is not one.definition:
                raise SolidstateError(
                    f"`{other.target}` and `{one.target}` are both called `{one.definition.name}`.",
                    subject=one.definition.name,
                    hint="give one of them another name, or name the one to deploy: `module:pipeline`",
                )
    return list(found.values())


def _pipelines(target: str) -> list[Target]:
    module: Any = load_module(target)
    if module.__name__.startswith("_solidstate_"):
        raise SolidstateError(
            f"`{target}` cannot be imported by name, which is how the Lambda function finds it.",
            subject=target,
            path=str(module.__file__),
            hint="give the file a name that can be imported and that no installed package has: `my_pipeline.py`",
        )
    named = pipelines_in(module)
    if not named:
        raise TargetError(f"`{target}` has no pipeline.", subject=target, hint="decorate a function with `@pipeline`")
    chosen = load_pipeline(target) if ":" in target else None
    first: dict[int, Target] = {}
    for name, value in named.items():
        if chosen is None or value is chosen:
            first.setdefault(id(value), Target(f"{module.__name__}:{name}", value))
    return list(first.values())
