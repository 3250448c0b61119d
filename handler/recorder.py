"""The events of one attempt, in order, with what every event carries filled in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from solidstate.events import AnyEvent

E = TypeVar("E", bound=Any)

Observer = Callable[[AnyEvent], None]


class Scope(msgspec.Struct, frozen=True):
    """Who is speaking: the run, the step and attempt, and where AWS knows them."""

    run: str
    pipeline: str
    step: str = ""
    attempt: int = 0
    execution: str = ""
    state: str = ""
    request: str = ""


class Recorder:
    """Collects events. ``observer`` sees each one as it happens: that is how progress is shown live."""

    def __init__(self, scope: Scope, observer: Observer | None = None) -> None:
        self.scope = scope
        self.events: list[AnyEvent] = []
        self._observer = observer
        self._began = time.perf_counter()

    def elapsed(self) -> float:
        """Monotonic seconds since this attempt began."""
        return round(time.perf_counter() - self._began, 6)

    def emit(self, kind: Callable[..., E], **facts: Any) -> E:
        """Make an event of ``kind`` and append it."""
        scope = self.scope
        event = kind(
            run=scope.run,
            pipeline=scope.pipeline,
            seq=len(self.events) + 1,
            time=time.time(),
            elapsed_s=self.elapsed(),
            step=scope.step,
            attempt=scope.attempt,
            execution=scope.execution,
            state=scope.state,
            request=scope.request,
            **facts,
        )
        self.events.append(event)
        if self._observer is not None:
            self._observer(event)
        return event
