"""From a graph to its nested form.

Exact wherever the order is series-parallel: then the tree orders two steps if and only if the graph does. Elsewhere (an
*irreducible* block, such as the letter N) the tree has to add order; the steps that wait for nothing in the block are
run first, side by side, and what remains is divided again. Nesting is bounded: what would lie deeper is run level by
level. Order is only ever added, never turned round, so every dependency holds in every case.
"""

from __future__ import annotations

from solidstate.planner.graph import Dag, transitive_reduction
from solidstate.planner.modules import Net, merge_modules
from solidstate.planner.tree import Leaf, Parallel, Sequence, Tree, height, leaves, parallel, sequence

MAX_NESTING = 12
"""Parallels inside each other. No limit of the service is documented; a console graph deeper than this cannot be read,
and the local interpreter runs out of stack between 30 and 40."""
PASSES_PER_BLOCK = 64
"""How many times its own size an irreducible block may be gone over before the rest is run level by level, so that no
graph takes quadratic time."""


def shape(dag: Dag) -> Tree:
    """The nested form of ``dag``, which has at least one step. The same steps and edges give the same tree."""
    reduced = transitive_reduction(dag)
    rank = {name: number for number, name in enumerate(reduced.names)}
    net = Net(
        {number: Leaf(name) for number, name in enumerate(reduced.names)},
        {number: set(later) for number, later in enumerate(reduced.after)},
        {number: set(earlier) for number, earlier in enumerate(reduced.before)},
        rank,
    )
    merge_modules(net)
    level = dict(zip(reduced.names, reduced.levels(), strict=True))
    return _bounded(_arrange(net, MAX_NESTING), MAX_NESTING, level, rank)


def _arrange(net: Net, room: int) -> Tree:
    """Divide a contracted net into components (Parallel), at series cuts (Sequence) and, failing both, below its
    sources. ``room`` is how many Parallels may still be opened."""
    parts: list[Tree] = []
    work = PASSES_PER_BLOCK * net.size()
    todo = [net]
    while todo:
        block = todo.pop()
        work -= block.size()
        if len(block.part) == 1:
            parts.extend(block.part.values())
        elif work < 0 or room == 0:
            parts.extend(_level_by_level(block))
        elif len(components := block.components()) > 1:
            branches = (_arrange(block.within(component), room - 1) for component in components)
            parts.append(parallel(branches, block.rank))
        elif len(cuts := block.series_cuts()) > 1:
            todo.extend(block.within(cut) for cut in reversed(cuts))
        else:
            sources = [node for node in sorted(block.part) if not block.before[node]]
            parts.append(parallel((block.part[node] for node in sources), block.rank))
            rest = block.within(set(block.part).difference(sources))
            merge_modules(rest)
            todo.append(rest)
    return sequence(parts)


def _level_by_level(net: Net) -> list[Tree]:
    return [parallel((net.part[node] for node in group), net.rank) for group in net.levels()]


def _bounded(tree: Tree, room: int, level: dict[str, int], rank: dict[str, int]) -> Tree:
    """``tree`` with at most ``room`` Parallels inside each other: what is deeper is run level by level."""
    if height(tree) <= room:
        return tree
    if isinstance(tree, Sequence):
        return sequence(_bounded(part, room, level, rank) for part in tree.parts)
    if isinstance(tree, Parallel) and room > 1:
        return parallel((_bounded(branch, room - 1, level, rank) for branch in tree.branches), rank)
    groups: dict[int, list[Tree]] = {}
    for step in leaves(tree):
        groups.setdefault(level[step], []).append(Leaf(step))
    return sequence(parallel(groups[number], rank) for number in sorted(groups))
