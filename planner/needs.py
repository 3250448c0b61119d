"""What each step of a pipeline needs in AWS beside the data bucket: its solid's permissions, those of the resources it
uses in whichever mode, and the secrets that defaults and presets refer to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from solidstate.composition import Node
from solidstate.errors import DefinitionError, DefinitionErrors
from solidstate.permissions import NAMED, Permission
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.secret_references import secrets_at
from solidstate.planner.unscoped_actions import is_unscoped
from solidstate.resources import Mode


class Need(msgspec.Struct, frozen=True):
    """One permission, and what brings it: the name of a solid, or the key of a resource."""

    permission: Permission
    reason: str
    resource: bool = False


def needs_of(pipeline: PipelineDefinition) -> dict[str, list[Need]]:
    """The needs of every step, by its name, each once and in a fixed order.

    Raises DefinitionErrors for a permission on every resource of an action that knows resources.
    """
    secrets = secrets_at(pipeline)
    of_solid: dict[int, list[Need]] = {}
    found: dict[str, list[Need]] = {}
    for node in pipeline.nodes:
        own = secrets.get(("solids", node.name))
        if own is not None:
            found[node.name] = _needs(node, own, pipeline, secrets)
            continue
        same = of_solid.get(id(node.solid))
        if same is None:  # under many aliases it needs the same
            same = of_solid[id(node.solid)] = _needs(node, (), pipeline, secrets)
        found[node.name] = same
    distinct = {id(needs): needs for needs in found.values()}
    _check(pipeline, dict.fromkeys(need for needs in distinct.values() for need in needs))
    return found


def _needs(
    node: Node,
    own: Iterable[Permission],
    pipeline: PipelineDefinition,
    secrets: Mapping[tuple[str, str], Iterable[Permission]],
) -> list[Need]:
    needs = [Need(permission, node.solid.name) for permission in (*node.solid.permissions, *own)]
    used = [(mode, key) for mode in pipeline.modes for key in _resources(node, pipeline, mode)]
    for mode, key in used:
        needs += [Need(permission, key, resource=True) for permission in mode.resources[key].permissions]
    for key in dict.fromkeys(key for _, key in used):
        needs += [Need(permission, key, resource=True) for permission in secrets.get(("resources", key), ())]
    return list(dict.fromkeys(needs))


def _check(pipeline: PipelineDefinition, needs: Iterable[Need]) -> None:
    problems = [
        DefinitionError(
            f"The resource '*' in the permissions of {'resource' if need.resource else 'solid'} `{need.reason}` stands "
            f"for everything there is, but `{action}` works on what can be named.",
            subject=need.reason,
            path=f"{pipeline.name}.{need.reason}",
            hint=NAMED,
        )
        for need in needs
        if "*" in need.permission.resources
        for action in need.permission.actions
        if not is_unscoped(action)
    ]
    if problems:
        raise DefinitionErrors(f"Pipeline `{pipeline.name}`", problems)


def _resources(node: Node, pipeline: PipelineDefinition, mode: Mode) -> list[str]:
    """The keys of all resources the step may open in a mode: its own, its hooks', and what those are made of."""
    hooks = node.solid.hooks + pipeline.hooks
    wanted = [*node.solid.resources, *(key for hook in hooks for key in hook.resources)]
    return list(dict.fromkeys(_with_inner(wanted, mode)))


def _with_inner(keys: Iterable[str], mode: Mode) -> list[str]:
    found: list[str] = []
    todo = list(keys)
    while todo:
        key = todo.pop(0)
        if key not in found and key in mode.resources:
            found.append(key)
            todo += mode.resources[key].requires
    return found
