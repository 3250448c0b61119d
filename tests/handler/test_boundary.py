"""User code is called in one place, and whatever it raises becomes data there."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from solidstate.errors import StorageUnavailable
from solidstate.handler.boundary import call, items, user_code
from solidstate.handler.outcome import UserCodeRaised


def raiser(error: BaseException) -> Callable[[], Any]:
    """A function that raises ``error``."""

    def fn() -> Any:
        raise error

    return fn


ANYTHING = [ValueError("x"), SystemExit(3), GeneratorExit(), asyncio.CancelledError(), StopIteration(1), MemoryError()]


@pytest.mark.parametrize("error", ANYTHING, ids=lambda error: type(error).__name__)
def test_whatever_is_raised_is_wrapped(error: BaseException) -> None:
    """Also what is no Exception: user code must not end the process or the generator around it."""
    with pytest.raises(UserCodeRaised) as caught:
        call("", raiser(error))
    assert caught.value.original is error
    with pytest.raises(UserCodeRaised), user_code():
        raise error


def test_ctrl_c_and_our_own_errors_pass_as_they_are() -> None:
    """Ctrl-C ends the run, and an error of ours already says what is wrong."""
    for error in (KeyboardInterrupt(), StorageUnavailable("gone")):
        with pytest.raises(type(error)):
            call("", raiser(error))
        with pytest.raises(type(error)), user_code():
            raise error


def test_a_keyboard_interrupt_outside_the_main_thread_is_the_users() -> None:
    """Signals reach the main thread alone, so elsewhere somebody raised it by hand."""
    caught: list[BaseException] = []

    def run() -> None:
        try:
            call("", raiser(KeyboardInterrupt()))
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert [type(error) for error in caught] == [UserCodeRaised]


def test_what_was_being_done_is_noted_once() -> None:
    """An error object raised again and again, as a module-level constant is, does not collect notes."""
    error = ValueError("x")
    for _ in range(3):
        with pytest.raises(UserCodeRaised):
            call("opening resource `db`", raiser(error))
    assert error.__notes__ == ["while opening resource `db`"]


def test_a_generator_is_closed_at_once_whoever_fails() -> None:
    """Clean-up of user code runs when its reader stops, not when the last reference goes."""
    log: list[str] = []

    def solid() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            log.append("closed")

    stream = items(solid())
    assert next(stream) == 1
    stream.close()
    assert log == ["closed"]


def test_the_first_error_is_the_one_that_is_told() -> None:
    """A clean-up that fails too does not hide why it was needed."""

    def solid() -> Iterator[int]:
        try:
            yield 1
        finally:
            raise OSError("clean-up")

    def read() -> None:
        stream = items(solid())
        try:
            next(stream)
            raise LookupError("first")
        finally:
            stream.close()

    with pytest.raises(LookupError, match="first"):
        read()


def test_exit_inside_a_generator_is_wrapped() -> None:
    """The process goes on."""

    def solid() -> Iterator[int]:
        yield 1
        sys.exit(4)

    with pytest.raises(UserCodeRaised) as caught:
        list(items(solid()))
    assert isinstance(caught.value.original, SystemExit)
