"""The moving picture of a run: what ended last, what is running now, how far the run is.

It is gone when the run ends, since the summary that follows says it all; failures, retries and warnings stay on screen.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from solidstate.cli.progress import Narrator
from solidstate.cli.terminal import Terminal
from solidstate.cli.text import Line, human_duration, printable
from solidstate.events import (
    AnyEvent,
    RunStart,
    StepFailure,
    StepRetry,
    StepSkipped,
    StepStart,
    StepSuccess,
    step_label,
)
from solidstate.handler.recorder import Observer

MAX_RUNNING = 8
"""Running steps drawn at a time; more are counted."""
MAX_ENDED = 6
FRAMES_PER_SECOND = 8


@contextmanager
def live(terminal: Terminal, narrator: Narrator, steps: int, title: str) -> Iterator[Observer]:
    """Draw on stderr while the body runs. What user code prints meanwhile appears above the picture."""
    console = Console(file=terminal.err, highlight=False)
    picture = _Picture(narrator, steps, title)
    with Live(console=console, get_renderable=picture.draw, refresh_per_second=FRAMES_PER_SECOND, transient=True):

        def observe(event: AnyEvent) -> None:
            for one in picture.take(event):
                console.print(_text(one), soft_wrap=True)

        yield observe


def _text(one: Line) -> Text:
    return Text.assemble(*((printable(span.text), span.style) for span in one))


class _Picture:
    """Times are monotonic seconds."""

    def __init__(self, narrator: Narrator, steps: int, title: str) -> None:
        self._narrator = narrator
        self._steps = steps
        self._title = title
        self._running: dict[str, tuple[float, int]] = {}
        self._done: set[str] = set()  # a mapped step when its first item is
        self._ended: deque[Line] = deque(maxlen=MAX_ENDED)
        self._began = time.monotonic()
        self._started = False
        self._spinner = Spinner("dots", style="cyan")
        self._lock = threading.Lock()

    def take(self, event: AnyEvent) -> list[Line]:
        """Note what happened; the lines that are to stay on screen."""
        with self._lock:
            lines = self._narrator.tell(event)
            match event:
                case RunStart():
                    self._started, self._steps = True, event.steps
                case StepStart():
                    self._running[step_label(event)] = (time.monotonic(), event.attempt)
                case StepSuccess() | StepSkipped():
                    self._running.pop(step_label(event), None)
                    self._done.add(event.step)
                    self._ended.extend(lines)
                    return []
                case StepFailure():
                    self._running.pop(step_label(event), None)
                    self._done.add(event.step)
                case StepRetry():
                    self._running.pop(step_label(event), None)
                case _:
                    pass
            return lines

    def draw(self) -> RenderableType:
        with self._lock:
            running = list(self._running.items())
            ended = [_text(one) for one in self._ended]
            done, started = len(self._done), self._started
        now = time.monotonic()
        rows = Table.grid(padding=(0, 2, 0, 0))
        for step, (since, attempt) in running[:MAX_RUNNING]:
            again = f"attempt {attempt}" if attempt > 1 else ""
            rows.add_row(self._spinner, printable(step), human_duration(now - since), again)
        if len(running) > MAX_RUNNING:
            rows.add_row("", f"and {len(running) - MAX_RUNNING} more", "", "")
        foot = Table.grid(padding=(0, 2, 0, 0))
        state = f"{done}/{self._steps} steps" if started else "starting"
        bar = ProgressBar(total=max(1, self._steps), completed=done, width=30, pulse=not started)
        foot.add_row(printable(self._title), bar, state, human_duration(now - self._began))
        return Group(*ended, rows, foot)
