"""Events of an attempt are stored while it runs, in parts, so that others can look on, and a kill leaves its traces.

The parts are of no use once the attempt has ended: its commit, or its record, holds every event. So a short step has
none, and a long one few: after 1, 2 and 5 seconds, then every 10, when there is news; sooner for 64 KB, and for the
first milestones; and shortly before the time runs out, because nothing runs in a function that Lambda ends. One thread
of the process does this for all its attempts. It cannot run while compiled code holds on to the interpreter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, Protocol

from solidstate.events import AnyEvent, StepExpectation, StepMaterialization, StepOutput
from solidstate.handler.context import LogSink
from solidstate.handler.recorder import Recorder
from solidstate.storage.store import ObjectStore

FIRST_S = (1.0, 2.0, 5.0)
EVERY_S = 10.0
LOOK_S = 1.0
"""Between two looks at whether there is enough to store."""
LARGE_BYTES = 64 * 1024
MILESTONES = (StepMaterialization, StepExpectation, StepOutput)
SOON = 20
"""So many milestones of an attempt are stored at the next look; later ones wait their time."""
SPARE_S = 2.0
"""Before the end of its time an attempt has its events stored, in case that it does not make it."""
_LAST_LOOK_S = 0.5
_PATIENCE_S = 1.0
"""How long an attempt that has ended waits for a part that is being stored."""


class Watchable(Protocol):
    """The part of an attempt that is looked at from aside."""

    @property
    def recorder(self) -> Recorder: ...
    @property
    def invocation(self) -> Any: ...
    @property
    def sink(self) -> LogSink | None: ...
    def part_key(self, number: int, /) -> str: ...


class LiveEvents:
    """Writes to ``store``. ``clock`` is monotonic seconds; without ``threaded`` somebody else calls :meth:`look`."""

    def __init__(
        self, store: ObjectStore, *, clock: Callable[[], float] = time.monotonic, threaded: bool = True
    ) -> None:
        self._store = store
        self._clock = clock
        self._threaded = threaded
        self._watched: dict[int, _Watched] = {}
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def watch(self, attempt: Watchable) -> None:
        """Until :meth:`leave`. A look of its own is never taken here: whoever calls has work to do."""
        with self._wake:
            idle = not self._watched
            self._watched[id(attempt)] = _Watched(attempt, self._clock())
            if not self._threaded or self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live-events", daemon=True)
                self._thread.start()
            elif idle:
                self._wake.notify()

    def leave(self, attempt: Watchable) -> None:
        """The attempt has ended. A part that is being stored meanwhile is waited for, not long."""
        watched = self._watched.pop(id(attempt), None)
        if watched is not None:
            watched.over = True
            if watched.busy.acquire(timeout=_PATIENCE_S):
                watched.busy.release()

    def close(self) -> None:
        """The thread ends; what is still being watched is left alone."""
        with self._wake:
            self._closed = True
            self._watched.clear()
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)

    def look(self) -> float | None:
        """Store what is due; gives the seconds until the next look, None when nothing is watched."""
        for watched in list(self._watched.values()):
            with watched.busy:
                if not watched.over:
                    watched.look(self._store, self._clock())
        now = self._clock()
        nexts = [watched.next_look(now) for watched in list(self._watched.values())]
        return max(0.0, min(nexts) - now) if nexts else None

    def _run(self) -> None:
        pause: float | None = LOOK_S
        while not self._closed:
            with self._wake:
                if not self._closed and (pause is not None or not self._watched):
                    self._wake.wait(pause)
            pause = self.look()


class _Watched:
    """One attempt. ``flushed`` of its events are stored, in ``parts`` objects; times are of the clock."""

    def __init__(self, attempt: Watchable, now: float) -> None:
        self.busy = threading.Lock()
        self.over = False
        self._attempt = attempt
        self._context: Context = copy_context()  # a store may know by it on whose behalf it writes
        self._began = now
        self._limit_s: float = attempt.invocation.get_remaining_time_in_millis() / 1000
        self._flushed = 0
        self._parts = 0
        self._last_s = 0.0
        self._soon = SOON
        self._warned = False

    @property
    def _last_call_s(self) -> float:
        return max(self._limit_s - SPARE_S, self._limit_s / 2)

    def next_look(self, now: float) -> float:
        age = now - self._began
        if age >= self._last_call_s:
            return now + _LAST_LOOK_S
        whole = (age // LOOK_S + 1) * LOOK_S
        return self._began + min(whole, self._last_call_s)

    def look(self, store: ObjectStore, now: float) -> None:
        age = now - self._began
        recorder = self._attempt.recorder
        if len(recorder.events) <= self._flushed or age < min(LOOK_S, self._last_call_s):
            return
        events, body = recorder.part(self._flushed)
        if not self._due(age, events, body):
            return
        key = self._attempt.part_key(self._parts + 1)
        try:
            self._context.run(store.put, key, body)
        except Exception as error:  # noqa: BLE001 - the attempt itself must not suffer; its end stores all events
            self._last_s = age
            self._warn(error)
        except BaseException:  # noqa: BLE001 - a store that takes nothing from an attempt that is over
            self.over = True
        else:
            self._parts += 1
            self._flushed += len(events)
            self._last_s = age

    def _due(self, age: float, events: list[AnyEvent], body: bytes) -> bool:
        if age >= self._last_call_s or _marks(age) > _marks(self._last_s) or len(body) >= LARGE_BYTES:
            return True
        if self._soon > 0 and any(isinstance(event, MILESTONES) for event in events):
            self._soon -= 1
            return True
        return False

    def _warn(self, error: Exception) -> None:
        sink = self._attempt.sink
        if sink is not None and not self._warned:
            self._warned = True
            sink("warning", "events of the running attempt could not be stored yet", {"reason": str(error)[:300]})


def _marks(age: float) -> int:
    """How many of the times at which events are stored have passed."""
    first = sum(age >= mark for mark in FIRST_S)
    return first + max(0, int((age - FIRST_S[-1]) // EVERY_S))
