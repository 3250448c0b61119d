"""An object store in memory: for tests, and for in-process runs that keep nothing."""

from __future__ import annotations

import io
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from solidstate.storage.store import ObjectInfo, ObjectWriter, check_key, check_prefix, missing


class MemoryStore:
    """Objects in a dict. Safe to share between threads; bodies are immutable, so readers need no copies."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes | Sequence[bytes | memoryview]] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"MemoryStore({len(self._objects)} objects)"

    def get(self, key: str) -> bytes:
        body = self._objects.get(key)
        if body is None:
            check_key(key)  # what is held under a key was put there, and the key was checked then
            raise missing(key, "memory:")
        if not isinstance(body, bytes):
            body = self._objects[key] = b"".join(body)
        return body

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        return self.get(key)[begin : begin + size]

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        check_key(key)
        with self._lock:
            if if_absent and key in self._objects:
                return False
            self._objects[key] = bytes(body)
        return True

    def put_joined(self, key: str, parts: Sequence[bytes | memoryview]) -> None:
        check_key(key)
        with self._lock:
            self._objects[key] = parts

    def exists(self, key: str) -> bool:
        return check_key(key) in self._objects

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        with self._lock:
            found = [ObjectInfo(key, _size(body)) for key, body in self._objects.items() if key.startswith(prefix)]
        return iter(sorted(found, key=lambda info: info.key))

    def delete(self, key: str) -> None:
        check_key(key)
        with self._lock:
            self._objects.pop(key, None)

    @contextmanager
    def writer(self, key: str) -> Generator[ObjectWriter, None, None]:
        check_key(key)
        buffer = io.BytesIO()
        yield buffer
        self.put(key, buffer.getvalue())


def _size(body: bytes | Sequence[bytes | memoryview]) -> int:
    return len(body) if isinstance(body, bytes) else sum(map(len, body))
