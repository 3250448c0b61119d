"""The only place that calls user code: solids, resources, type checks. What they raise becomes data here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from solidstate.handler.outcome import UserCodeRaised

T = TypeVar("T")


@contextmanager
def user_code(doing: str) -> Iterator[None]:
    """Whatever leaves the body is wrapped, ``sys.exit()`` included; only Ctrl-C passes as it is."""
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit, UserCodeRaised):
        raise
    except BaseException as error:
        raise UserCodeRaised(error, doing) from error


def call(doing: str, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function of the user's inside the boundary."""
    try:
        return fn(*args, **kwargs)
    except (KeyboardInterrupt, GeneratorExit, UserCodeRaised):
        raise
    except BaseException as error:
        raise UserCodeRaised(error, doing) from error


_END: Any = object()


def items(doing: str, generator: Iterator[T]) -> Iterator[T]:
    """What a user's generator yields, each step of it inside the boundary; it is closed in any case."""
    try:
        while True:
            item = call(doing, next, generator, _END)
            if item is _END:
                return
            yield item
    finally:
        close = getattr(generator, "close", None)
        if close is not None:
            call(doing, close)
