"""A finished run as lines: its steps, what failed and why, what it left behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from solidstate.cli.text import (
    BLANK,
    Line,
    Span,
    human_duration,
    human_size,
    human_time,
    indented,
    line,
    paragraphs,
    plural,
    raised,
    short_path,
    table,
)
from solidstate.events import AnyEvent, StepExpectation, StepInput, StepMaterialization, final_events, step_label
from solidstate.storage.records import RunSummary, StepSummary

MAX_STEPS = 100
"""A longer run's summary leaves out the steps that succeeded; ``show`` has them all."""
MAX_ITEMS = 5
"""Items of one mapped step whose errors are shown; ``events`` has them all."""
MAX_FACTS = 5
"""Elements of a list among the facts of an error up to which it is shown; ``events`` has all."""
Given = Mapping[str, Collection[str]]
"""By step, its inputs whose values stand in the run request: nothing was read for them."""
STYLES = {
    "success": "green",
    "failed": "bold red",
    "skipped": "dim",
    "not selected": "dim",
    "not reached": "yellow",
    "running": "cyan",
    "cancelled": "yellow",
    "interrupted": "yellow",
}
_WORDS = {"success": "ok"}


def header(run: RunSummary) -> Line:
    """Which run this is, in one line."""
    facts = [f"mode {run.mode}"] if run.mode else []
    if run.preset:
        facts.append(f"preset {run.preset}")
    if run.engine:
        facts.append(f"engine {run.engine}")
    return line(Span(run.pipeline, "bold"), f"  run {run.run}  ", Span("  ".join(facts), "dim"))


def step_lines(
    steps: Sequence[StepSummary], given: Given, *, width: int | None = None, all_steps: bool = False
) -> list[Line]:
    """One row a step; columns nobody needs are left out."""
    everything = all_steps or len(steps) <= MAX_STEPS
    shown = [step for step in steps if everything or step.status not in ("success", "skipped")]
    rows = [_step_row(step, given.get(step.step, ())) for step in shown]
    lines = table(rows, header=("", "step", "time", "attempts", "in", "out"), width=width) if rows else []
    if len(shown) < len(steps):
        lines.append(line(Span(f"and {plural(len(steps) - len(shown), 'step')} that succeeded or were skipped", "dim")))
    return lines


def _step_row(step: StepSummary, given: Collection[str]) -> list[Span]:
    ran = step.status in ("success", "failed") and bool(step.attempts)
    remarks = [_sizes(step.outputs), "" if step.status == "failed" else step.reason]
    if step.expectations_failed:
        remarks.append(f"{step.expectations_failed} of {plural(step.expectations, 'expectation')} failed")
    return [
        Span(_status_word(step), "yellow" if step.expectations_failed else STYLES[step.status]),
        Span(step.step),
        Span(human_duration(step.duration_s) if ran else ""),
        Span(str(step.attempts) if step.attempts > 1 else ""),
        Span(_read(step.inputs, given), "dim"),
        Span("; ".join(filter(None, remarks)), "yellow" if step.expectations_failed else "dim"),
    ]


def _read(inputs: Mapping[str, int], given: Collection[str]) -> str:
    if inputs and all(name in given for name in inputs):
        return "request"
    return human_size(sum(inputs.values())) if inputs else ""


def _status_word(step: StepSummary) -> str:
    """``ok``; of a mapped step how many items ended how: ``12 ok, 1 failed``."""
    if step.items is None:
        return _WORDS.get(step.status, step.status)
    return ", ".join(f"{count} {_WORDS.get(status, status)}" for status, count in step.items.items()) or "no items"


def _sizes(sizes: dict[str, int], limit: int = 4) -> str:
    if list(sizes) == ["result"]:
        return human_size(sizes["result"])
    parts = [f"{name} {human_size(size)}" for name, size in list(sizes.items())[:limit]]
    return ", ".join([*parts, *(["..."] if len(sizes) > limit else [])])


def failure_lines(steps: Sequence[StepSummary], given: Given, *, tracebacks: bool = False) -> list[Line]:
    """Every failed step: what was raised, the user's own line, what came in, a way out."""
    lines: list[Line] = []
    for step in steps:
        if step.status == "failed":
            shown = [_item(step, key) for key in list(step.item_errors)[:MAX_ITEMS]] or [step]
            for one in shown:
                lines += [BLANK, *_failure(one, given.get(one.step, ()), tracebacks)]
            more = (step.items or {}).get("failed", 1) - len(shown)
            if more > 0:
                lines += [BLANK, line(Span(f"and {plural(more, 'item')} more of {step.step} failed", "dim"))]
    return lines


def _item(step: StepSummary, key: str) -> StepSummary:
    """One item of a mapped step that failed, as a step."""
    name = f"{step.step}[{key}]"
    solid = name if step.solid == step.step else step.solid
    return msgspec.structs.replace(step, step=name, solid=solid, error=step.item_errors[key], inputs={}, attempts=1)


