"""Second half of finding the nesting: what contraction leaves is divided where it falls apart.

Components that have nothing to do with each other become branches, and where all of one part is before all of the rest
there is a cut. A block that can be divided in neither way is irreducible (the smallest is the letter N): no nesting has
its order, and :mod:`solidstate.planner.embed` is asked for it.
"""

from __future__ import annotations

from collections.abc import Callable

from solidstate.planner.modules import Net
from solidstate.planner.tree import Tree, parallel, sequence

MAX_DEPTH = 20
"""Parallels inside each other that dividing and embedding may make. A console graph deeper than this cannot be read.
Series-parallel parts, which have a nesting of their own, may lie deeper."""

Embed = Callable[[Net, int], Tree]
"""Tree of an irreducible block, given how many Parallels may be inside each other."""


def split(net: Net, embed: Embed, room: int = MAX_DEPTH) -> Tree:
    """The nesting of a contracted net. The order of the tree is the order of the net, except for what ``embed`` leaves
    to rendezvous; where ``room`` (Parallels inside each other) runs out, that is all of the rest."""
    if len(net.part) == 1:
        (only,) = net.part.values()
        return only
    if room <= 1:
        return embed(net, room)
    if len(components := net.components()) > 1:
        return parallel((split(net.within(one), embed, room - 1) for one in components), net.rank)
    if len(cuts := net.series_cuts()) > 1:
        return sequence(split(net.within(cut), embed, room) for cut in cuts)
    return embed(net, room)
