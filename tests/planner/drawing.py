"""Graphs, nets and trees as lines of text, for golden files and for reading a failed test."""

from __future__ import annotations

from solidstate.planner.graph import Dag
from solidstate.planner.modules import Net
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence, Tree


def drawn_graph(dag: Dag) -> list[str]:
    """One line a step, with what comes after it."""
    return [
        f"{name} -> {', '.join(dag.names[n] for n in dag.after[number])}" if dag.after[number] else name
        for number, name in enumerate(dag.names)
    ]


def drawn_net(net: Net) -> list[str]:
    """One line a module: its tree on one line, and the numbers of the modules after it."""
    return [
        f"{node}: {on_one_line(part)} -> {', '.join(map(str, sorted(net.after[node])))}"
        if net.after[node]
        else f"{node}: {on_one_line(part)}"
        for node, part in sorted(net.part.items())
    ]


def on_one_line(tree: Tree) -> str:
    """``a > (b | c) > d``."""
    if isinstance(tree, Leaf):
        return f"{tree.step}[{', '.join(tree.waits)}]" if tree.waits else tree.step
    if isinstance(tree, Gate):
        return f"gate[{', '.join(tree.waits)}]"
    if isinstance(tree, Sequence):
        return " > ".join(on_one_line(part) for part in tree.parts)
    if isinstance(tree, Parallel):
        return f"({' | '.join(on_one_line(branch) for branch in tree.branches)})"
    return f"<{tree.name}: {on_one_line(tree.body)}>" if isinstance(tree, Nested) else "?"
