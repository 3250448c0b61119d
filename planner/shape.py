"""From a graph to its nested form, by pure passes: reduce, contract, split, embed.

The order of the tree and the waits at its leaves together are the order of the graph, neither more nor less: no step
ever waits for anything but its own inputs. A graph whose order is series-parallel gets no wait at all.
"""

from __future__ import annotations

from collections.abc import Mapping

from solidstate.planner.embed import embed
from solidstate.planner.graph import Dag, transitive_reduction
from solidstate.planner.modules import Net, merge_modules
from solidstate.planner.split import split
from solidstate.planner.tree import Leaf, Nested, Parallel, Sequence, Tree, children

STEP_OVERHEAD_S = 0.05
"""Entering a state and invoking a warm function; what a step takes beside its own time."""
FORK_S = 0.02
"""Entering a Parallel."""
UNKNOWN_S = 1.0
"""What a step is taken to last when nothing is known about it."""


def reduce(dag: Dag) -> Dag:
    """Pass 1: without the edges that others imply."""
    return transitive_reduction(dag)


def contract(dag: Dag) -> Net:
    """Pass 2: all that is series-parallel drawn together, exactly."""
    net = Net(
        {number: Leaf(name) for number, name in enumerate(dag.names)},
        {number: set(later) for number, later in enumerate(dag.after)},
        {number: set(earlier) for number, earlier in enumerate(dag.before)},
        {name: number for number, name in enumerate(dag.names)},
    )
    merge_modules(net)
    return net


def shape(dag: Dag, seconds: Mapping[str, float] | None = None) -> Tree:
    """The nested form of ``dag``, which has at least one step; the same for the same steps, edges and estimates.
    ``seconds`` are estimates by step; they decide where a step hangs, and so who has to wait how often."""
    known = seconds or {}

    def estimate(tree: Tree) -> float:
        return estimated_s(tree, known)

    return split(contract(reduce(dag)), lambda net, room: embed(net, estimate, room))


def estimated_s(tree: Tree, seconds: Mapping[str, float]) -> float:
    """How long a tree takes when nothing in it waits, overhead included."""
    took: dict[int, float] = {}
    todo: list[tuple[Tree, bool]] = [(tree, False)]
    while todo:
        node, ready = todo.pop()
        below = children(node)
        if not ready and below:
            todo.append((node, True))
            todo.extend((child, False) for child in below)
        elif isinstance(node, Leaf):
            took[id(node)] = seconds.get(node.step, UNKNOWN_S) + STEP_OVERHEAD_S
        elif isinstance(node, Sequence | Nested):
            took[id(node)] = sum(took[id(child)] for child in below)
        elif isinstance(node, Parallel):
            took[id(node)] = FORK_S + max(took[id(child)] for child in below)
        else:
            took[id(node)] = STEP_OVERHEAD_S
    return took[id(tree)]
