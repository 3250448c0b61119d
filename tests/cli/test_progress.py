"""Progress as lines: one for every step that ended, whole even when many threads speak at once."""

from __future__ import annotations

import io
import threading
import time
from typing import Any

from solidstate.cli.progress import watching
from solidstate.cli.terminal import Terminal
from solidstate.events import (
    AnyEvent,
    ErrorInfo,
    LogMessage,
    StepExpectation,
    StepFailure,
    StepOutput,
    StepRetry,
    StepSkipped,
    StepStart,
    StepSuccess,
)

WHO: dict[str, Any] = {"run": "r", "pipeline": "p", "seq": 1, "time": 0.0, "elapsed_s": 0.0}
BOOM = ErrorInfo(type="ValueError", message="boom\nmore")


def told(*events: AnyEvent) -> str:
    """What a run with these events writes beside its result, when nobody is at a terminal."""
    err = io.StringIO()
    with watching(Terminal(io.StringIO(), err), ["read", "count"], "p") as progress:
        for event in events:
            progress(event)
    return err.getvalue()


def test_a_step_is_told_when_it_ends() -> None:
    """Nothing is said of a start; the end has the time it took and the size of what it made."""
    assert told(StepStart(**WHO, step="read", solid="read")) == ""
    assert (
        told(
            StepStart(**WHO, step="read", solid="read"),
            StepOutput(**WHO, step="read", name="a", type="int", codec="msgpack", size=1000, sha256=""),
            StepOutput(**WHO, step="read", name="b", type="int", codec="msgpack", size=1048, sha256=""),
            StepExpectation(**WHO, step="read", success=False, label="few"),
            StepSuccess(**WHO, step="read", duration_s=1.25),
        )
        == "ok       read        1.2 s  2.0 KiB, 1 expectation failed\n"
    )


def test_failures_retries_and_skips_are_told() -> None:
    """Each says why, in one line, however long the message is."""
    assert told(
        StepRetry(**WHO, step="read", attempt=1, duration_s=0.1, error=BOOM, delay_s=2),
        StepFailure(**WHO, step="read", attempt=2, duration_s=0.1, error=BOOM),
        StepSkipped(**WHO, step="count", reason="upstream `read` did not succeed"),
        StepFailure(**WHO, step="count", duration_s=0.1, error=ErrorInfo(type="AssertionError", message="")),
    ) == (
        "retry    read       100 ms  attempt 1 failed: ValueError: boom ...; next in 2.0 s\n"
        "failed   read       100 ms  ValueError: boom ...\n"
        "skipped  count              upstream `read` did not succeed\n"
        "failed   count      100 ms  AssertionError\n"
    )


def test_warnings_are_told_and_chatter_is_not() -> None:
    """Log lines from warning upwards appear at once; the rest is in the events."""
    assert (
        told(
            LogMessage(**WHO, step="read", level="info", message="reading"),
            LogMessage(**WHO, step="read", level="warning", message="half empty"),
        )
        == "warning  read               half empty\n"
    )


class Slow(io.StringIO):
    """A stream that lets others speak after every few characters."""

    def write(self, text: str) -> int:
        for start in range(0, len(text), 5):
            super().write(text[start : start + 5])
            time.sleep(0)
        return len(text)


def test_lines_stay_whole_among_threads() -> None:
    """Steps end in threads of their own; no line is lost or torn."""
    err = Slow()
    names = [f"step_{number}" for number in range(20)]
    with watching(Terminal(io.StringIO(), err), names, "p") as progress:

        def work(name: str) -> None:
            for _ in range(20):
                progress(StepStart(**WHO, step=name, solid=name))
                progress(StepSuccess(**WHO, step=name, duration_s=0.001))

        threads = [threading.Thread(target=work, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = err.getvalue().splitlines()
    assert len(lines) == 400
    assert {one.split()[0] for one in lines} == {"ok"}
    assert {one.split()[1] for one in lines} == set(names)
