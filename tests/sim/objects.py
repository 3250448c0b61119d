"""The store of a simulation: objects in a dict, or in any other store, reached through operations that can be held up.

It keeps what no store tells: when each object was created, and which were changed that never may be.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from solidstate.storage.memory import MemoryStore
from solidstate.storage.store import ObjectInfo, ObjectStore, ObjectWriter
from tests.sim.invocations import hold_up, writing

ONCE = ("v1/commits/", "v1/data/", "v1/parked/", "v1/plans/")
"""What is written once: results, what attempts write, tokens. A list of items is written again with the same text."""


class SimulatedStore:
    """Implements the product's store. ``changes`` are the objects that were overwritten with other bytes and must not
    be; ``born`` is the number of the operation that made an object, ``clock`` the number of the last."""

    def __init__(self, objects: ObjectStore | None = None) -> None:
        self.objects: ObjectStore = MemoryStore() if objects is None else objects
        self.changes: list[str] = []
        self.born: dict[str, int] = {}
        self.clock = 0
        self.writers: dict[str, int] = {}
        """By key of what is told of the run as a whole, the invocation that wrote it last."""
        self.late: list[tuple[str, Callable[[], Any]]] = []
        """Writes on their way whose writer has died."""

    def _do(self, verb: str, key: str, effect: Callable[[], Any]) -> Any:
        self.clock += 1
        return hold_up(verb, key, effect, late=lambda act: self.late.append((key, act)))

    def get(self, key: str) -> bytes:
        body: bytes = self._do("get", key, lambda: self.objects.get(key))
        return body

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        body: bytes = self._do("part", key, lambda: self.objects.get_part(key, begin, size))
        return body

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        return bool(self._do("create" if if_absent else "put", key, lambda: self._put(key, body, if_absent=if_absent)))

    def _put(self, key: str, body: bytes, *, if_absent: bool) -> bool:
        self.clock += 1
        if not if_absent and key.startswith(ONCE) and key in self.born and self.objects.get(key) != body:
            self.changes.append(key)
        if key.startswith("v1/runs/"):
            self.writers[key] = writing()
        done = self.objects.put(key, body, if_absent=if_absent)
        if done:
            self.born.setdefault(key, self.clock)
        return done

    def exists(self, key: str) -> bool:
        return bool(self._do("exists", key, lambda: self.objects.exists(key)))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        found: list[ObjectInfo] = self._do("list", prefix, lambda: list(self.objects.list(prefix)))
        return iter(found)

    def delete(self, key: str) -> None:
        self._do("delete", key, lambda: self._delete(key))

    def _delete(self, key: str) -> None:
        if self.born.pop(key, None) is not None:
            self.changes.append(key)
        self.objects.delete(key)

    @contextmanager
    def writer(self, key: str) -> Generator[ObjectWriter, None, None]:
        buffer = io.BytesIO()
        yield buffer
        self.put(key, buffer.getvalue())

    def location(self, key: str) -> tuple[str, str]:
        """Where a distributed Map finds its items."""
        return "simulated", key
