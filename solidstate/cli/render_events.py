"""Events as lines: when, which step and attempt, what happened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from solidstate.cli.text import Line, Span, human_duration, human_size, raised, short_path, table
from solidstate.events import (
    AnyEvent,
    EngineEvent,
    ErrorInfo,
    HookCompleted,
    HookErrored,
    LogMessage,
    ResourceInit,
    ResourceTeardown,
    RunFailure,
    RunStart,
    RunSuccess,
    StepExpectation,
    StepFailure,
    StepInput,
    StepMaterialization,
    StepOutput,
    StepRetry,
    StepSkipped,
    StepStart,
    StepSuccess,
    StorageRetry,
    kind_of,
    step_label,
)

_ALARMING = {
    "run_failure": "red",
    "step_failure": "red",
    "step_up_for_retry": "yellow",
    "hook_errored": "yellow",
    "storage_retry": "yellow",
    "step_skipped": "dim",
}
_KIND_COLUMN = len("step_materialization")
_PLEASING = {"run_success": "green", "step_success": "green"}


def event_lines(events: Sequence[AnyEvent], *, width: int | None = None, column: int = 0) -> list[Line]:
    """One row an event. The clock is UTC and the writer's own. ``column`` is what the step is given at least, for lines
    that are made one by one and are to stand below each other."""
    return table([_row(event, column) for event in events], width=width)


def _row(event: AnyEvent, column: int) -> list[Span]:
    who = f"{step_label(event)}#{event.attempt}" if event.attempt > 1 else step_label(event)
    what = describe(event)
    kind = kind_of(event).ljust(_KIND_COLUMN if column and what else 0)
    return [Span(_clock(event.time), "dim"), Span(who.ljust(column), "cyan"), Span(kind, _style(event)), Span(what)]


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}"


def _style(event: AnyEvent) -> str:
    if isinstance(event, StepExpectation):
        return "" if event.success else "yellow"
    if isinstance(event, LogMessage):
        return "yellow" if event.level in ("warning", "error", "critical") else ""
    kind = kind_of(event)
    return _ALARMING.get(kind) or _PLEASING.get(kind, "")


def describe(event: AnyEvent) -> str:
    """What happened, in one line. Facts a user attached come last, as ``key=value``."""
    match event:
        case RunStart():
            preset = f", preset {event.preset}" if event.preset else ""
            return f"{event.pipeline}, mode {event.mode}{preset}, {event.steps} steps"
        case RunSuccess():
            return f"in {human_duration(event.duration_s)}"
        case RunFailure():
            named = f", failed: {', '.join(event.failed)}" if event.failed else ""
            return f"in {human_duration(event.duration_s)}{named}"
        case StepStart():
            return "" if event.solid == event.step else f"solid {event.solid}"
        case StepInput():
            origin = f" from {', '.join(event.sources)}" if event.sources else ""
            return f"{event.name}: {event.type}{origin}, {human_size(event.size)}{_facts(event.metadata)}"
        case StepOutput():
            return f"{event.name}: {event.type}, {human_size(event.size)} as {event.codec}{_facts(event.metadata)}"
        case StepMaterialization():
            return _joined(event.label, short_path(event.path), event.description) + _facts(event.metadata)
        case StepExpectation():
            verdict = "holds" if event.success else "FAILED"
            return _joined(f"{event.label or 'expectation'} {verdict}", event.description) + _facts(event.metadata)
        case _:
            return _describe_end(event)


def _describe_end(event: AnyEvent) -> str:
    match event:
        case StepSuccess():
            return f"in {human_duration(event.duration_s)}"
        case StepFailure():
            return f"after {human_duration(event.duration_s)}: {_error(event.error)}"
        case StepRetry():
            after = f"after {human_duration(event.duration_s)}, next in {human_duration(event.delay_s)}"
            return f"{after}: {_error(event.error)}"
        case StepSkipped():
            return event.reason
        case ResourceInit():
            return f"{event.name} in {human_duration(event.duration_s)}"
        case ResourceTeardown():
            return event.name + (f": {_error(event.error)}" if event.error else "")
        case HookCompleted():
            return f"{event.name} in {human_duration(event.duration_s)}"
        case HookErrored():
            return f"{event.name}: {_error(event.error)}"
        case StorageRetry():
            return (
                f"{event.came} to try {event.tries} to {event.verb} {event.key}, next in {human_duration(event.wait_s)}"
            )
        case LogMessage():
            return f"{event.level}: {event.message}{_facts(event.fields)}"
        case EngineEvent():
            return f"{event.message}{_facts(event.fields)}"
        case _:
            return ""


def _error(error: ErrorInfo) -> str:
    place = f" ({short_path(error.place.file)}:{error.place.line})" if error.place else ""
    return raised(error.type, error.message) + place


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _facts(facts: dict[str, Any]) -> str:
    return "".join(f"  {key}={value}" for key, value in facts.items())
