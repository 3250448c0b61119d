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


_Signature = tuple[frozenset[int], frozenset[int]]


def merge_modules(net: Net) -> None:
    """Contract series and twins, in place, until nothing is left to contract.

    After the first round only nodes are looked at whose neighbours have changed, so that a deep nest costs no more than
    a flat one of the same size.
    """
    touched = set(net.part)
    twins = _Twins(net)
    while touched:
        touched |= _merge_series(net, touched)
        touched = twins.merge(touched)


def _merge_series(net: Net, touched: set[int]) -> set[int]:
    """Contract every series that a touched node is in. Returns the nodes whose neighbours have other names now."""
    changed: set[int] = set()
    for node in sorted(touched):
        if node not in net.part:
            continue
        head = node
        while (earlier := _only(net.before, net.after, head)) is not None:
            head = earlier
        chain = [head]  # edges lead from lower to higher nodes, so the head is the lowest
        while (following := _only(net.after, net.before, chain[-1])) is not None:
            chain.append(following)
        if len(chain) == 1:
            continue
        tail = chain[-1]
        net.part[head] = sequence(net.part[member] for member in chain)
        for later in net.after[tail]:
            net.before[later].discard(tail)
            net.before[later].add(head)
        net.after[head] = net.after[tail]
        for member in chain[1:]:
            del net.part[member], net.before[member], net.after[member]
        changed.add(head)
        changed |= net.after[head]
    return changed


def _only(onward: dict[int, set[int]], back: dict[int, set[int]], node: int) -> int | None:
    """The one neighbour of ``node`` in a direction, when ``node`` is its only one in the other."""
    if len(onward[node]) == 1:
        (following,) = onward[node]
        if len(back[following]) == 1:
            return following
    return None


class _Twins:
    """Nodes by their neighbours, kept up to date for the touched ones."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._holder: dict[_Signature, int] = {}
        self._signature: dict[int, _Signature] = {}

    def merge(self, touched: set[int]) -> set[int]:
        """Contract twins of touched nodes. Returns the nodes whose neighbours became fewer."""
        net = self._net
        for node in touched:
            old = self._signature.pop(node, None)
            if old is not None and self._holder.get(old) == node:
                del self._holder[old]
        groups: dict[_Signature, list[int]] = {}
        for node in sorted(touched):
            if node not in net.part or not (net.before[node] or net.after[node]):
                continue  # merged away, or a component of its own
            signature = frozenset(net.before[node]), frozenset(net.after[node])
            holder = self._holder.get(signature)
            if holder is None or holder not in net.part:
                self._holder[signature] = node
            else:
                groups.setdefault(signature, [holder]).append(node)
            self._signature[node] = signature
        changed: set[int] = set()
        for signature, twins in groups.items():
            twins.sort()
            first = twins[0]
            before, after = net.before[first], net.after[first]
            net.part[first] = parallel((net.part[node] for node in twins), net.rank)
            for node in twins[1:]:
                for later in after:
                    net.before[later].discard(node)
                for earlier in before:
                    net.after[earlier].discard(node)
                del net.part[node], net.before[node], net.after[node]
            self._holder[signature] = first
            changed |= before | after | {first}
        return changed