def _failure(step: StepSummary, given: Collection[str], tracebacks: bool) -> list[Line]:
    solid = "" if step.solid == step.step else f" (solid {step.solid})"
    tries = f" after {plural(step.attempts, 'attempt')}" if step.attempts > 1 else ""
    lines = [line(Span("failed: ", "bold red"), Span(step.step, "bold"), solid, tries)]
    inside: list[Line] = []
    error = step.error
    if error is None:
        inside += paragraphs(step.reason)
    else:
        first, *rest = paragraphs(raised(error.type, error.message))
        inside += [first, *rest]
        if error.place:
            place = error.place
            inside.append(line(Span("at: ", "dim"), f"{short_path(place.file)}:{place.line} in {place.function}"))
            if place.code:
                inside.append(line("    ", Span(place.code, "bold")))
        facts = ((key, _fact(value)) for key, value in error.metadata.items())
        inside += [line(Span(f"{key}: ", "dim"), fact) for key, fact in facts if fact is not None]
    if step.inputs:
        sizes = ", ".join(
            f"{name} {'from the request' if name in given else human_size(size)}" for name, size in step.inputs.items()
        )
        inside.append(line(Span("inputs: ", "dim"), sizes))
    if error is not None and error.hint:
        inside.append(line(Span("fix: ", "green"), error.hint))
    if tracebacks and error is not None and error.traceback:
        inside += paragraphs(error.traceback, "dim")
    return [*lines, *indented(inside)]


def _fact(value: Any) -> str | None:
    """A number or text, or a few of them; None for what is too much for a line (``show --json`` has it)."""
    if isinstance(value, (list, tuple)):
        short = len(value) <= MAX_FACTS and not any(isinstance(part, (list, tuple, Mapping)) for part in value)
        return ", ".join(map(str, value)) if short else None
    return None if isinstance(value, Mapping) else str(value)


def _given(events: Sequence[AnyEvent]) -> Given:
    found: dict[str, set[str]] = {}
    for event in events:
        if isinstance(event, StepInput) and not event.sources:
            found.setdefault(event.step, set()).add(event.name)
    return found


def warning_lines(steps: Sequence[StepSummary]) -> list[Line]:
    """What did not stop the run and yet wants to be seen: expectations of severity ``warn``, hooks that raised."""
    rows = [[Span(step.step), Span(text, "yellow")] for step in steps for text in step.warnings]
    return [BLANK, line(Span("warnings", "bold yellow")), *indented(table(rows))] if rows else []


def expectation_lines(events: Sequence[AnyEvent], *, width: int | None) -> list[Line]:
    """The expectations that failed, with the facts their authors gave."""
    rows = [
        [Span(event.label or "expectation", "yellow"), Span(step_label(event)), Span(_said(event), "dim")]
        for event in final_events(events)
        if isinstance(event, StepExpectation) and not event.success
    ]
    return [BLANK, line(Span("expectations that failed", "bold")), *indented(table(rows, width=width))] if rows else []


def _said(event: StepExpectation) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in event.metadata.items())
    return ": ".join(part for part in (event.description, facts) if part)


def materialization_lines(events: Sequence[AnyEvent]) -> list[Line]:
    """What the run left behind outside solidstate's own storage."""
    rows = [
        [
            Span(event.label),
            Span(short_path(event.path) if event.path else event.description),
            Span(step_label(event), "dim"),
        ]
        for event in final_events(events)
        if isinstance(event, StepMaterialization)
    ]
    return [BLANK, line(Span("materialized", "bold")), *indented(table(rows))] if rows else []


def outcome(run: RunSummary) -> Line:
    """How it ended, in one line."""
    counts = [f"{count} {_WORDS.get(status, status)}" for status, count in run.counts().items()]
    warnings = sum(len(step.warnings) for step in run.steps)
    if warnings:
        counts.append(plural(warnings, "warning"))
    said = f"  {', '.join(counts)}" if counts else ""
    return line(Span(run.status, STYLES[run.status]), f" in {human_duration(run.duration_s)}", Span(said, "dim"))


def run_lines(
    run: RunSummary,
    events: Sequence[AnyEvent],
    *,
    width: int | None = None,
    all_steps: bool = False,
    tracebacks: bool = False,
) -> list[Line]:
    """The whole run, the way ``run`` ends and ``show`` begins."""
    given = _given(events)
    return [
        header(run),
        *([BLANK, *step_lines(run.steps, given, width=width, all_steps=all_steps)] if run.steps else []),
        *failure_lines(run.steps, given, tracebacks=tracebacks),
        *warning_lines(run.steps),
        *expectation_lines(events, width=width),
        *materialization_lines(events),
        BLANK,
        outcome(run),
    ]


def why_lines(why: str) -> list[Line]:
    """What ended a run beside its steps."""
    first, *rest = why.splitlines() or [""]
    return [BLANK, line(Span(first, "bold")), *(line(one) for one in rest)] if why else []


def request_lines(run: RunSummary) -> list[Line]:
    """When it was started, and with which tags."""
    facts = [("started", human_time(run.started_at)), *((f"tag {key}", value) for key, value in run.tags.items())]
    return table([[Span(key, "dim"), Span(value)] for key, value in facts])
