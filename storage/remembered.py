"""Commits that this process wrote itself, so that reading them again needs no decoding.

For a store in this process's memory alone. What is remembered of a key counts only as long as the store gives the very
bytes object that was written: whatever anybody else puts there is decoded and verified like any other object.
"""

from __future__ import annotations

from solidstate.events import AnyEvent
from solidstate.storage.commits import Commit
from solidstate.storage.store import ObjectStore


class Remembered:
    """Commits and their events, by key, each with the bytes they were written as."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, Commit, list[AnyEvent]]] = {}

    def keep(self, key: str, body: bytes, commit: Commit, events: list[AnyEvent]) -> None:
        """Remember what is certain to be decoded as it is. Events are: their facts were made plain."""
        for out in commit.outputs:
            if type(out.codec) is not str or type(out.type) is not str:  # both may be the user's own
                return
        self._kept[key] = body, commit, events

    def read(self, store: ObjectStore, key: str) -> Commit | None:
        """The commit that the object ``key`` was encoded from, if that happened here."""
        known = self._kept.get(key)
        return known[1] if known is not None and known[0] is store.get(key) else None

    def events(self, store: ObjectStore, key: str) -> tuple[bytes, list[AnyEvent]] | None:
        """The object ``key`` and the events in it, if they were encoded here."""
        known = self._kept.get(key)
        return (known[0], known[2]) if known is not None and known[0] is store.get(key) else None
