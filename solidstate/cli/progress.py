"""Progress of a run while it runs: a moving picture on a terminal, one line a step anywhere else.

Observers are called by the threads that run the steps, several at a time, so each has a lock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from solidstate.cli.terminal import Terminal
from solidstate.cli.text import Line, Span, cell_width, human_duration, human_size, line, plural, raised
from solidstate.events import (
    AnyEvent,
    LogMessage,
    StepExpectation,
    StepFailure,
    StepOutput,
    StepRetry,
    StepSkipped,
    StepStart,
    StepSuccess,
    step_label,
)
from solidstate.handler.recorder import Observer


@contextmanager
def watching(terminal: Terminal, names: list[str], title: str) -> Iterator[Observer]:
    """An observer for the run of the steps ``names``; what it draws is gone or complete when the body is left."""
    narrator = Narrator(max((cell_width(name) for name in names), default=0))
    if not terminal.live:
        yield _PlainProgress(terminal, narrator)
        return
    from solidstate.cli.live_progress import live  # imports rich, which a pipe need not pay for

    with live(terminal, narrator, len(names), title) as progress:
        yield progress


class Narrator:
    """Turns events into the lines that stay: one for each step that ended, one for each retry and warning."""

    def __init__(self, name_width: int) -> None:
        self._width = name_width
        self._outputs: dict[str, list[int]] = {}
        self._doubts: dict[str, int] = {}

    def tell(self, event: AnyEvent) -> list[Line]:
        match event:
            case StepStart():
                self._outputs[step_label(event)] = []
                self._doubts[step_label(event)] = 0
            case StepOutput():
                self._outputs.setdefault(step_label(event), []).append(event.size)
            case StepExpectation(success=False):
                self._doubts[step_label(event)] = self._doubts.get(step_label(event), 0) + 1
            case StepSuccess():
                return [self._success(event)]
            case StepFailure():
                text = raised(event.error.type, _first_line(event.error.message))
                return [self._line("failed", "bold red", step_label(event), human_duration(event.duration_s), text)]
            case StepRetry():
                why = raised(event.error.type, _first_line(event.error.message))
                text = f"attempt {event.attempt} failed: {why}; next in {human_duration(event.delay_s)}"
                return [self._line("retry", "yellow", step_label(event), human_duration(event.duration_s), text)]
            case StepSkipped():
                return [self._line("skipped", "dim", step_label(event), "", event.reason)]
            case LogMessage(level="warning" | "error" | "critical"):
                return [self._line(event.level, "yellow", step_label(event), "", _first_line(event.message))]
            case _:
                pass
        return []

    def _success(self, event: StepSuccess) -> Line:
        sizes = self._outputs.get(step_label(event), [])
        facts = [human_size(sum(sizes))] if sizes else []
        doubts = self._doubts.get(step_label(event), 0)
        if doubts:
            facts.append(f"{plural(doubts, 'expectation')} failed")
        style = "yellow" if doubts else "green"
        return self._line("ok", style, step_label(event), human_duration(event.duration_s), ", ".join(facts))

    def _line(self, word: str, style: str, step: str, duration: str, text: str) -> Line:
        padding = " " * max(0, self._width - cell_width(step))
        return line(Span(f"{word:<8}", style), f" {step}{padding}  {duration:>10}  ", text)


def _first_line(text: str) -> str:
    first, *rest = text.strip().splitlines() or [""]
    return f"{first} ..." if rest else first


class _PlainProgress:
    def __init__(self, terminal: Terminal, narrator: Narrator) -> None:
        self._terminal = terminal
        self._narrator = narrator
        self._lock = threading.Lock()

    def __call__(self, event: AnyEvent) -> None:
        with self._lock:
            lines = self._narrator.tell(event)
            if lines:
                self._terminal.note(lines)
