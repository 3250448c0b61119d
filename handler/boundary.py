"""The only place that calls user code: solids, resources, type checks. What they raise becomes data here."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from solidstate.errors import SolidstateError
from solidstate.handler.outcome import UserCodeRaised

T = TypeVar("T")


@contextmanager
def user_code(doing: str = "") -> Iterator[None]:
    """Whatever leaves the body is wrapped, ``sys.exit()`` included. Only Ctrl-C and our own errors pass as they are.

    ``doing`` is told with the error, for everything but the solid itself: "opening resource `db`".
    """
    try:
        yield
    except (SolidstateError, UserCodeRaised):
        raise
    except BaseException as error:
        if _is_ctrl_c(error):
            raise
        raise _told(error, doing) from error


def call(doing: str, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function of the user's inside the boundary."""
    try:  # as `user_code`, without the cost of a generator for each call
        return fn(*args, **kwargs)
    except (SolidstateError, UserCodeRaised):
        raise
    except BaseException as error:
        if _is_ctrl_c(error):
            raise
        raise _told(error, doing) from error


def ask(doing: str, check: Callable[[Any], T], value: Any) -> T:
    """As :func:`call`, for the one argument of a check. Every value of every step comes by here, twice."""
    try:
        return check(value)
    except (SolidstateError, UserCodeRaised):
        raise
    except BaseException as error:
        if _is_ctrl_c(error):
            raise
        raise _told(error, doing) from error


_END: Any = object()


def items(generator: Iterator[T]) -> Generator[T]:
    """What a solid's generator yields, each step of it inside the boundary; it is closed in any case."""
    close: Callable[[], None] = getattr(generator, "close", _nothing)
    try:
        while True:
            item: Any = call("", next, generator, _END)
            if item is _END:
                return
            yield item
    except BaseException:
        with contextlib.suppress(UserCodeRaised):  # what went wrong first is what is told
            call("", close)
        raise


def _nothing() -> None:
    """What closing an iterator without ``close`` comes to."""


def _is_ctrl_c(error: BaseException) -> bool:
    """Signals reach the main thread alone; elsewhere a KeyboardInterrupt was raised by user code."""
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


def _told(error: BaseException, doing: str) -> UserCodeRaised:
    note = f"while {doing}"
    if doing and note not in getattr(error, "__notes__", ()):
        with contextlib.suppress(Exception):  # the class is the user's and may forbid it
            error.add_note(note)
    return UserCodeRaised(error)
