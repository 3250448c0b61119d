"""A store laid over another: what is written stays in memory, what was there is read through, parts of it hidden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

from solidstate.storage.memory import MemoryStore
from solidstate.storage.store import ObjectInfo, ObjectStore, ObjectWriter, missing


class OverlayStore:
    """``below`` is never written to. Keys that begin with one of ``hidden`` are as if they were not there below."""

    def __init__(self, below: ObjectStore, hidden: tuple[str, ...]) -> None:
        self._below = below
        self._above = MemoryStore()
        self._hidden = hidden
        self._deleted: set[str] = set()

    def get(self, key: str) -> bytes:
        if self._above.exists(key):
            return self._above.get(key)
        if self._is_hidden(key):
            raise missing(key, "memory:")
        return self._below.get(key)

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        return self.get(key)[begin : begin + size]

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        if if_absent and not self._is_hidden(key) and self._below.exists(key):
            return False
        return self._above.put(key, body, if_absent=if_absent)

    def writer(self, key: str) -> AbstractContextManager[ObjectWriter]:
        return self._above.writer(key)

    def exists(self, key: str) -> bool:
        return self._above.exists(key) or (not self._is_hidden(key) and self._below.exists(key))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        found = {info.key: info for info in self._below.list(prefix) if not self._is_hidden(info.key)}
        found.update((info.key, info) for info in self._above.list(prefix))
        return iter(sorted(found.values(), key=lambda info: info.key))

    def delete(self, key: str) -> None:
        self._above.delete(key)
        self._deleted.add(key)

    def _is_hidden(self, key: str) -> bool:
        return key.startswith(self._hidden) or key in self._deleted
