"""The events of one attempt, in order, with what every event carries filled in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from solidstate.errors import shown
from solidstate.events import AnyEvent, StepExpectation
from solidstate.handler.hushing import hushed
from solidstate.handler.plain import encodable
from solidstate.redaction import anything_to_hide

E = TypeVar("E", bound=Any)

Observer = Callable[[AnyEvent], None]


class Scope(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is speaking: the run, the step, item and attempt, and where AWS knows them."""

    run: str
    pipeline: str
    step: str = ""
    attempt: int = 0
    execution: str = ""
    state: str = ""
    request: str = ""
    item: str = ""

    def identity(self) -> dict[str, Any]:
        """What tells one attempt's log lines from those of others."""
        told = {"run": self.run, "step": self.step, "attempt": self.attempt}
        return {**told, "item": self.item} if self.item else told


class Recorder:
    """Collects events; threads that a solid starts may add to them. ``observer`` sees each one as it happens: that is
    how progress is shown live."""

    def __init__(self, scope: Scope, observer: Observer | None = None) -> None:
        self.scope = scope
        # Every event carries these; what is empty is left to the event's own defaults.
        self._common: dict[str, Any] = msgspec.to_builtins(scope)
        self.events: list[AnyEvent] = []
        self._lines: list[bytes] = []
        self.unmet: list[StepExpectation] = []  # of any severity but `record`
        self._observer = observer
        self._began = time.perf_counter()
        self._lock = threading.Lock()

    def elapsed(self) -> float:
        """Monotonic seconds since this attempt began."""
        return int((time.perf_counter() - self._began) * 1e6) / 1e6

    def emit(self, kind: Callable[..., E], **facts: Any) -> E:
        """Make an event of ``kind`` and append it."""
        with self._lock:
            facts.update(self._common)  # our own dict already: merging two into a third costs more than the event
            facts["seq"] = len(self.events) + 1
            facts["time"] = time.time()
            facts["elapsed_s"] = int((time.perf_counter() - self._began) * 1e6) / 1e6
            event = kind(**facts)
            try:
                line = _encode(event)
            except Exception:  # noqa: BLE001 - texts that are no UTF-8, objects of any class with any behaviour
                event = storable(event)
                line = _encode(event)
            if anything_to_hide():
                quiet = hushed(event)
                if quiet is not event:
                    event, line = quiet, _encode(quiet)
            self.events.append(event)
            self._lines.append(line)
        if self._observer is not None:
            self._observer(event)
        return event

    def continue_after(self, events: list[AnyEvent]) -> None:
        """Go on after events that were recorded before."""
        self.events = list(events)
        self._lines = [_encode(event) for event in events]

    def encoded(self, begin: int = 0) -> bytes:
        """What :func:`solidstate.events.encode_events` makes of the events from number ``begin`` on."""
        lines = self._lines[begin:]
        return b"\n".join([*lines, b""])


_encode = msgspec.json.Encoder().encode


def storable(event: E) -> E:
    """The event itself, or, when something in it cannot be written, the event with that put into words.

    One event that cannot be written would cost the step its result, and one that cannot be read back the whole run.
    """
    try:
        _encode(event)
    except Exception:  # noqa: BLE001 - texts that are no UTF-8, objects of any class with any behaviour
        plain: Any = msgspec.to_builtins(event, str_keys=True, enc_hook=shown)
        worded: E = msgspec.convert(_worded(plain), type(event))
        return worded
    return event


def _worded(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {encodable(key): _worded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_worded(item) for item in value]
    return value
