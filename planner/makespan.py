"""When each step of a run begins and ends, by the estimates: longest paths over the nesting, latencies included.

:func:`estimated_makespan` is all that others use; it knows the tree and no definition.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import msgspec

from solidstate.planner.graph import dag_of_plan
from solidstate.planner.plan import ExecutionPlan
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence, Tree

ENTER_S = 0.02
"""Entering a state."""
INVOKE_S = 0.03
"""Invoking a warm function."""
WAKE_S = 0.06
"""From the end of the last step that one has waited for to the state that goes on."""
NESTED_START_S, NESTED_END_S = 0.15, 0.5
"""Starting a nested execution, and noticing that it has ended. All latencies are assumptions: none of them has been
measured on AWS."""
STEP_S = ENTER_S + INVOKE_S


class Span(msgspec.Struct, frozen=True):
    """When a step is entered, begins to work and ends, in seconds after the start of the tree. It has ``parked`` when
    what it waits for had not ended when it was entered."""

    entered_s: float
    begins_s: float
    ends_s: float
    parked: bool = False


class Makespan(msgspec.Struct, frozen=True):
    """``spans`` by what stands at the leaves; a gate goes by the step it stands for and a ``"gate "`` before it."""

    seconds: float
    spans: dict[str, Span]

    @property
    def parked(self) -> list[str]:
        """Leaves and gates that are expected to park."""
        return [name for name, span in self.spans.items() if span.parked]


def estimated_makespan(tree: Tree, seconds: Mapping[str, float]) -> Makespan:
    """When everything in ``tree`` begins and ends, given how long each leaf takes. Waits may name any leaf of it; a
    name that stands at no leaf holds nothing up."""
    return _Clock(tree, seconds).run()


class _Clock:
    """Moments of the tree (the begin and end of each node) in the order they follow from each other."""

    def __init__(self, tree: Tree, seconds: Mapping[str, float]) -> None:
        self._seconds = seconds
        self._leads_to: list[list[tuple[int, float]]] = []
        self._open: list[int] = []
        self._waiting: dict[int, tuple[Leaf | Gate, int]] = {}  # by the moment a leaf is left: itself, and its begin
        self._end_of: dict[str, int] = {}
        self._begin, self._end = self._moment(), self._moment()
        self._add(tree)
        for moment, (node, _) in self._waiting.items():
            for name in node.waits:
                if name in self._end_of and self._end_of[name] != moment:
                    self._follows(self._end_of[name], moment, 0.0)

    def _moment(self) -> int:
        self._leads_to.append([])
        self._open.append(0)
        return len(self._open) - 1

    def _follows(self, earlier: int, later: int, delay: float) -> None:
        self._leads_to[earlier].append((later, delay))
        self._open[later] += 1

    def _add(self, tree: Tree) -> None:
        todo: list[tuple[Tree, int, int]] = [(tree, self._begin, self._end)]
        while todo:
            node, begin, end = todo.pop()
            if isinstance(node, Sequence):
                moments = [begin, *(self._moment() for _ in node.parts[1:]), end]
                todo.extend(zip(node.parts, moments, moments[1:], strict=False))
            elif isinstance(node, Parallel):
                fork, join = self._moment(), self._moment()
                self._follows(begin, fork, ENTER_S)
                self._follows(join, end, 0.0)
                for branch in node.branches:
                    done = self._moment()
                    self._follows(done, join, 0.0)
                    todo.append((branch, fork, done))
            elif isinstance(node, Nested):
                inside, done = self._moment(), self._moment()
                self._follows(begin, inside, ENTER_S + NESTED_START_S)
                self._follows(done, end, NESTED_END_S)
                todo.append((node.body, inside, done))
            else:
                left = self._moment()
                self._follows(begin, left, 0.0)
                self._follows(left, end, 0.0)
                self._waiting[left] = node, begin
                if isinstance(node, Leaf):
                    self._end_of[node.step] = left

    def run(self) -> Makespan:
        at = [0.0] * len(self._open)
        latest = [0.0] * len(self._open)  # of a leaf: when the last of those it waits for ends
        spans: dict[str, Span] = {}
        ready = deque(moment for moment, count in enumerate(self._open) if not count)
        while ready:
            moment = ready.popleft()
            if moment in self._waiting:
                node, begin = self._waiting[moment]
                span = self._span(node, at[begin], latest[moment])
                spans[node.step if isinstance(node, Leaf) else f"gate {node.step}"] = span
                at[moment] = span.ends_s
            for later, delay in self._leads_to[moment]:
                if later in self._waiting:
                    latest[later] = max(latest[later], at[moment])
                at[later] = max(at[later], at[moment] + delay)
                self._open[later] -= 1
                if not self._open[later]:
                    ready.append(later)
        return Makespan(at[self._end], spans)

    def _span(self, node: Leaf | Gate, begin: float, latest: float) -> Span:
        entered = begin + STEP_S
        parked = latest > entered
        works = self._seconds.get(node.step, 0.0) if isinstance(node, Leaf) else 0.0
        begins = entered if not parked else latest + WAKE_S + (STEP_S if isinstance(node, Leaf) else 0.0)
        return Span(entered, begins, begins + works, parked)


def critical_path(plan: ExecutionPlan, seconds: Mapping[str, float]) -> tuple[float, list[str]]:
    """The longest chain of steps, each with the overhead of one state and one invocation: nothing can end sooner. Its
    length in seconds, and its steps."""
    dag = dag_of_plan(plan)
    ends: list[float] = []
    came_from: list[int | None] = []
    for step, name in enumerate(dag.names):
        last = max(dag.before[step], key=lambda p: ends[p], default=None)
        came_from.append(last)
        ends.append((ends[last] if last is not None else 0.0) + STEP_S + seconds.get(name, 0.0))
    step = max(range(len(ends)), key=ends.__getitem__)
    path: list[str] = []
    at: int | None = step
    while at is not None:
        path.append(dag.names[at])
        at = came_from[at]
    return ends[step], path[::-1]
