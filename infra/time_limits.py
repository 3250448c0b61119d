"""Each step's own ``Compute.timeout_s`` on the local engine, whose one Lambda function has the longest of them all.

A step that takes longer is reported as AWS reports a function that timed out. A thread cannot be ended from outside, so
the code runs on until it returns; but nothing it does counts any more, as if its process had been killed:
:class:`StoreOfTheLiving` takes nothing from it.
"""

from __future__ import annotations

import dataclasses
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

from solidstate.handler.entry import Handler
from solidstate.handler.runtime import InvocationContext
from solidstate.infra.local_lambda import LambdaContext
from solidstate.storage.store import ObjectInfo, ObjectStore, ObjectWriter, Repeat, attended, located


class TimedOut(Exception):
    """The step did not answer in time."""


class Killed(BaseException):
    """Ends what is left of an attempt that timed out. No error: nobody is there to hear of it."""


_over: ContextVar[threading.Event | None] = ContextVar("solidstate_invocation_over", default=None)
"""Set once the invocation that this thread works for has timed out."""

# Lambda reports an exception by its class's name, and Retry and Catch match this one.
TimedOut.__name__ = "Sandbox.Timedout"


class TimeLimited:
    """An invoker for ``local_aws``. ``timeouts_s`` by step; other payloads may take as long as the function may.

    ``handler`` is set when it can be made, which is after the local AWS is open.
    """

    def __init__(self, timeouts_s: dict[str, int]) -> None:
        self._timeouts_s = timeouts_s
        self.handler: Handler = _not_yet

    def __call__(
        self,
        function_name: str,  # noqa: ARG002 - there is one function
        event: dict[str, Any],
        context: LambdaContext,
    ) -> dict[str, Any]:
        """Run one invocation; raises TimedOut."""
        limit = self._timeouts_s.get(event["step"]) if event.get("kind") == "step" else None
        if limit is None:
            return self.handler(event, context)
        own = dataclasses.replace(context, deadline_s=time.monotonic() + limit)
        answers: queue.SimpleQueue[tuple[dict[str, Any], BaseException | None]] = queue.SimpleQueue()

        over = threading.Event()

        def run() -> None:
            _over.set(over)
            try:
                answers.put((self.handler(event, own), None))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits, whatever it is
                answers.put(({}, error))

        threading.Thread(target=run, name=f"step-{event['step']}", daemon=True).start()
        try:
            answer, error = answers.get(timeout=limit)
        except queue.Empty:
            over.set()
            text = f"RequestId: {own.aws_request_id} Error: Task timed out after {limit:.2f} seconds"
            raise TimedOut(text) from None
        if error is not None:
            raise error
        return answer


class StoreOfTheLiving:
    """A store that takes nothing from an attempt that has timed out; reading is free for all."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        """Raises Killed in a thread whose invocation is over."""
        _check_alive()
        return self._store.put(key, body, if_absent=if_absent)

    def writer(self, key: str) -> AbstractContextManager[ObjectWriter]:
        """Raises Killed in a thread whose invocation is over."""
        _check_alive()
        return self._store.writer(key)

    def get(self, key: str) -> bytes:
        return self._store.get(key)

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        return self._store.get_part(key, begin, size)

    def exists(self, key: str) -> bool:
        return self._store.exists(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._store.list(prefix)

    def delete(self, key: str) -> None:
        self._store.delete(key)

    def attended(self, left_s: Callable[[], float], told: Callable[[Repeat], bytes | None]) -> StoreOfTheLiving:
        """With the store inside as :class:`AttendedStore` says."""
        return StoreOfTheLiving(attended(self._store, left_s, told))

    def location(self, key: str) -> tuple[str, str]:
        """Of the object in the store inside. Raises StorageError when AWS services cannot read that."""
        return located(self._store, key)


def _check_alive() -> None:
    over = _over.get()
    if over is not None and over.is_set():
        raise Killed


def _not_yet(_: dict[str, Any], __: InvocationContext, /) -> dict[str, Any]:
    raise RuntimeError("no handler was set")
