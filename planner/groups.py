"""Which Lambda function runs which step.

A function has one size and one policy. Steps that want the same share one; a step that wants another size, or may do
what others may not, runs in a function of its own kind. The group without a name is the step function, which also
begins and ends runs: it has the steps that want nothing special, or all when they all want the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from solidstate.permissions import Permission
from solidstate.planner.plan import StepCompute

STEP_FUNCTION = ""
"""The group of the step function."""
MAX_NAME = 40
"""Characters of a group's name: it becomes part of names in the template."""


class Wish(msgspec.Struct, frozen=True):
    """What one step wants of its function. ``reasons`` are the names of what brings its permissions: the solid itself,
    resources."""

    step: str
    compute: StepCompute
    permissions: frozenset[Permission] = frozenset()
    reasons: tuple[str, ...] = ()

    @property
    def kind(self) -> tuple[int, int, frozenset[Permission]]:
        """Steps of one kind share a function. How long a step may take is the machine's business."""
        return self.compute.memory_mb, self.compute.ephemeral_mb, self.permissions


PLAIN = Wish("", StepCompute()).kind


def groups_of(wishes: Sequence[Wish]) -> dict[str, str]:
    """The group of every step, by its name. The names tell what is special, and are stable: they do not depend on
    steps that want something else, unless two kinds would be called the same."""
    kinds = list(dict.fromkeys(wish.kind for wish in wishes))
    names = {PLAIN: STEP_FUNCTION} if len(kinds) > 1 else dict.fromkeys(kinds, STEP_FUNCTION)
    for wish in wishes:
        if wish.kind not in names:
            names[wish.kind] = _free(_name(wish), set(names.values()))
    return {wish.step: names[wish.kind] for wish in wishes}


def _name(wish: Wish) -> str:
    plain = StepCompute()
    name = "".join(_camel(reason) for reason in wish.reasons)[:MAX_NAME]
    if wish.compute.memory_mb != plain.memory_mb:
        name += f"Memory{wish.compute.memory_mb}"
    if wish.compute.ephemeral_mb != plain.ephemeral_mb:
        name += f"Disk{wish.compute.ephemeral_mb}"
    return name


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while not free or free in taken:
        number += 1
        free = f"{name}N{number}"
    return free
