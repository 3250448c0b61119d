"""What each step of a pipeline needs in AWS beside the data bucket: its solid's permissions, those of the resources it
uses in whichever mode, and the secrets that defaults and presets refer to."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from solidstate.composition import Node
from solidstate.permissions import Permission
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.secret_references import secrets_at
from solidstate.resources import Mode


class Need(msgspec.Struct, frozen=True):
    """One permission, and what brings it: the name of a solid, or the key of a resource."""

    permission: Permission
    reason: str
    resource: bool = False


def needs_of(pipeline: PipelineDefinition) -> dict[str, list[Need]]:
    """The needs of every step, by its name, each once and in a fixed order."""
    secrets = secrets_at(pipeline)
    found: dict[str, list[Need]] = {}
    for node in pipeline.nodes:
        needs = [Need(permission, node.solid.name) for permission in node.solid.permissions]
        needs += [Need(permission, node.solid.name) for permission in secrets.get(("solids", node.name), ())]
        for mode in pipeline.modes:
            for key in _resources(node, pipeline, mode):
                needs += [Need(permission, key, resource=True) for permission in mode.resources[key].permissions]
        for key in dict.fromkeys(key for mode in pipeline.modes for key in _resources(node, pipeline, mode)):
            needs += [Need(permission, key, resource=True) for permission in secrets.get(("resources", key), ())]
        found[node.name] = list(dict.fromkeys(needs))
    return found


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
