"""Solids that note what they do and can be held up, wired into an N: the smallest graph that is no nest of sequences
and Parallels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from solidstate import pipeline, solid
from solidstate.storage import keys
from tests.infra.machines_by_hand import Calls, Meetings, Piece, Pieces, chain, parallel, until

CALLS = Calls()


@solid
def a() -> int:
    CALLS.note("a")
    return 1


@solid
def b() -> int:
    CALLS.note("b")
    return 2


@solid
def c(x: int) -> int:
    CALLS.note("c")
    return x


@solid
def d(x: int, y: int) -> int:
    CALLS.note("d")
    return x + y


@pipeline
def shape_n() -> None:
    made = a()
    c(made)
    d(made, b())


def n(pieces: Pieces, **more: Any) -> Piece:
    """The N: `c` and `d` hang under `a`, and `d` has a rendezvous with `b`."""
    under_a = parallel("2 branches after a", pieces.step("c"), pieces.step("d", waits=["b"], **more))
    return parallel("2 branches", chain(pieces.step("a"), under_a), pieces.step("b", wakes=["d"]))


def when_parked(
    aws: Meetings, run: str, step: str = "d", pipeline: str = "shape_n", item: str = ""
) -> Callable[[], None]:
    """For a solid: go on when another step has parked."""
    return lambda: until(lambda: aws.has_parked(pipeline, step, run, item))


def when_committed(aws: Meetings, run: str, step: str, pipeline: str = "shape_n") -> Callable[[], None]:
    """For a solid: go on when another step has committed."""
    return lambda: until(lambda: aws.store.exists(keys.commit(pipeline, step, run)))
