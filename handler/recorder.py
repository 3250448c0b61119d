"""The events of one attempt, in order, with what every event carries filled in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import perf_counter
from time import time as now
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

    __slots__ = ("_began", "_lock", "_observer", "events", "scope", "unmet")

    def __init__(self, scope: Scope, observer: Observer | None = None) -> None:
        self.scope = scope
        self.events: list[AnyEvent] = []
        self.unmet: list[StepExpectation] = []  # of any severity but `record`
        self._observer = observer
        self._lock = threading.Lock()
        self._began = perf_counter()

    def elapsed(self) -> float:
        """Monotonic seconds since this attempt began."""
        return int((perf_counter() - self._began) * 1e6) / 1e6

    def emit(self, kind: Callable[..., E], **facts: Any) -> E:
        """Make an event of ``kind`` and append it."""
        of = self.scope
        with self._lock:
            events = self.events
            event = kind(
                of.run,
                of.pipeline,
                len(events) + 1,
                now(),
                int((perf_counter() - self._began) * 1e6) / 1e6,
                of.step,
                of.attempt,
                of.execution,
                of.state,
                of.request,
                of.item,
                **facts,
            )
            if self._observer is not None or anything_to_hide():
                event = hushed(storable(event))  # whoever looks on sees what will be read back
            events.append(event)
        if self._observer is not None:
            self._observer(event)
        return event

    def continue_after(self, events: list[AnyEvent]) -> None:
        """Go on after events that were recorded before; what was recorded since stays."""
        self.events = [*events, *self.events[len(events) :]]

    def take_back(self, kind: type[AnyEvent]) -> None:
        """Leave out events of ``kind``, as if they had never been."""
        with self._lock:
            kept = (event for event in self.events if not isinstance(event, kind))
            self.events = [msgspec.structs.replace(event, seq=number) for number, event in enumerate(kept, 1)]

    def encoded(self, begin: int = 0) -> bytes:
        """The events from number ``begin`` on as NDJSON."""
        return self.written()[1] if not begin else encode_lines(self.written()[0][begin:])

    def part(self, begin: int) -> tuple[list[AnyEvent], bytes]:
        """The events from number ``begin`` on, and the same as NDJSON. Changes nothing: for a look from aside."""
        events = self.events[begin:]
        try:
            return events, encode_lines(events)
        except Exception:  # noqa: BLE001 - texts that are no UTF-8, objects of any class with any behaviour
            events = list(map(storable, events))
            return events, encode_lines(events)

    def written(self, after: Sequence[msgspec.Struct] = ()) -> tuple[list[AnyEvent], bytes]:
        """All events so far, and the same as NDJSON ``after`` the lines that go before them."""
        events = self.events[:]
        try:
            return events, encode_lines([*after, *events])
        except Exception:  # noqa: BLE001 - texts that are no UTF-8, objects of any class with any behaviour
            with self._lock:
                self.events[:] = map(storable, self.events)
                events = self.events[:]
            return events, encode_lines([*after, *events])


_encoder = msgspec.json.Encoder()
_encode, encode_lines = _encoder.encode, _encoder.encode_lines


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
