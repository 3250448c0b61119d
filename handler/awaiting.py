"""Coroutines and async generators of the user's, run to their end from plain code.

``asyncio`` is loaded only when one turns up. Where a loop already runs in this thread (a notebook, an async test that
calls ``execute_pipeline``), the coroutine gets a loop in a thread of its own.
"""

from __future__ import annotations

import contextvars
import types
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any, Self

_END: Any = object()
AWAITED = frozenset({types.CoroutineType, types.AsyncGeneratorType})
"""What :func:`settled` does something about."""


def settled(result: Any) -> Any:
    """What a function returned, a coroutine replaced by its result and an async generator by a plain one. Call it
    inside the boundary: a coroutine runs here, an async generator while it is iterated."""
    kind = type(result)
    if kind is types.CoroutineType:
        with _Loop() as loop:
            return loop.run(result)
    return _drained(result) if kind is types.AsyncGeneratorType else result


def _drained(stream: AsyncGenerator[Any, None]) -> Iterator[Any]:
    with _Loop() as loop:
        try:
            while True:
                item = loop.run(_next(stream))
                if item is _END:
                    return
                yield item
        finally:
            loop.run(_closed(stream))


async def _next(stream: AsyncGenerator[Any, None]) -> Any:
    return await anext(stream, _END)


async def _closed(stream: AsyncGenerator[Any, None]) -> None:
    await stream.aclose()


class _Loop:
    """One event loop for all steps of a coroutine or generator, so that what it opened stays usable."""

    def __enter__(self) -> Self:
        import asyncio  # a cold start pays for it only when a solid is async

        self._thread: Any = None
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            from concurrent.futures import ThreadPoolExecutor

            self._thread = ThreadPoolExecutor(1)
        self._context = contextvars.copy_context()
        self._runner = asyncio.Runner()
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._runner.close)
        if self._thread is not None:
            self._thread.shutdown()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._do(self._runner.run, coroutine, context=self._context)

    def _do(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs) if self._thread is None else self._thread.submit(fn, *args, **kwargs).result()
