"""The nested form of a pipeline: what Amazon States Language can say, and nothing else.

A state machine nests sequences and Parallels. These frozen structs are that nesting with step names at the leaves;
the passes of the compiler make them from a graph, ``planner.emit`` writes them down as states. What the nesting cannot
order stands at the leaves as ``waits``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec


class Leaf(msgspec.Struct, frozen=True, tag=True, gc=False):
    """One step. ``waits`` are upstream steps that the nesting does not place before it: it has a rendezvous with them,
    that is, it may be entered before they have ended and then waits for them by itself."""

    step: str
    waits: tuple[str, ...] = ()


class Gate(msgspec.Struct, frozen=True, tag=True, gc=False):
    """One rendezvous for several steps that begin at once: it comes before them, and none of them waits by itself.
    ``step`` is the first of them."""

    step: str
    waits: tuple[str, ...]


class Sequence(msgspec.Struct, frozen=True, tag=True, gc=False):
    """At least two parts, one after the other; no part is a Sequence itself."""

    parts: tuple[Leaf | Gate | Nested | Parallel, ...]
    first: str = ""
    size: int = 0

    def __post_init__(self) -> None:
        _count(self, self.parts)


class Parallel(msgspec.Struct, frozen=True, tag=True, gc=False):
    """At least two branches at the same time; no branch is a Parallel itself."""

    branches: tuple[Leaf | Gate | Nested | Sequence, ...]
    first: str = ""
    size: int = 0

    def __post_init__(self) -> None:
        _count(self, self.branches)


class Nested(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A part of the tree that runs in an execution of its own; ``name`` is unique in the pipeline."""

    name: str
    body: Leaf | Gate | Sequence | Parallel | Nested
    first: str = ""
    size: int = 0

    def __post_init__(self) -> None:
        _count(self, (self.body,))


Tree = Leaf | Gate | Sequence | Parallel | Nested


def _count(node: Sequence | Parallel | Nested, below: tuple[Tree, ...]) -> None:
    """Every node knows its first step and how many there are: looking for them at each level of a deep tree would take
    quadratic time."""
    msgspec.structs.force_setattr(node, "first", first_step(below[0]) if below else "")
    msgspec.structs.force_setattr(node, "size", sum(map(size, below)))


def sequence(parts: Iterable[Tree]) -> Tree:
    """``parts`` in order, nested sequences dissolved; a single part is itself."""
    flat: list[Leaf | Gate | Nested | Parallel] = []
    for part in parts:
        if isinstance(part, Sequence):
            flat.extend(part.parts)
        else:
            flat.append(part)
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def parallel(branches: Iterable[Tree], rank: Mapping[str, int]) -> Tree:
    """``branches`` at once, nested Parallels dissolved, in the order of their first steps by ``rank``; a single branch
    is itself."""
    flat: list[Leaf | Gate | Nested | Sequence] = []
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
    return tree.step if isinstance(tree, Leaf | Gate) else tree.first


def size(tree: Tree) -> int:
    """How many steps are in it."""
    return tree.size if not isinstance(tree, Leaf | Gate) else int(isinstance(tree, Leaf))


def children(tree: Tree) -> tuple[Tree, ...]:
    """Parts, branches or the body; none for a leaf or a gate."""
    if isinstance(tree, Sequence):
        return tree.parts
    if isinstance(tree, Parallel):
        return tree.branches
    return (tree.body,) if isinstance(tree, Nested) else ()


def nodes(tree: Tree) -> Iterator[Tree]:
    """The tree and everything in it, from left to right, outer nodes first."""
    todo: list[Tree] = [tree]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(children(node)))


def leaves(tree: Tree) -> Iterator[str]:
    """All steps from left to right. Without rendezvous this is an order they can run in."""
    return (node.step for node in nodes(tree) if isinstance(node, Leaf))


def entries(tree: Tree) -> list[str]:
    """The steps the tree begins with, from left to right; of a gate the step it stands for."""
    return _ends(tree, first=True)


def exits(tree: Tree) -> list[str]:
    """The steps the tree ends with, from left to right: when all of them have ended, all of the tree has."""
    return _ends(tree, first=False)


def _ends(tree: Tree, *, first: bool) -> list[str]:
    found: list[str] = []
    todo: list[Tree] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, Leaf | Gate):
            found.append(node.step)
        elif isinstance(node, Sequence):
            todo.append(node.parts[0 if first else -1])
        else:
            todo.extend(reversed(children(node)))
    return found


def height(tree: Tree) -> int:
    """How many Parallels are inside each other at the deepest place of one machine; nested parts have their own."""
    deepest = 0
    todo: list[tuple[Tree, int]] = [(tree, 0)]
    while todo:
        node, above = todo.pop()
        here = above + isinstance(node, Parallel)
        deepest = max(deepest, here)
        if not isinstance(node, Nested):
            todo.extend((child, here) for child in children(node))
    return deepest
