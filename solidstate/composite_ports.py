"""Which inputs and outputs of composites a value passes through on its way from solid to solid.

A composite does not run, so it can check nothing itself: what it declares is checked where a value leaves a solid
inside it, or enters one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from solidstate.composites import CompositePort, CompositeUse
from solidstate.composition import Node, Source


class Passage(msgspec.Struct, frozen=True, eq=False):
    """An input or output of the composite ``composite`` (its whole name) that a value passes through."""

    composite: str
    port: CompositePort


Passages = dict[tuple[str, str], tuple[Passage, ...]]
"""By node and by its input, or its output; from the outermost composite to the innermost."""


def ways_in(nodes: Sequence[Node], composites: Sequence[CompositeUse]) -> Passages:
    """What the value of an input has to be beside its own type. Of a list that is made of several outputs it cannot be
    told which of them came in by which input, so it is left out."""
    if not composites:
        return {}
    uses = {use.name: use for use in composites}
    by_name = {node.name: node for node in nodes}
    found: dict[tuple[str, str], list[Passage]] = {}
    for use in composites:
        for port in use.definition.inputs:
            if port.type.unchecked or port.type.nothing:
                continue
            for target in _leaves(use, port.name, uses):
                node = by_name.get(target.node)
                binding = node.bindings.get(target.output) if node is not None else None
                if node is None or (binding is not None and binding.fan_in):
                    continue
                if not port.type.same_as(node.solid.input(target.output).type):
                    found.setdefault((target.node, target.output), []).append(Passage(use.name, port))
    return {place: tuple(passages) for place, passages in found.items()}


def ways_out(nodes: Sequence[Node], composites: Sequence[CompositeUse]) -> Passages:
    """The same for the value of an output. Where a composite gives out any number of items, or a list of all, its type
    can mean the one or the other, so these are left out."""
    if not composites:
        return {}
    by_name = {node.name: node for node in nodes}
    found: dict[tuple[str, str], list[Passage]] = {}
    for use in composites:
        for port in use.definition.outputs:
            source = use.outputs.get(port.name)
            node = by_name.get(source.node) if source is not None else None
            if source is None or node is None or port.type.unchecked or port.type.nothing:
                continue
            out = node.solid.output(source.output)
            many = port.name in use.collected or out.dynamic or node.map_over is not None
            if not many and not port.type.same_as(out.type):
                found.setdefault((source.node, source.output), []).append(Passage(use.name, port))
    return {place: tuple(passages) for place, passages in found.items()}


def _leaves(use: CompositeUse, name: str, uses: Mapping[str, CompositeUse]) -> Iterator[Source]:
    """The inputs of solids that an input of a composite is passed on to, through composites inside it."""
    for target in use.inputs.get(name, ()):
        inner = uses.get(target.node)
        if inner is None:
            yield target
        else:
            yield from _leaves(inner, target.output, uses)
