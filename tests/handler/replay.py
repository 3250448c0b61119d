"""A store and task tokens that answer from a list: how an invocation is driven one operation at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from solidstate.errors import MissingObject
from solidstate.planner.contract import READY
from solidstate.storage.store import ObjectInfo

Answer = bytes | bool | None


class Operation(NamedTuple):
    """What an invocation does next; ``verb`` is "returned" or "raised" when it is over."""

    verb: str
    name: str = ""
    body: bytes = b""
    if_absent: bool = False


class CutOff(BaseException):
    """Ends an invocation at an operation that has no answer yet."""


class Replay:
    """A store and task tokens that answer from a list."""

    def __init__(self) -> None:
        self._answers: Sequence[Answer] = ()
        self._next = 0
        self.reached = Operation("returned")

    def begin(self, answers: Sequence[Answer]) -> None:
        self._answers, self._next = answers, 0

    def _do(self, operation: Operation) -> Any:
        if self._next == len(self._answers):
            self.reached = operation
            raise CutOff
        self._next += 1
        return self._answers[self._next - 1]

    def get(self, key: str) -> bytes:
        found = self._do(Operation("get", key))
        if found is None:
            raise MissingObject(f"There is no object `{key}`.", subject=key)
        return bytes(found)

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        return self.get(key)[begin : begin + size]

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        if key.startswith("v1/attempts/"):  # nobody who meets reads them
            return True
        return bool(self._do(Operation("put", key, body, if_absent)))

    def exists(self, key: str) -> bool:
        return bool(self._do(Operation("exists", key)))

    # Nobody who meets lists, removes or streams: a model that met it would have to learn it first.

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        raise NotImplementedError(prefix)

    def delete(self, key: str) -> None:
        raise NotImplementedError(key)

    def writer(self, key: str) -> Any:
        raise NotImplementedError(key)

    def succeed(self, token: str, answer: bytes) -> bool:
        return bool(self._do(Operation("ok", token)))

    def fail(self, token: str, error: str, cause: str) -> bool:
        assert error == READY
        return bool(self._do(Operation("ready", token)))
