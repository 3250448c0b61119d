"""A store that tells somebody of each call, before and after it: where faults between a step and S3 come in."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Literal

from solidstate.storage.store import ObjectInfo, ObjectStore, ObjectWriter, Repeat, attended, located

When = Literal["before", "after"]
Verb = Literal["get", "put", "exists", "list", "delete"]
Listener = Callable[[When, Verb, str], None]
"""What it raises, the call raises. A streamed object is a ``put``, ended when the object is there."""


class InterceptedStore:
    """``store``, with ``listener`` told of each call."""

    def __init__(self, store: ObjectStore, listener: Listener) -> None:
        self._store = store
        self._tell = listener

    def get(self, key: str) -> bytes:
        self._tell("before", "get", key)
        body = self._store.get(key)
        self._tell("after", "get", key)
        return body

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        self._tell("before", "get", key)
        body = self._store.get_part(key, begin, size)
        self._tell("after", "get", key)
        return body

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        self._tell("before", "put", key)
        written = self._store.put(key, body, if_absent=if_absent)
        self._tell("after", "put", key)
        return written

    @contextmanager
    def writer(self, key: str) -> Generator[ObjectWriter, None, None]:
        self._tell("before", "put", key)
        with self._store.writer(key) as stream:
            yield stream
        self._tell("after", "put", key)

    def exists(self, key: str) -> bool:
        self._tell("before", "exists", key)
        found = self._store.exists(key)
        self._tell("after", "exists", key)
        return found

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self._tell("before", "list", prefix)
        found = self._store.list(prefix)
        self._tell("after", "list", prefix)
        return found

    def delete(self, key: str) -> None:
        self._tell("before", "delete", key)
        self._store.delete(key)
        self._tell("after", "delete", key)

    def attended(self, left_s: Callable[[], float], told: Callable[[Repeat], bytes | None]) -> InterceptedStore:
        """With the store inside as :class:`AttendedStore` says."""
        return InterceptedStore(attended(self._store, left_s, told), self._tell)

    def location(self, key: str) -> tuple[str, str]:
        """Of the object in the store inside. Raises StorageError when AWS services cannot read that."""
        return located(self._store, key)
