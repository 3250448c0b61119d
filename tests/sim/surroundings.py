"""What a simulation puts in the place of the clock, and how little fits into a commit while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from solidstate.handler import outputs, recorder
from solidstate.handler.outputs import OutputTaker
from tests.sim.solids import MAX_INLINE, WATCHING, Unit


@contextmanager
def in_place_of(body: Callable[[Unit, tuple[str, ...]], int], now: Callable[[], float]) -> Iterator[None]:
    """While a simulation runs: bodies are watched, the clock is its own, and few bytes fit into a commit."""
    places: list[tuple[Any, str, Any]] = [
        (WATCHING, "body", body),
        (recorder, "now", now),
        (recorder, "perf_counter", now),
        (outputs, "INLINE_LIMIT", MAX_INLINE),
        (OutputTaker, "_inline_left", MAX_INLINE),
    ]
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    for owner, name, value in places:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)
