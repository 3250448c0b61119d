"""Plans as lines: the nesting that will run. What stands below each other runs one after the other."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from solidstate.cli.text import BLANK, Line, Span, indented, line, plural, table
from solidstate.planner.graph import dag_of_plan
from solidstate.planner.nest import Nest
from solidstate.planner.placement import last_steps, rendezvous
from solidstate.planner.plan import ExecutionPlan, Step, StepInput, StepOutput
from solidstate.planner.tree import Gate, Leaf, Nested, Sequence, Tree, leaves, nodes


def plan_lines(plan: ExecutionPlan, nest: Nest) -> list[Line]:
    """The nested form, with what each step takes and gives, and what it waits for by itself."""
    longest = 1 + max(dag_of_plan(plan).levels(), default=-1)
    facts = [plural(len(plan.steps), "step"), f"{longest} one after the other"]
    waiting = len({step for _, step in rendezvous(nest)})
    if waiting:
        facts.append(f"{waiting} with a rendezvous")
    parts = sum(isinstance(node, Nested) for tree in (nest.tree, *nest.inside.values()) for node in nodes(tree))
    if parts:
        facts.append(plural(1 + parts, "state machine"))
    lines = [line(Span(plan.pipeline, "bold"), Span(f"  {', '.join(facts)}", "dim"))]
    if plan.description:
        lines.append(line(plan.description))
    return [*lines, BLANK, *_Drawn(plan, nest).lines()]


class _Todo(msgspec.Struct, frozen=True):
    """A tree to be drawn; its first line begins with ``first``, the others with ``rest``."""

    tree: Tree
    first: Line
    rest: Line
    waits: tuple[str, ...] = ()


class _Drawn:
    """One plan being drawn, without recursion: a nest may be deep."""

    def __init__(self, plan: ExecutionPlan, nest: Nest) -> None:
        self._steps = {step.name: step for step in plan.steps}
        self._nest = nest
        self._lines: list[Line] = []

    def lines(self) -> list[Line]:
        todo = [_Todo(self._nest.tree, (), ())]
        while todo:
            todo.extend(reversed(self._draw(todo.pop())))
        return self._lines

    def _draw(self, one: _Todo) -> list[_Todo]:
        """Write what ``one`` begins with; returns what is inside it."""
        node = one.tree
        if isinstance(node, Leaf) and node.step in self._nest.inside:
            over = self._nest.regions[node.step].over
            also = self._also(node.waits)
            each = line(Span(f"↻ for each of {over.step}.{over.output}", "cyan"))
            self._put(one, [each, *([line(Span("│  ", "cyan"), also)] if also.text else [])])
            bar: Line = (*one.rest, Span("│  ", "cyan"))
            return [_Todo(self._nest.inside[node.step], bar, bar)]
        if isinstance(node, Leaf):
            self._put(one, _step(self._steps[node.step], self._also(node.waits)))
            return []
        if isinstance(node, Gate):
            self._put(one, [line(Span(f"◇ what follows waits for {self._names(node.waits)}", "yellow"))])
            return []
        if isinstance(node, Nested):
            count = plural(sum(1 for _ in leaves(node.body)), "step")
            self._put(one, [line(Span(f"▣ {node.name}: {count} in a nested execution", "cyan"))])
            bar = (*one.rest, Span("┆  ", "cyan"))
            return [_Todo(node.body, bar, bar)]
        if isinstance(node, Sequence):
            return [_Todo(part, one.rest if number else one.first, one.rest) for number, part in enumerate(node.parts)]
        self._put(one, [line(Span(f"┬ {len(node.branches)} side by side", "cyan"))])
        last = len(node.branches) - 1
        return [
            _Todo(
                branch,
                (*one.rest, Span("╰─ " if number == last else "├─ ", "cyan")),
                (*one.rest, Span("   " if number == last else "│  ", "cyan")),
            )
            for number, branch in enumerate(node.branches)
        ]

    def _put(self, one: _Todo, lines: Iterable[Line]) -> None:
        for number, text in enumerate(lines):
            self._lines.append((*(one.rest if number else one.first), *text))

    def _also(self, waits: tuple[str, ...]) -> Span:
        return Span(f"also waits for {self._names(waits)}" if waits else "", "yellow")

    def _names(self, units: tuple[str, ...]) -> str:
        return ", ".join(step for unit in units for step in last_steps(self._nest, unit))


def _step(step: Step, also: Span) -> list[Line]:
    solid = "" if step.solid == step.name else f" (solid {step.solid})"
    told = Span(f"  {step.description}" if step.description else "", "dim")
    rows = [["in", inp.name, _type(inp.type, nothing=inp.nothing), _origin(inp)] for inp in step.inputs]
    rows += [["out", out.name, _type(out.type, nothing=out.nothing), _remark(out)] for out in step.outputs]
    facts = table([[Span(row[0], "dim"), *row[1:3], Span(row[3], "dim")] for row in rows])
    extra: list[Line] = []
    if step.resources:
        extra.append(line(Span("resources  ", "dim"), ", ".join(step.resources)))
    if step.retry:
        extra.append(line(Span("retry  ", "dim"), f"up to {step.retry.max_attempts} attempts"))
    waits = [(also,)] if also.text else []
    return [line(Span(step.name, "bold"), solid, told), *indented([*waits, *facts, *extra], 4)]


def _type(name: str, *, nothing: bool) -> str:
    return "order only" if nothing else name


def _origin(inp: StepInput) -> str:
    if inp.kind == "config":
        return "from the run request" + (", or its default" if inp.has_default else "")
    sources = [f"{ref.step}.{ref.output}" if ref.output != "result" else ref.step for ref in inp.sources]
    if inp.kind == "fan_in":
        return f"from [{', '.join(sources)}]"
    return {"item": "the item's from ", "collect": "all items' from "}.get(inp.kind, "from ") + sources[0]


def _remark(out: StepOutput) -> str:
    kind = f"up to {plural(out.max_items, 'item')}" if out.dynamic else "optional" if out.optional else ""
    return ", ".join(part for part in (kind, out.description) if part)
