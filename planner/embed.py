"""Irreducible blocks as out-trees: every step hangs under the predecessor that is expected to end last.

Its other edges become *rendezvous*: the step is entered when its parent has ended and, should another predecessor still
run, waits for it by itself. So no order is added, whatever the durations turn out to be; estimates only decide how
often a step has to wait. A fork (a Parallel) is one state transition, so ties are broken in favour of fewer forks.
"""

from __future__ import annotations

from collections.abc import Callable

from solidstate.planner.modules import Net
from solidstate.planner.tree import Gate, Leaf, Parallel, Sequence, Tree, entries, exits, parallel, sequence

MAX_GUARDED = 8
"""Entry steps times waits that may be written out; a gate before the block takes the place of more."""
_EQUAL_S = 0.04
"""Inputs that end within this time of each other count as ending together: a step looks for the others some 50 ms after
its parent has ended."""


def embed(net: Net, seconds: Callable[[Tree], float], room: int) -> Tree:
    """The tree of a block in which at most ``room`` Parallels are inside each other. ``seconds`` estimates how long a
    module takes. O(edges + nodes log nodes)."""
    return _Embedding(net, seconds).tree(max(1, room))


class _Embedding:
    def __init__(self, net: Net, seconds: Callable[[Tree], float]) -> None:
        self._net = net
        self._order = sorted(net.part)  # edges lead from lower to higher nodes
        self._exits = {node: exits(part) for node, part in net.part.items()}
        duration = {node: seconds(net.part[node]) for node in self._order}
        self._finish: dict[int, float] = {}
        for node in self._order:
            self._finish[node] = max((self._finish[p] for p in net.before[node]), default=0.0) + duration[node]
        self._tail: dict[int, float] = {}
        for node in reversed(self._order):
            self._tail[node] = max((self._tail[b] for b in net.after[node]), default=0.0) + duration[node]
        self._parent: dict[int, int] = {}
        self._below: dict[int, list[int]] = {node: [] for node in self._order}
        self._choose_parents()

    def _choose_parents(self) -> None:
        """The predecessor that is expected to end last, so that at its turn the others are likely done. Of several the
        one that forks anyway, then one that has nothing below it yet."""
        choices: dict[int, list[int]] = {}
        for node in self._order:
            if before := self._net.before[node]:
                last = max(self._finish[p] for p in before) - _EQUAL_S
                choices[node] = sorted(p for p in before if self._finish[p] >= last)
        for node in sorted(choices, key=lambda node: (len(choices[node]), self._finish[node], node)):
            parent = min(choices[node], key=lambda p: ((1, 2, 0)[min(2, len(self._below[p]))], p))
            self._parent[node] = parent
            self._below[parent].append(node)

    def tree(self, room: int) -> Tree:
        """Lines from the roots, side by side. What would lie too deep becomes a root and waits for its parent, too."""
        roots = [node for node in self._order if node not in self._parent]
        # `roots` grows while it is gone through.
        lines = [self._line(root, room - 1, roots, moved=root in self._parent) for root in roots]
        return parallel(lines, self._net.rank)

    def _line(self, node: int, room: int, roots: list[int], *, moved: bool) -> Tree:
        """A node and what hangs below it, while that does not fork; then the branches."""
        parts: list[Tree] = []
        while True:
            parent = None if moved else self._parent.get(node)
            waits = [step for p in sorted(self._net.before[node]) if p != parent for step in self._exits[p]]
            parts += guarded(self._net.part[node], tuple(waits), likely=parent is None)
            below = sorted(self._below[node], key=lambda b: (-self._tail[b], b))
            if not below:
                return sequence(parts)
            if len(below) > 1 and room > 0:
                lines = (self._line(b, room - 1, roots, moved=False) for b in below)
                return sequence([*parts, parallel(lines, self._net.rank)])
            roots.extend(below[1:])
            node, moved = below[0], False


def guarded(part: Tree, waits: tuple[str, ...], *, likely: bool) -> list[Tree]:
    """``part``, held up until ``waits`` have ended: by its entry steps themselves, or by a gate before them where that
    is ``likely`` to be needed or takes fewer words."""
    if not waits:
        return [part]
    first = entries(part)
    if len(first) > 1 and (likely or len(first) * len(waits) > MAX_GUARDED):
        return [Gate(first[0], waits), part]
    return [_with_waits(part, waits)]


def _with_waits(tree: Tree, waits: tuple[str, ...]) -> Tree:
    if isinstance(tree, Leaf):
        return Leaf(tree.step, waits)
    if isinstance(tree, Sequence):
        return sequence([_with_waits(tree.parts[0], waits), *tree.parts[1:]])
    if isinstance(tree, Parallel):
        rank = {step: number for number, branch in enumerate(tree.branches) for step in entries(branch)}
        return parallel((_with_waits(branch, waits) for branch in tree.branches), rank)
    raise TypeError(f"a module holds steps only, not {type(tree).__name__}")
