"""Modules of a graph: sets of steps that look the same from outside and so can stand in one place of a nested machine.

Two contractions on a transitively reduced graph find all series-parallel modules: a *series* (one successor that has
one predecessor) and *twins* (same predecessors, same successors). A graph whose order is series-parallel ends as one
node per component (Valdes, Tarjan and Lawler 1982). What is left is cut into components and at series cuts, or is
irreducible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from solidstate.planner.tree import Tree, parallel, sequence

MAX_ROUNDS = 64
"""Rounds of contraction; each adds a level of nesting, and deeper nests are not wanted in a machine anyway."""


@dataclass(frozen=True, slots=True)
class Net:
    """A reduced graph of modules. A node is named by the number of its lowest step; edges lead from lower to
    higher nodes. ``part`` is what the node stands for, ``rank`` the number of each step."""

    part: dict[int, Tree]
    after: dict[int, set[int]]
    before: dict[int, set[int]]
    rank: Mapping[str, int]

    def within(self, nodes: Iterable[int]) -> Net:
        """A copy with these nodes and the edges between them."""
        keep = set(nodes)
        return Net(
            {node: self.part[node] for node in sorted(keep)},
            {node: self.after[node] & keep for node in keep},
            {node: self.before[node] & keep for node in keep},
            self.rank,
        )

    def size(self) -> int:
        """Nodes and edges: what one pass costs."""
        return len(self.part) + sum(map(len, self.after.values()))

    def levels(self) -> list[list[int]]:
        """Nodes grouped by the length of the longest path that leads to them."""
        level: dict[int, int] = {}
        groups: list[list[int]] = []
        for node in sorted(self.part):
            level[node] = 1 + max((level[earlier] for earlier in self.before[node]), default=-1)
            if level[node] == len(groups):
                groups.append([])
            groups[level[node]].append(node)
        return groups

    def components(self) -> list[list[int]]:
        """Weakly connected components, each ascending, by lowest node."""
        left = set(self.part)
        found: list[list[int]] = []
        for start in sorted(self.part):
            if start not in left:
                continue
            left.discard(start)
            component: list[int] = []
            todo = [start]
            while todo:
                node = todo.pop()
                component.append(node)
                near = (self.after[node] | self.before[node]) & left
                left -= near
                todo.extend(near)
            found.append(sorted(component))
        return found

    def series_cuts(self) -> list[list[int]]:
        """Blocks B1, B2, ... such that all of each block is before all of the next; one block when there is no cut.

        A cut follows a prefix of the level order. All of the prefix is before all of the rest if and only if the edges
        that cross are exactly (last nodes of the prefix) x (first nodes of the rest), because the graph is reduced.
        """
        order = [node for group in self.levels() for node in group]
        missing = {node: len(self.before[node]) for node in order}
        first_of_rest = {node for node in order if not missing[node]}
        last_of_prefix: set[int] = set()
        crossing = begin = 0
        blocks: list[list[int]] = []
        for end, node in enumerate(order[:-1], 1):
            first_of_rest.discard(node)
            crossing += len(self.after[node]) - len(self.before[node])
            last_of_prefix -= self.before[node]
            last_of_prefix.add(node)
            for later in self.after[node]:
                missing[later] -= 1
                if not missing[later]:
                    first_of_rest.add(later)
            if crossing == len(last_of_prefix) * len(first_of_rest) and all(
                self.before[later] == last_of_prefix for later in first_of_rest
            ):
                blocks.append(order[begin:end])
                begin = end
        return [*blocks, order[begin:]]


def merge_modules(net: Net) -> None:
    """Contract series and twins, in place, until nothing changes (or :data:`MAX_ROUNDS`). O(size) a round."""
    for _ in range(MAX_ROUNDS):
        merged_series = _merge_series(net)
        if not (_merge_twins(net) or merged_series):
            return


def _merge_series(net: Net) -> bool:
    changed = False
    for head in sorted(net.part):
        if head not in net.part or _only(net.after, net.before, head) is None:
            continue
        chain = [head]  # the head is the lowest of its chain, so it is met first
        while (following := _only(net.after, net.before, chain[-1])) is not None:
            chain.append(following)
        changed = True
        tail = chain[-1]
        net.part[head] = sequence(net.part[node] for node in chain)
        for later in net.after[tail]:
            net.before[later].discard(tail)
            net.before[later].add(head)
        net.after[head] = net.after[tail]
        for node in chain[1:]:
            del net.part[node], net.before[node], net.after[node]
    return changed


def _only(after: dict[int, set[int]], before: dict[int, set[int]], node: int) -> int | None:
    """The one successor of ``node``, when it waits for nothing else."""
    if len(after[node]) == 1:
        (following,) = after[node]
        if len(before[following]) == 1:
            return following
    return None


def _merge_twins(net: Net) -> bool:
    changed = False
    groups: dict[tuple[frozenset[int], frozenset[int]], list[int]] = {}
    for node in sorted(net.part):
        if net.before[node] or net.after[node]:
            groups.setdefault((frozenset(net.before[node]), frozenset(net.after[node])), []).append(node)
    for twins in groups.values():
        if len(twins) == 1:
            continue
        changed = True
        net.part[twins[0]] = parallel((net.part[node] for node in twins), net.rank)
        for node in twins[1:]:
            for later in net.after[node]:
                net.before[later].discard(node)
            for earlier in net.before[node]:
                net.after[earlier].discard(node)
            del net.part[node], net.before[node], net.after[node]
    return changed
