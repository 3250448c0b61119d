"""What the nesting makes of each step's waits: what it places before the step, and what is left to a rendezvous."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from solidstate.planner.nesting import Nesting
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence, Tree, children, exits


class Place(msgspec.Struct, frozen=True):
    """Where a unit (a step or a region) is. ``after``: the units right before it, none at the start of the run.
    ``waits``: the units it has a rendezvous with. ``gate``: the first step behind the gate that waits in its stead, or
    empty. ``machine``: the nested execution it is in, or empty. ``depth``: the Parallels around it."""

    unit: str
    after: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    gate: str = ""
    machine: str = ""
    depth: int = 0


class Fork(msgspec.Struct, frozen=True):
    """A Parallel: what is right before it, and the first step of each branch."""

    after: tuple[str, ...]
    first: tuple[str, ...]


class _Around(msgspec.Struct, frozen=True):
    """What holds for a tree because of where it is."""

    after: tuple[str, ...] = ()
    gate: Gate | None = None
    machine: str = ""
    depth: int = 0


def places(tree: Tree) -> Iterator[Place | Fork]:
    """Every unit and every fork of a tree, from left to right."""
    todo: list[tuple[Tree, _Around]] = [(tree, _Around())]
    while todo:
        node, around = todo.pop()
        if isinstance(node, Leaf):
            yield _place(node, around)
        elif isinstance(node, Sequence):
            todo.extend(reversed(list(_parts(node, around))))
        elif isinstance(node, Parallel):
            yield Fork(around.after, tuple(_first_unit(branch) for branch in node.branches))
            inner = msgspec.structs.replace(around, depth=around.depth + 1)
            todo.extend((branch, inner) for branch in reversed(node.branches))
        elif isinstance(node, Nested):
            todo.append((node.body, msgspec.structs.replace(around, machine=node.name, depth=0)))


def _place(leaf: Leaf, around: _Around) -> Place:
    gate = around.gate
    waits = leaf.waits if gate is None else tuple(dict.fromkeys((*gate.waits, *leaf.waits)))
    return Place(leaf.step, around.after, waits, gate.step if gate is not None else "", around.machine, around.depth)


def _parts(node: Sequence, around: _Around) -> Iterator[tuple[Tree, _Around]]:
    """Each part but the gates, which hold up the part that follows them."""
    after, gate = around.after, around.gate
    for part in node.parts:
        if isinstance(part, Gate):
            gate = part
            continue
        yield part, msgspec.structs.replace(around, after=after, gate=gate)
        after, gate = tuple(exits(part)), None


def _first_unit(tree: Tree) -> str:
    while not isinstance(tree, Leaf):
        below = children(tree)
        if not below:  # a gate alone stands for the step behind it
            return tree.step if isinstance(tree, Gate) else ""
        tree = below[1] if isinstance(below[0], Gate) and len(below) > 1 else below[0]
    return tree.step


def meetings(nesting: Nesting) -> dict[str, Place]:
    """The places of those units that have a rendezvous."""
    return {place.unit: place for place in places(nesting.tree) if isinstance(place, Place) and place.waits}
