"""The solids of simulated pipelines: what each gives follows from its name and what it read, and says who made it.

A value is ``origin|digest|attempt``: the output it is, what it must be whoever computes it, and the invocation that
did. So a value that was read can be held against the one that was committed, down to the attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from zlib import crc32

from solidstate import (
    DynamicOut,
    DynamicOutput,
    ExpectationResult,
    Out,
    Output,
    RetryPolicy,
    solid,
)

PADDING = 200
"""Characters that make a value too large for a commit: simulations keep no more than 100 in one."""
MAX_INLINE = 100

Unit = tuple[str, str]


class Watching:
    """Who is told that a body runs, with what it was given, and says which attempt it is. It may raise."""

    def __init__(self) -> None:
        self.body: Callable[[Unit, tuple[str, ...]], int] = lambda unit, read: 0


WATCHING = Watching()


def digest_of(step: str, item: str, output: str, read: list[str]) -> str:
    """What a value must be, given what it is made of."""
    return f"{crc32('/'.join((step, item, output, *read)).encode()):08x}"


def decides(step: str, item: str, question: str) -> bool:
    """What a step does of two things, the same in every attempt."""
    return crc32(f"{step}/{item}/{question}".encode()) & 4 == 0


_COUNTS: dict[str, int] = {}


def count_of(step: str) -> int:
    """How many items a step deals out."""
    return _COUNTS.get(step, crc32(step.encode()) % 4)


@contextmanager
def with_counts(counts: dict[str, int]) -> Iterator[None]:
    """Steps that deal out other numbers of items for a while."""
    _COUNTS.update(counts)
    try:
        yield
    finally:
        _COUNTS.clear()


def parsed(value: str) -> tuple[str, str, str]:
    """Origin, digest and attempt of a value."""
    origin, digest, attempt = value.rstrip(".").split("|")
    return origin, digest, attempt


def origin_of(step: str, item: str, output: str, output_item: str = "") -> str:
    return f"{step}[{item}].{output}[{output_item}]"


class Made:
    """What one body makes of what it read."""

    def __init__(self, context: Any, *read: str) -> None:
        self.step: str = context.step_key
        self.item: str = context.item or ""
        self._read = [parsed(value)[1] for value in read]
        self._attempt = WATCHING.body((self.step, self.item), read)

    def value(self, output: str = "result", output_item: str = "") -> str:
        digest = digest_of(self.step, self.item, output + output_item, self._read)
        return f"{origin_of(self.step, self.item, output, output_item)}|{digest}|{self._attempt}"

    def count(self) -> int:
        return count_of(self.step)

    def decides(self, question: str) -> bool:
        return decides(self.step, self.item, question)


@solid
def source(context: Any) -> str:
    """Reads nothing."""
    return Made(context).value()


@solid
def one(context: Any, x: str) -> str:
    """Reads one."""
    return Made(context, x).value()


@solid(retry=RetryPolicy(max_attempts=3))
def patient(context: Any, x: str) -> str:
    """Reads one, and is tried again."""
    return Made(context, x).value()


@solid
def two(context: Any, x: str, y: str) -> str:
    """Reads two."""
    return Made(context, x, y).value()


@solid(retry=RetryPolicy(max_attempts=2))
def three(context: Any, x: str, y: str, z: str) -> str:
    """Reads three, and is tried again."""
    return Made(context, x, y, z).value()


@solid
def gather(context: Any, xs: list[str]) -> str:
    """Reads any number, from several outputs or from items."""
    return Made(context, *xs).value()


@solid
def large(context: Any, x: str) -> str:
    """What it gives is an object of its own."""
    return Made(context, x).value() + "." * PADDING


@solid(outs={"kept": Out(str), "maybe": Out(str, optional=True)})
def fork(context: Any, x: str) -> Iterator[Any]:
    """One output may stay out."""
    made = Made(context, x)
    yield Output(made.value("kept"), "kept")
    if made.decides("maybe"):
        yield Output(made.value("maybe") + "." * PADDING, "maybe")


@solid(outs={"items": DynamicOut(str, max_items=8), "whole": Out(str)})
def deal(context: Any, x: str) -> Iterator[Any]:
    """Any number of items."""
    made = Made(context, x)
    yield Output(made.value("whole"), "whole")
    for number in range(made.count()):
        key = f"k{number}"
        yield DynamicOutput(made.value("items", key), key, "items")


@solid
def judged(context: Any, x: str) -> Iterator[Any]:
    """What it gives may be withheld."""
    made = Made(context, x)
    yield Output(made.value())
    yield ExpectationResult(success=made.decides("fine"), label="fine", severity="skip")
