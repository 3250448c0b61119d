"""Where the nesting puts each step: what it places right before it, and what is left to a rendezvous."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from solidstate.planner.nest import Nest
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence, Tree, entries, exits, first_step


class Place(msgspec.Struct, frozen=True):
    """Where a step is. ``after``: the steps right before it, none at the start of the run. ``waits``: the steps it has
    a rendezvous with; of mapped steps, with all items. ``gate``: the first step behind the gate that waits in its
    stead, or empty. ``machine``: the nested execution it is in, or empty."""

    step: str
    after: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    gate: str = ""
    machine: str = ""


class Fork(msgspec.Struct, frozen=True):
    """A Parallel: the steps right before it, and the first step of each branch."""

    after: tuple[str, ...]
    first: tuple[str, ...]


class _Around(msgspec.Struct, frozen=True):
    """What holds for a tree because of where it is."""

    after: tuple[str, ...] = ()
    gate: Gate | None = None
    machine: str = ""


def places(nest: Nest) -> Iterator[Place | Fork]:
    """Every step and every fork from left to right, the steps of a region in its place."""
    for found in _walk(nest.tree, _Around()):
        told = _in_steps(found, nest)
        if isinstance(told, Place) and told.step in nest.inside:
            yield from _inside(told, nest)
        else:
            yield told


def first_steps(nest: Nest, unit: str) -> list[str]:
    """The steps a unit begins with: itself, or those of its region."""
    return entries(nest.inside[unit]) if unit in nest.inside else [unit]


def last_steps(nest: Nest, unit: str) -> list[str]:
    """The steps a unit ends with."""
    return exits(nest.inside[unit]) if unit in nest.inside else [unit]


def regions_of(nest: Nest) -> dict[str, str]:
    """The region of each step that is in one."""
    return {step.name: name for name, region in nest.regions.items() for step in region.steps}


def step_places(nest: Nest) -> dict[str, Place]:
    """The place of each step."""
    return {place.step: place for place in places(nest) if isinstance(place, Place)}


def rendezvous(nest: Nest) -> set[tuple[str, str]]:
    """All (waited for, waiting) pairs, as the trees have them: outside of regions by unit, inside of them by step."""
    trees = (nest.tree, *nest.inside.values())
    return {
        (waited, found.step)
        for tree in trees
        for found in _walk(tree, _Around())
        if isinstance(found, Place)
        for waited in found.waits
    }


def _walk(tree: Tree, around: _Around) -> Iterator[Place | Fork]:
    """Every leaf and every fork of one tree, by the names it has for them."""
    todo: list[tuple[Tree, _Around]] = [(tree, around)]
    while todo:
        node, here = todo.pop()
        if isinstance(node, Leaf):
            gate = here.gate
            waits = tuple(dict.fromkeys((*(gate.waits if gate is not None else ()), *node.waits)))
            yield Place(node.step, here.after, waits, gate.step if gate is not None else "", here.machine)
        elif isinstance(node, Sequence):
            todo.extend(reversed(list(_parts(node, here))))
        elif isinstance(node, Parallel):
            yield Fork(here.after, tuple(first_step(branch) for branch in node.branches))
            todo.extend((branch, here) for branch in reversed(node.branches))
        elif isinstance(node, Nested):
            todo.append((node.body, msgspec.structs.replace(here, machine=node.name)))


def _parts(node: Sequence, around: _Around) -> Iterator[tuple[Tree, _Around]]:
    """Each part but the gates, which hold up the part that follows them."""
    after, gate = around.after, around.gate
    for part in node.parts:
        if isinstance(part, Gate):
            gate = part
            continue
        yield part, msgspec.structs.replace(around, after=after, gate=gate)
        after, gate = tuple(exits(part)), None


def _in_steps(found: Place | Fork, nest: Nest) -> Place | Fork:
    """With the steps of regions in the place of their names."""
    after = tuple(step for unit in found.after for step in last_steps(nest, unit))
    if isinstance(found, Fork):
        return Fork(after, tuple(first_steps(nest, unit)[0] for unit in found.first))
    waits = tuple(step for unit in found.waits for step in last_steps(nest, unit))
    return msgspec.structs.replace(found, after=after, waits=waits, gate=found.gate and nest.known(found.gate))


def _inside(region: Place, nest: Nest) -> Iterator[Place | Fork]:
    """The steps of a region: what it begins with is held up by what holds up the region."""
    for found in _walk(nest.inside[region.step], _Around(machine=region.machine)):
        if found.after:
            yield found
        elif isinstance(found, Fork):
            yield Fork(region.after, found.first)
        else:
            waits = tuple(dict.fromkeys((*region.waits, *found.waits)))
            yield msgspec.structs.replace(found, after=region.after, waits=waits, gate=found.gate or region.gate)
