"""A finished run as lines: its steps, what failed and why, what it left behind."""

from __future__ import annotations

from collections.abc import Sequence

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
from solidstate.events import AnyEvent, StepExpectation, StepMaterialization
from solidstate.storage.records import RunSummary, StepSummary

MAX_STEPS = 100
"""A longer run's summary leaves out the steps that succeeded; ``show`` has them all."""
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
    facts = [f"mode {run.mode}"]
    if run.preset:
        facts.append(f"preset {run.preset}")
    if run.engine:
        facts.append(f"engine {run.engine}")
    return line(Span(run.pipeline, "bold"), f"  run {run.run}  ", Span("  ".join(facts), "dim"))


def step_lines(steps: Sequence[StepSummary], *, width: int | None = None, all_steps: bool = False) -> list[Line]:
    """One row a step; columns nobody needs are left out."""
    everything = all_steps or len(steps) <= MAX_STEPS
    shown = [step for step in steps if everything or step.status not in ("success", "skipped")]
    rows = [_step_row(step) for step in shown]
    lines = table(rows, header=("", "step", "time", "attempts", "in", "out"), width=width) if rows else []
    if len(shown) < len(steps):
        lines.append(line(Span(f"and {plural(len(steps) - len(shown), 'step')} that succeeded or were skipped", "dim")))
    return lines


def _step_row(step: StepSummary) -> list[Span]:
    ran = step.status in ("success", "failed") and bool(step.attempts)
    remarks = [_sizes(step.outputs), "" if step.status == "failed" else step.reason]
    if step.expectations_failed:
        remarks.append(f"{step.expectations_failed} of {plural(step.expectations, 'expectation')} failed")
    return [
        Span(_WORDS.get(step.status, step.status), "yellow" if step.expectations_failed else STYLES[step.status]),
        Span(step.step),
        Span(human_duration(step.duration_s) if ran else ""),
        Span(str(step.attempts) if step.attempts > 1 else ""),
        Span(human_size(sum(step.inputs.values())) if step.inputs else "", "dim"),
        Span("; ".join(filter(None, remarks)), "yellow" if step.expectations_failed else "dim"),
    ]


def _sizes(sizes: dict[str, int], limit: int = 4) -> str:
    if list(sizes) == ["result"]:
        return human_size(sizes["result"])
    parts = [f"{name} {human_size(size)}" for name, size in list(sizes.items())[:limit]]
    return ", ".join([*parts, *(["..."] if len(sizes) > limit else [])])


def failure_lines(steps: Sequence[StepSummary], *, tracebacks: bool = False) -> list[Line]:
    """Every failed step: what was raised, the user's own line, what came in, a way out."""
    lines: list[Line] = []
    for step in steps:
        if step.status == "failed":
            lines += [BLANK, *_failure(step, tracebacks)]
    return lines


def _failure(step: StepSummary, tracebacks: bool) -> list[Line]:
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
        inside += [line(Span(f"{key}: ", "dim"), str(value)) for key, value in error.metadata.items()]
    if step.inputs:
        sizes = ", ".join(f"{name} {human_size(size)}" for name, size in step.inputs.items())
        inside.append(line(Span("inputs: ", "dim"), sizes))
    if error is not None and error.hint:
        inside.append(line(Span("fix: ", "green"), error.hint))
    if tracebacks and error is not None and error.traceback:
        inside += paragraphs(error.traceback, "dim")
    return [*lines, *indented(inside)]


def expectation_lines(steps: Sequence[StepSummary], events: Sequence[AnyEvent], *, width: int | None) -> list[Line]:
    """The expectations that failed, with the facts their authors gave."""
    last = {step.step: step.attempts for step in steps}
    rows = [
        [Span(event.label or "expectation", "yellow"), Span(event.step), Span(_said(event), "dim")]
        for event in events
        if isinstance(event, StepExpectation) and not event.success and event.attempt == last.get(event.step)
    ]
    return [BLANK, line(Span("expectations that failed", "bold")), *indented(table(rows, width=width))] if rows else []


def _said(event: StepExpectation) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in event.metadata.items())
    return ": ".join(part for part in (event.description, facts) if part)


def materialization_lines(steps: Sequence[StepSummary], events: Sequence[AnyEvent]) -> list[Line]:
    """What the run left behind outside solidstate's own storage."""
    last = {step.step: step.attempts for step in steps}
    rows = [
        [Span(event.label), Span(short_path(event.path) if event.path else event.description), Span(event.step, "dim")]
        for event in events
        if isinstance(event, StepMaterialization) and event.attempt == last.get(event.step)
    ]
    return [BLANK, line(Span("materialized", "bold")), *indented(table(rows))] if rows else []


def outcome(run: RunSummary) -> Line:
    """How it ended, in one line."""
    counts = [f"{count} {_WORDS.get(status, status)}" for status, count in run.counts().items()]
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
    return [
        header(run),
        BLANK,
        *step_lines(run.steps, width=width, all_steps=all_steps),
        *failure_lines(run.steps, tracebacks=tracebacks),
        *expectation_lines(run.steps, events, width=width),
        *materialization_lines(run.steps, events),
        BLANK,
        outcome(run),
    ]


def request_lines(run: RunSummary) -> list[Line]:
    """When it was started, and with which tags."""
    facts = [("started", human_time(run.started_at)), *((f"tag {key}", value) for key, value in run.tags.items())]
    return table([[Span(key, "dim"), Span(value)] for key, value in facts])
