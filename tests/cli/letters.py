"""Two pipelines to deploy: letters of a word, with config that can be wrong; and one that needs nothing."""

from __future__ import annotations

import msgspec

from solidstate import Compute, pipeline, solid


class ReadConfig(msgspec.Struct):
    word: str


@solid
def read(config: ReadConfig) -> list[str]:
    return list(config.word)


@solid(compute=Compute(timeout_s=3))
def count(letters: list[str]) -> int:
    if "!" in letters:
        raise ValueError("no letter")
    return len(letters)


@pipeline
def letters() -> None:
    count(read())


@solid
def nothing() -> int:
    return 0


@pipeline
def idle() -> None:
    nothing()
