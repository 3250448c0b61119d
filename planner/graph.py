"""The steps of a plan as a graph of names: order, levels, reachability, transitive reduction.

Pure and without recursion, so that a chain of ten thousand steps works. Steps are numbered in topological order and
every edge leads from a lower to a higher number; sets of steps are bit sets (plain ints), which keeps the quadratic
parts cheap.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from solidstate.errors import DefinitionError, closest, name_list
from solidstate.planner.plan import ExecutionPlan

CYCLE_SHOWN = 12
"""Steps of a cycle spelled out in an error before the middle is left out."""


@dataclass(frozen=True, slots=True)
class Dag:
    """Steps ``names[0..n-1]`` in topological order; ``after[i]`` / ``before[i]`` are the ascending numbers of the
    direct successors / predecessors of step ``i``."""

    names: tuple[str, ...]
    after: tuple[tuple[int, ...], ...]
    before: tuple[tuple[int, ...], ...]

    def edges(self) -> tuple[tuple[str, str], ...]:
        """All (upstream, downstream) pairs, ascending."""
        return tuple((self.names[a], self.names[b]) for a, later in enumerate(self.after) for b in later)

    def levels(self) -> tuple[int, ...]:
        """For each step the length, in steps, of the longest path that leads to it."""
        level: list[int] = []
        for earlier in self.before:
            level.append(1 + max((level[p] for p in earlier), default=-1))
        return tuple(level)

    def descendants(self, name: str) -> frozenset[str]:
        """All steps that wait for ``name``, directly or not."""
        return self._reached(name, self.after)

    def ancestors(self, name: str) -> frozenset[str]:
        """All steps ``name`` waits for, directly or not."""
        return self._reached(name, self.before)

    def _reached(self, name: str, onward: tuple[tuple[int, ...], ...]) -> frozenset[str]:
        found: set[int] = set()
        todo = [self.names.index(name)]
        while todo:
            for step in onward[todo.pop()]:
                if step not in found:
                    found.add(step)
                    todo.append(step)
        return frozenset(self.names[step] for step in found)


def dag_of(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> Dag:
    """The graph of ``names`` and (upstream, downstream) ``edges``; repeated edges count once.

    The order is the given one wherever the edges allow it, and does not depend on the order of the edges. Raises
    :class:`DefinitionError` for a repeated or unknown name and for a cycle, which is spelled out.
    """
    after = _successors(names, edges)
    return _numbered(names, after, _topological(names, after))


def ordered(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[str]:
    """``names`` in the order that :func:`dag_of` gives them, for whoever needs nothing else. Raises as it does."""
    return [names[step] for step in _topological(names, _successors(names, edges))]


def _successors(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[set[int]]:
    given = {name: number for number, name in enumerate(names)}
    if len(given) != len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise DefinitionError(
            f"Each step needs a name of its own, but {name_list(repeated)} stands more than once.",
            subject=repeated[0],
            hint="give one of them another name with `.alias(...)`",
        )
    after: list[set[int]] = [set() for _ in names]
    for upstream, downstream in edges:
        if upstream not in given:
            raise _unknown_step(upstream, downstream, given)
        if downstream not in given:
            raise _unknown_step(downstream, upstream, given)
        after[given[upstream]].add(given[downstream])
    return after


def dag_of_plan(plan: ExecutionPlan) -> Dag:
    """The graph of a plan's steps. Raises like :func:`dag_of`."""
    return dag_of(
        [step.name for step in plan.steps],
        ((upstream, step.name) for step in plan.steps for upstream in step.upstream()),
    )


def transitive_reduction(dag: Dag) -> Dag:
    """The same order with every edge left out that other edges imply. O(edges x steps / 64) time."""
    reach = [0] * len(dag.names)
    kept: list[set[int]] = [set() for _ in dag.names]
    for step in range(len(dag.names) - 1, -1, -1):
        seen = 0
        for later in dag.after[step]:  # ascending, thus topological: whatever implies an edge comes before it
            if not seen >> later & 1:
                kept[step].add(later)
                seen |= reach[later] | 1 << later
        reach[step] = seen
    return _numbered(dag.names, kept, range(len(dag.names)))


def closure(dag: Dag) -> tuple[int, ...]:
    """For each step the bit set of all steps after it: bit ``j`` of element ``i`` means that ``j`` waits for ``i``."""
    reach = [0] * len(dag.names)
    for step in range(len(dag.names) - 1, -1, -1):
        for later in dag.after[step]:
            reach[step] |= reach[later] | 1 << later
    return tuple(reach)


def _numbered(names: Sequence[str], after: list[set[int]], order: Sequence[int]) -> Dag:
    number = [0] * len(names)
    for new, old in enumerate(order):
        number[old] = new
    onward = tuple(tuple(sorted(number[later] for later in after[old])) for old in order)
    back: list[list[int]] = [[] for _ in names]
    for step, later in enumerate(onward):
        for target in later:
            back[target].append(step)
    return Dag(tuple(names[old] for old in order), onward, tuple(tuple(earlier) for earlier in back))


def _topological(names: Sequence[str], after: list[set[int]]) -> list[int]:
    """Of all steps that are ready, always the one named first."""
    waiting = [0] * len(after)
    for targets in after:
        for target in targets:
            waiting[target] += 1
    ready = [step for step, count in enumerate(waiting) if not count]
    order: list[int] = []
    while ready:
        step = heapq.heappop(ready)
        order.append(step)
        for later in after[step]:
            waiting[later] -= 1
            if not waiting[later]:
                heapq.heappush(ready, later)
    if len(order) < len(after):
        raise _cycle_error([names[step] for step in _find_cycle(after, waiting)])
    return order


def _find_cycle(after: list[set[int]], waiting: list[int]) -> list[int]:
    """One cycle, beginning with its lowest step. Every step left waiting has a predecessor that is left, too."""
    earlier = {step: len(after) for step, count in enumerate(waiting) if count}
    for step in earlier:
        for later in after[step]:
            if later in earlier:
                earlier[later] = min(earlier[later], step)
    path: dict[int, None] = {}
    step = min(earlier)
    while step not in path:
        path[step] = None
        step = earlier[step]
    backwards = list(path)
    cycle = backwards[backwards.index(step) :][::-1]
    start = cycle.index(min(cycle))
    return cycle[start:] + cycle[:start]


def _cycle_error(cycle: list[str]) -> DefinitionError:
    shown = [f"`{name}`" for name in (*cycle, cycle[0])]
    if len(shown) > CYCLE_SHOWN:
        half = CYCLE_SHOWN // 2
        shown = [*shown[:half], f"({len(shown) - 2 * half} more)", *shown[-half:]]
    return DefinitionError(
        f"A step cannot wait for itself, but these steps form a cycle: {' -> '.join(shown)}.",
        subject=cycle[0],
        hint=f"remove one of these dependencies, for example the input of `{cycle[0]}` that comes from `{cycle[-1]}`",
    )


def _unknown_step(name: str, other: str, known: Iterable[str]) -> DefinitionError:
    near = closest(name, known)
    return DefinitionError(
        f"`{other}` is connected to `{name}`, but there is no step of that name.",
        subject=other,
        hint=f"did you mean `{near}`?" if near else "connect it to a step of the same pipeline",
    )
