"""What attempts have left beside the commit: their events, whole when they ended, in parts while they run.

An attempt that has its whole record, or whose commit holds its events, needs its parts no more; of one that was killed
they are all there is. Parts are numbered and events have a sequence, so that what is missing between them is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from solidstate.errors import IntermediateError, MissingObject
from solidstate.events import AnyEvent, EngineEvent, decode_events, encode_events
from solidstate.storage import keys
from solidstate.storage.store import ObjectStore

GAP = "events are missing here: the object that held them is gone"


class Left(msgspec.Struct, frozen=True, gc=False):
    """What one attempt has left: its events, and ``body``, in which they stand as lines of JSON from ``begin`` on.
    ``final``: they are those of the result."""

    events: list[AnyEvent]
    body: bytes
    begin: int = 0
    final: bool = False


def decoded(body: bytes, key: str) -> list[Any]:
    """Raises IntermediateError, naming the key, when the object holds no events."""
    try:
        return decode_events(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntermediateError(f"The object `{key}` does not hold events: {error}.", subject=key) from error


def attempts_left(
    store: ObjectStore, pipeline: str, step: str, run: str, item: str = "", *, committed: str = ""
) -> Iterator[Left]:
    """One for each attempt that is on record beside the commit, by number; ``committed`` is the attempt whose events
    are in the commit."""
    for attempt, found in _listed(store, pipeline, step, run, item).items():
        if not _in_parts(found):
            body = store.get(found[0])
            yield Left(decoded(body, found[0]), body)
        elif attempt != committed:
            yield _joined(store, found)


def recorded_attempts(store: ObjectStore, pipeline: str, step: str, run: str, item: str = "") -> list[list[AnyEvent]]:
    """The events of each attempt that is on record beside the commit; of one that left no end its last part alone."""
    found = _listed(store, pipeline, step, run, item).values()
    ends = [one[-1] if _in_parts(one) else one[0] for one in found]
    return [decoded(store.get(key), key) for key in ends]


class Tail:
    """Reads what attempts that run have stored since the last time."""

    def __init__(self, store: ObjectStore, pipeline: str, run: str) -> None:
        self._store = store
        self._pipeline = pipeline
        self._run = run
        self._seen: set[str] = set()
        self._last: dict[str, AnyEvent] = {}

    def news(self, step: str, item: str = "") -> list[AnyEvent]:
        """One LIST, one GET for each part that is new. Raises StorageError."""
        fresh: list[AnyEvent] = []
        for info in self._store.list(keys.attempts_prefix(self._pipeline, step, self._run, item)):
            if info.key in self._seen or not keys.attempt_in(info.key)[1]:
                continue
            attempt = info.key.rpartition("@")[0]
            try:
                found = with_gaps(decoded(self._store.get(info.key), info.key), self._last.get(attempt))
            except MissingObject:  # removed meanwhile: the next part will tell
                continue
            self._seen.add(info.key)
            if found:
                self._last[attempt] = found[-1]
            fresh += found
        return fresh


def with_gaps(events: Sequence[AnyEvent], before: AnyEvent | None = None) -> list[AnyEvent]:
    """The events of one attempt, or of a part of it that follows ``before``, each once, and where some are missing an
    event that says so."""
    found: list[AnyEvent] = []
    last = before.seq if before is not None else 0
    for event in events:
        if event.seq <= last:
            continue
        if event.seq > last + 1:
            found.append(_gap(event, last + 1))
        found.append(event)
        last = event.seq
    return found


def is_gap(event: AnyEvent) -> bool:
    return isinstance(event, EngineEvent) and event.message == GAP


def _gap(event: AnyEvent, begin: int) -> EngineEvent:
    return EngineEvent(
        event.run,
        event.pipeline,
        begin,
        event.time,
        event.elapsed_s,
        event.step,
        event.attempt,
        event.execution,
        event.state,
        event.request,
        event.item,
        message=GAP,
        fields={"missing": event.seq - begin},
    )


def _listed(store: ObjectStore, pipeline: str, step: str, run: str, item: str) -> dict[str, list[str]]:
    """By attempt, the keys of its record and its parts, in this order."""
    found: dict[str, list[str]] = {}
    for info in store.list(keys.attempts_prefix(pipeline, step, run, item)):
        found.setdefault(keys.attempt_in(info.key)[0], []).append(info.key)
    return {attempt: sorted(found[attempt], key=lambda key: keys.attempt_in(key)[1]) for attempt in sorted(found)}


def _in_parts(found: Sequence[str]) -> bool:
    return keys.attempt_in(found[0])[1] > 0


def _joined(store: ObjectStore, parts: Iterable[str]) -> Left:
    bodies: list[bytes] = []
    events: list[AnyEvent] = []
    for key in parts:
        try:
            body = store.get(key)
        except MissingObject:  # removed since the list was made
            continue
        bodies.append(body)
        events += decoded(body, key)
    whole = with_gaps(events)
    return Left(whole, b"".join(bodies) if whole == events else encode_events(whole))
