"""Plans as lines: the nesting that will run, and why each step waits."""

from __future__ import annotations

from typing import Any

from solidstate.cli.text import BLANK, Line, Span, indented, line, plural, table
from solidstate.cli.waits import Waits
from solidstate.planner.plan import ExecutionPlan, Step, StepInput, StepOutput
from solidstate.planner.tree import Gate, Leaf, Nested, Sequence, Tree, children


def plan_lines(plan: ExecutionPlan, tree: Tree, waits: Waits) -> list[Line]:
    """The nested form: what stands below each other runs one after the other, branches run side by side."""
    steps = {step.name: step for step in plan.steps}
    facts = f"  {plural(len(plan.steps), 'step')}, {waits.machine_depth} one after the other"
    lines = [line(Span(plan.pipeline, "bold"), Span(facts, "dim"))]
    if plan.description:
        lines.append(line(plan.description))
    return [*lines, BLANK, *_tree(tree, steps)]


def _tree(tree: Tree, steps: dict[str, Step]) -> list[Line]:
    if isinstance(tree, Leaf):
        return _step(steps[tree.step])
    if isinstance(tree, Sequence):
        return [one for part in tree.parts for one in _tree(part, steps)]
    if isinstance(tree, Gate):
        return [line(Span(f"wait for {', '.join(tree.waits)}", "cyan"))]
    if isinstance(tree, Nested):
        return _tree(tree.body, steps)
    lines = [line(Span(f"┬ {len(tree.branches)} side by side", "cyan"))]
    for number, branch in enumerate(children(tree), 1):
        first, *rest = _tree(branch, steps)
        last = number == len(tree.branches)
        lines.append((Span("╰─ " if last else "├─ ", "cyan"), *first))
        lines += [(Span("   " if last else "│  ", "cyan"), *one) for one in rest]
    return lines


def _step(step: Step) -> list[Line]:
    solid = "" if step.solid == step.name else f" (solid {step.solid})"
    head = line(Span(step.name, "bold"), solid, Span(f"  {step.description}" if step.description else "", "dim"))
    rows = [["in", inp.name, _type(inp.type, nothing=inp.nothing), _origin(inp)] for inp in step.inputs]
    rows += [["out", out.name, _type(out.type, nothing=out.nothing), _remark(out)] for out in step.outputs]
    facts = table([[Span(row[0], "dim"), *row[1:3], Span(row[3], "dim")] for row in rows])
    extra = []
    if step.map_over is not None:
        extra.append(line(Span("for each item of  ", "dim"), f"{step.map_over.step}.{step.map_over.output}"))
    if step.resources:
        extra.append(line(Span("resources  ", "dim"), ", ".join(step.resources)))
    if step.retry:
        extra.append(line(Span("retry  ", "dim"), f"up to {step.retry.max_attempts} attempts"))
    return [head, *indented([*facts, *extra], 4)]


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


def explain_lines(plan: ExecutionPlan, waits: Waits, *, width: int | None = None) -> list[Line]:
    """For each step what its data makes it wait for, and what the machine adds to that."""
    rows: list[list[Span]] = []
    for step in plan.steps:
        rows.append([Span(step.name, "bold"), Span("waits for", "dim"), Span(reasons(step))])
        added = waits.added[step.name]
        if added:
            text = f"{', '.join(added)}: added by the machine"
            rows.append([Span(""), Span("and also", "dim"), Span(text, "yellow")])
    return [
        line(Span(plan.pipeline, "bold"), Span(f"  {plural(len(plan.steps), 'step')}", "dim")),
        BLANK,
        *table(rows, width=width),
        BLANK,
        *_cost(waits),
    ]


def reasons(step: Step) -> str:
    """``upstream (input), ...``"""
    inputs: dict[str, list[str]] = {}
    for inp in step.inputs:
        for ref in inp.sources:
            names = inputs.setdefault(ref.step, [])
            if inp.name not in names:
                names.append(inp.name)
    return ", ".join(f"{upstream} ({', '.join(names)})" for upstream, names in inputs.items()) or "nothing"


def _cost(waits: Waits) -> list[Line]:
    if not waits.pairs:
        return [line("The state machine orders exactly what the data orders: no step waits in vain.")]
    longer = waits.machine_depth - waits.data_depth
    cost = (
        f"the longest way through the machine has {waits.machine_depth} steps, that through the data {waits.data_depth}"
        if longer
        else f"the longest way through the machine is not longer than that through the data: {waits.data_depth} steps"
    )
    return [
        line(f"The state machine adds {plural(waits.pairs, 'ordering')} that the data does not ask for:"),
        line("Step Functions can only nest sequences and Parallels, and this graph is no such nesting."),
        line(f"What it costs: {cost}."),
    ]


def explanation(plan: ExecutionPlan, waits: Waits) -> dict[str, Any]:
    """The same as data."""
    return {
        "pipeline": plan.pipeline,
        "steps": [
            {"step": step.name, "waits_for": list(step.upstream()), "machine_adds": list(waits.added[step.name])}
            for step in plan.steps
        ],
        "added_orderings": waits.pairs,
        "machine_depth": waits.machine_depth,
        "data_depth": waits.data_depth,
    }
