"""Keeping every machine within the quotas: parts of the tree move into nested executions.

A rendezvous goes through the store and task tokens, not through the machine, so the tree may be cut anywhere: who waits
and who wakes need not be in the same execution. A nested execution costs a transition and some half a second, so
nothing moves without need: machines are filled before another one is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from solidstate.planner.limits import (
    HISTORY_RESERVE,
    MAX_DEFINITION_BYTES,
    MAX_HISTORY_EVENTS,
    MAX_NESTED_PARALLELS,
)
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence, Tree, children, first_step

FILLED = 0.95
"""How full a machine is made: sizes are estimated before names are given."""


class Weight(msgspec.Struct, frozen=True):
    """What a part takes of its machine: bytes of the definition, history events at most, Parallels in each other."""

    size: int
    events: int
    height: int = 0

    def share(self) -> float:
        """Of what one machine may have beside its own states for beginning and end."""
        return max(self.size / (MAX_DEFINITION_BYTES - ROOT.size), self.events / (MOST_EVENTS - ROOT.events))


MOST_EVENTS = MAX_HISTORY_EVENTS - HISTORY_RESERVE
ROOT = Weight(6_000, 200)
"""Start run, End run and the states that end an execution."""
NESTED = Weight(900, 26)
"""The Task that runs a part: 6 events, 4 for each of 5 repetitions."""
FORK_BYTES = 220
"""A Parallel itself, without comment."""
FORK_EVENTS = 4
BRANCH_BYTES = 100
"""What a branch adds to its states, beside names: where it starts, and how it ends when its last step has failed."""


def fit(
    tree: Tree, weigh: Callable[[Leaf | Gate], Weight], name: Callable[[], str], *, fork_bytes: int = FORK_BYTES
) -> tuple[Tree, Weight]:
    """The tree with :class:`Nested` parts, so that each machine is within the quotas as far as that can be had by
    cutting, and what the outermost machine weighs. ``weigh`` tells of single leaves, ``name`` gives a new part a name;
    ``fork_bytes`` is what a Parallel takes beside its branches.

    Works from the leaves up, without recursion; O(nodes).
    """
    return _Fitting(weigh, name, fork_bytes).fitted(tree)


class _Fitting:
    def __init__(self, weigh: Callable[[Leaf | Gate], Weight], name: Callable[[], str], fork_bytes: int) -> None:
        self._weigh = weigh
        self._name = name
        self._fork = Weight(fork_bytes, FORK_EVENTS, 1)

    def fitted(self, tree: Tree) -> tuple[Tree, Weight]:
        done: dict[int, tuple[Tree, Weight]] = {}
        todo: list[tuple[Tree, bool]] = [(tree, False)]
        while todo:
            node, ready = todo.pop()
            if isinstance(node, Leaf | Gate):
                done[id(node)] = node, self._weigh(node)
            elif isinstance(node, Nested):
                done[id(node)] = node, NESTED
            elif not ready:
                todo.append((node, True))
                todo.extend((child, False) for child in reversed(children(node)))
            else:
                parts = [done.pop(id(child)) for child in children(node)]
                done[id(node)] = self._combined(parts, parallel=isinstance(node, Parallel))
        return done[id(tree)]

    def _combined(self, parts: list[tuple[Tree, Weight]], *, parallel: bool) -> tuple[Tree, Weight]:
        if parallel:
            parts = [self._nested([part]) if part[1].height >= MAX_NESTED_PARALLELS else part for part in parts]
        whole = self._sum(parts, parallel=parallel)
        while whole.share() > FILLED and len(parts) > 1:
            parts = self._grouped(parts, parallel=parallel)
            before, whole = whole, self._sum(parts, parallel=parallel)
            if whole.share() >= before.share():
                break  # what is too heavy by itself; the quota check says so
        return _joined([part for part, _ in parts], parallel=parallel), whole

    def _grouped(self, parts: list[tuple[Tree, Weight]], *, parallel: bool) -> list[tuple[Tree, Weight]]:
        """Neighbours gathered into groups that fill a machine each; the first group stays where it is, beside the
        references to the others."""
        groups: list[list[tuple[Tree, Weight]]] = []
        others = 0
        while others == 0 or len(groups) - 1 > others:
            others = max(1, len(groups) - 1)
            room = FILLED - self._fork.share() - others * Weight(NESTED.size + BRANCH_BYTES, NESTED.events).share()
            groups = _filled(parts, room, parallel=parallel)
        first, *rest = groups
        return first + [self._nested(group, parallel=parallel) for group in rest]

    def _nested(self, group: list[tuple[Tree, Weight]], *, parallel: bool = False) -> tuple[Tree, Weight]:
        body = _joined([part for part, _ in group], parallel=parallel)
        if isinstance(body, Nested):
            return body, NESTED
        return Nested(self._name(), body), NESTED

    def _sum(self, parts: Iterable[tuple[Tree, Weight]], *, parallel: bool) -> Weight:
        size = events = height = 0
        for part, weight in parts:
            size, events, height = size + weight.size, events + weight.events, max(height, weight.height)
            size += _branch_bytes(part) * parallel
        if not parallel:
            return Weight(size, events, height)
        fork = self._fork
        return Weight(size + fork.size, events + fork.events, height + fork.height)


def _filled(parts: list[tuple[Tree, Weight]], room: float, *, parallel: bool) -> list[list[tuple[Tree, Weight]]]:
    """Neighbours in groups: as many as fit into ``room``, perhaps none, then as many as fill a machine each. A gate is
    never the last of a group: it stands before what it holds up, in the same machine."""
    groups: list[list[tuple[Tree, Weight]]] = [[]]
    gate: list[tuple[Tree, Weight]] = []
    for part in parts:
        if isinstance(part[0], Gate):
            gate.append(part)
            continue
        held = [*gate, part]
        gate.clear()
        share = sum(Weight(w.size + _branch_bytes(one) * parallel, w.events).share() for one, w in held)
        if room < share and (groups[-1] or len(groups) == 1):
            groups.append([])
            room = FILLED
        groups[-1] += held
        room -= share
    return groups


def _branch_bytes(branch: Tree) -> int:
    """The name of its first step once, and that of its last step in three places."""
    last = branch.parts[-1] if isinstance(branch, Sequence) else branch
    ending = 3 * len(last.step) if isinstance(last, Leaf) else 0
    return BRANCH_BYTES + len(first_step(branch)) + ending


def _joined(parts: list[Tree], *, parallel: bool) -> Tree:
    """One tree of neighbours; they were normal before, so no part of a Sequence is one, no branch of a Parallel."""
    if len(parts) == 1:
        return parts[0]
    if parallel:
        branches = tuple(part for part in parts if not isinstance(part, Parallel))
        if len(branches) < len(parts):
            raise TypeError("a branch of a Parallel is a Parallel")
        return Parallel(branches)
    steps = tuple(part for part in parts if not isinstance(part, Sequence))
    if len(steps) < len(parts):
        raise TypeError("a part of a Sequence is a Sequence")
    return Sequence(steps)
