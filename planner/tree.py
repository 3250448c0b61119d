"""The nested form of a pipeline: what Amazon States Language can say, and nothing else.

A state machine nests sequences and Parallels. These frozen structs are that nesting with step names at the leaves;
``planner.shape`` makes them from a graph, ``planner.compile`` writes them down as states.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec


class Leaf(msgspec.Struct, frozen=True, tag=True):
    """One step. ``waits`` are upstream steps that the nesting does not place before it: it has a rendezvous with them,
    that is, it may be entered before they have ended and then waits for them by itself."""

    step: str
    waits: tuple[str, ...] = ()


class Sequence(msgspec.Struct, frozen=True, tag=True):
    """At least two parts, one after the other; no part is a Sequence itself."""

    parts: tuple[Leaf | Parallel, ...]


class Parallel(msgspec.Struct, frozen=True, tag=True):
    """At least two branches at the same time; no branch is a Parallel itself."""

    branches: tuple[Leaf | Sequence, ...]


Tree = Leaf | Sequence | Parallel


def sequence(parts: Iterable[Tree]) -> Tree:
    """``parts`` in order, nested sequences dissolved; a single part is itself."""
    flat: list[Leaf | Parallel] = []
    for part in parts:
        if isinstance(part, Sequence):
            flat.extend(part.parts)
        else:
            flat.append(part)
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def parallel(branches: Iterable[Tree], rank: Mapping[str, int]) -> Tree:
    """``branches`` at once, nested Parallels dissolved, in the order of their first steps by ``rank``; a single branch
    is itself."""
    flat: list[Leaf | Sequence] = []
    for branch in branches:
        if isinstance(branch, Parallel):
            flat.extend(branch.branches)
        else:
            flat.append(branch)
    if len(flat) == 1:
        return flat[0]
    flat.sort(key=lambda branch: rank[first_step(branch)])
    return Parallel(tuple(flat))


def first_step(tree: Tree) -> str:
    """The step at the far left; nothing in the tree comes before it."""
    while not isinstance(tree, Leaf):
        tree = tree.parts[0] if isinstance(tree, Sequence) else tree.branches[0]
    return tree.step


def children(tree: Tree) -> tuple[Tree, ...]:
    """Parts or branches; none for a leaf."""
    if isinstance(tree, Leaf):
        return ()
    return tree.parts if isinstance(tree, Sequence) else tree.branches


def leaves(tree: Tree) -> Iterator[str]:
    """All steps from left to right, which is an order they can run in."""
    todo: list[Tree] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, Leaf):
            yield node.step
        else:
            todo.extend(reversed(children(node)))


def height(tree: Tree) -> int:
    """How many Parallels are nested inside each other at the deepest place."""
    deepest = 0
    todo: list[tuple[Tree, int]] = [(tree, 0)]
    while todo:
        node, above = todo.pop()
        here = above + isinstance(node, Parallel)
        deepest = max(deepest, here)
        todo.extend((child, here) for child in children(node))
    return deepest
