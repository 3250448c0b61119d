"""Commits that this process wrote itself, so that reading them again needs no decoding.

For a store in this process's memory alone. What is remembered of a key counts only as long as the store gives the very
bytes object that was written: whatever anybody else puts there is decoded and verified like any other object.
"""

from __future__ import annotations

from solidstate.events import AnyEvent, StepInput, StepOutput, StepStart, StepSuccess
from solidstate.storage.commits import Commit


class Remembered:
    """Commits and their events, by key, each with the bytes they were written as."""

    def __init__(self) -> None:
        self._commits: dict[str, tuple[bytes, Commit]] = {}
        self._events: dict[str, tuple[bytes, list[AnyEvent]]] = {}

    def keep(self, key: str, body: bytes, commit: Commit, events: list[AnyEvent]) -> None:
        """Remember what is certain to be decoded as it is. Facts in metadata are not: a NaN is read back as None."""
        for out in commit.outputs:
            if type(out.codec) is not str or type(out.type) is not str:  # both may be the user's own
                return
        self._commits[key] = body, commit
        for event in events:
            kind = type(event)
            if kind is StepInput or kind is StepOutput:
                if event.metadata:  # type: ignore[union-attr]  # narrowed by `kind`
                    return
            elif kind is not StepStart and kind is not StepSuccess:
                return
        self._events[key] = body, events

    def commit(self, key: str, body: bytes) -> Commit | None:
        """The commit that ``body``, read from ``key``, was encoded from, if that happened here."""
        known = self._commits.get(key)
        return known[1] if known is not None and known[0] is body else None

    def events(self, key: str, body: bytes) -> list[AnyEvent] | None:
        """The same for the events after its header."""
        known = self._events.get(key)
        return known[1] if known is not None and known[0] is body else None
