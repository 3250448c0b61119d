"""A step's life as log lines: what CloudWatch shows even when the solid logs nothing itself.

The same facts are events of the run already; these lines are for whoever looks at the function's log first, and the
only trace of an attempt whose events could not be stored.
"""

from __future__ import annotations

from typing import Any

from solidstate.events import (
    AnyEvent,
    EngineEvent,
    ErrorInfo,
    HookErrored,
    ResourceTeardown,
    StepExpectation,
    StepFailure,
    StepOutput,
    StepRetry,
    StepSkipped,
    StepStart,
    StepSuccess,
    StorageRetry,
)
from solidstate.handler.context import LogSink
from solidstate.handler.repeats import ASKED_AGAIN, facts_of


def tell(sink: LogSink | None, event: AnyEvent, events: list[AnyEvent]) -> None:
    """Log one event of a step's life; others are passed over. ``events`` are all of the attempt so far."""
    if sink is None:
        return
    match event:
        case StepStart():
            sink("info", "step started", {"solid": event.solid})
        case StepSuccess():
            sizes = {out.name: out.size for out in events if isinstance(out, StepOutput)}
            sink("info", "step succeeded", {"duration_s": event.duration_s, "output_bytes": sizes})
        case StepRetry():
            facts = {"duration_s": event.duration_s, "delay_s": event.delay_s, **_told(event.error)}
            sink("warning", "attempt failed, another follows", facts)
        case StepFailure():
            facts = {"duration_s": event.duration_s, **_told(event.error), "traceback": event.error.traceback}
            sink("error", "step failed", facts)
        case StepSkipped():
            sink("info", "step skipped", {"reason": event.reason})
        case StepExpectation(success=False):
            worded = f"expectation `{event.label or 'expectation'}` was not met"
            sink("warning", worded, {"severity": event.severity, **event.metadata})
        case HookErrored():
            sink("warning", f"hook `{event.name}` failed", _told(event.error))
        case ResourceTeardown(error=ErrorInfo() as error):
            sink("warning", f"closing resource `{event.name}` failed", _told(error))
        case StorageRetry():
            sink("warning", ASKED_AGAIN, facts_of(event))
        case EngineEvent():
            sink("warning", event.message, event.fields)
        case _:
            pass


def _told(error: ErrorInfo) -> dict[str, Any]:
    facts: dict[str, Any] = {"error": error.type, "reason": error.message}
    if error.place is not None:
        facts["place"] = f"{error.place.file}:{error.place.line}"
        facts["code"] = error.place.code
    if error.hint:
        facts["fix"] = error.hint
    return facts
