"""The pipeline of the cold step: 1 MB goes from one solid to the next."""

from __future__ import annotations

import random

from solidstate import pipeline, solid

SIZE = 1_000_000


@solid
def load() -> bytes:
    return random.Random(1).randbytes(SIZE)  # noqa: S311 - cannot be compressed, and the same each time


@solid
def total(data: bytes) -> int:
    return sum(data)


@pipeline
def flow() -> None:
    total(load())
