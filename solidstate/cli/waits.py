"""What a nested state machine makes steps wait for, beside what their data makes them wait for.

Step Functions can only nest sequences and Parallels. Where a graph is no such nesting, the machine adds order; here
that addition is counted, so that ``plan --explain`` can show it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from solidstate.planner.graph import Dag
from solidstate.planner.tree import Leaf, Parallel, Sequence, Tree, children, leaves


class Waits(msgspec.Struct, frozen=True):
    """For every step the steps the machine adds, without those that follow from other waits; and what that costs.

    ``pairs`` counts all added orderings, the implied ones included. ``machine_depth`` and ``data_depth`` are the steps
    on the longest way through the machine and through the data: the run time when all steps take equally long.
    """

    added: dict[str, tuple[str, ...]]
    pairs: int
    machine_depth: int
    data_depth: int


def waits_of(dag: Dag, tree: Tree) -> Waits:
    number = {name: index for index, name in enumerate(dag.names)}
    data = _ancestors(dag)
    machine = [0] * len(dag.names)
    for step, before in _before(tree, number, 0):
        machine[step] = before
    added: dict[str, tuple[str, ...]] = {}
    pairs = 0
    for step, name in enumerate(dag.names):
        extra = machine[step] & ~data[step]
        pairs += extra.bit_count()
        implied = 0
        for earlier in _bits(machine[step]):
            implied |= machine[earlier]
        added[name] = tuple(dag.names[other] for other in _bits(extra & ~implied))
    return Waits(added, pairs, _depth(tree), 1 + max(dag.levels()))


def _ancestors(dag: Dag) -> list[int]:
    """For each step the bit set of the steps its data comes from, directly or not."""
    found: list[int] = []
    for earlier in dag.before:
        bits = 0
        for step in earlier:
            bits |= found[step] | 1 << step
        found.append(bits)
    return found


def _before(tree: Tree, number: dict[str, int], before: int) -> Iterator[tuple[int, int]]:
    """Each step with the bit set of those the machine finishes before it starts it."""
    if isinstance(tree, Leaf):
        yield number[tree.step], before
        return
    for child in children(tree):
        yield from _before(child, number, before)
        if isinstance(tree, Sequence):
            for name in leaves(child):
                before |= 1 << number[name]


def _depth(tree: Tree) -> int:
    if isinstance(tree, Leaf):
        return 1
    depths = [_depth(child) for child in children(tree)]
    return max(depths) if isinstance(tree, Parallel) else sum(depths)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
