"""A pipeline with one of everything, for comparing engines. Small on purpose: each step is there for one rule."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from solidstate import (
    ExpectationResult,
    Failure,
    In,
    Materialization,
    Mode,
    Nothing,
    Out,
    Output,
    RetryPolicy,
    RetryRequested,
    pipeline,
    resource,
    solid,
)

LARGE = 300 * 1024


class Limits(msgspec.Struct):
    top: int = 10


@resource
def ledger(config: Limits) -> Iterator[list[int]]:
    """A resource with config and teardown."""
    yield [config.top]


@resource
def clerk(context: Any, ledger: list[int]) -> Iterator[str]:
    """A resource that needs another one, and whose teardown fails."""
    context.log.info("clerk is here", top=ledger[0])
    yield f"clerk of {ledger[0]}"
    raise OSError("cannot close")


@solid(
    outs={"low": Out(list[int]), "high": Out(list[int]), "none": Out(list[int], optional=True), "done": Out(Nothing)}
)
def split(context: Any, config: Limits, numbers: list[int]) -> Iterator[Any]:
    """Several outputs, an optional one that stays out, expectations, logs, config, an input from config."""
    context.log.info("splitting", count=len(numbers))
    yield ExpectationResult(success=True, label="any", metadata={"count": len(numbers)})
    yield ExpectationResult(success=False, label="sorted")
    yield Output([n for n in numbers if n < config.top], "low", metadata={"top": config.top})
    yield Output([n for n in numbers if n >= config.top], "high")


@solid
def skipped(numbers: list[int]) -> list[int]:
    """Waits for what never comes."""
    return numbers


@solid
def skipped_too(numbers: list[int]) -> list[int]:
    """Waits for a step that is skipped."""
    return numbers


@solid(resources={"clerk", "ledger"})
def count(context: Any, numbers: list[int]) -> int:
    """Resources."""
    assert context.resources.clerk
    context.emit(Materialization("tally", path="tally.txt", metadata={"by": context.resources.clerk}))
    return sum(numbers)


@solid(retry=RetryPolicy(max_attempts=2, delay_s=1))
def flaky(context: Any, n: int) -> int:
    """Fails once."""
    if context.attempt == 1:
        raise ConnectionError("the first time")
    return n


@solid
def asks(context: Any, n: int) -> int:
    """Asks for another attempt once."""
    if context.attempt == 1:
        raise RetryRequested("not yet", metadata={"n": n})
    return n


@solid
def broken(n: int) -> int:
    """Raises."""
    raise ValueError(f"cannot take {n}")


@solid
def given_up(n: int) -> int:
    """Gives up."""
    raise Failure("no use", metadata={"n": n})


@solid
def after_failure(a: int, b: int) -> int:
    """Downstream of two failures."""
    return a + b


@solid
def large(numbers: list[int]) -> bytes:
    """More than fits into a commit."""
    return bytes(numbers[:1]) * LARGE


@solid(ins={"after": In(Nothing)})
def total(values: list[int], data: bytes) -> int:
    """Fan-in, a large input, and an order without a value."""
    return sum(values) + len(data)


@pipeline(modes=[Mode("default", resources={"ledger": ledger, "clerk": clerk})], tags={"kind": "test"})
def everything() -> None:
    """One of everything."""
    parts = split()
    skipped_too(skipped(parts.none))
    low, high = count.alias("low")(parts.low), count.alias("high")(parts.high)
    once, twice = flaky(low), asks(high)
    after_failure(broken(low), given_up(high))
    total([once, twice, low], large(parts.low), after=parts.done)


REQUEST = {
    "solids": {"split": {"config": {"top": 5}, "inputs": {"numbers": [1, 2, 7, 8]}}},
    "resources": {"ledger": {"config": {"top": 3}}},
    "tags": {"owner": "me"},
}


@solid
def wait(seconds: float = 30.0) -> int:
    """Take long; say so first, in a file, for whoever waits for that."""
    mark = os.environ.get("WAIT_MARK")
    if mark:
        Path(mark).write_text("waiting")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.01)
    return 1


@solid
def quick() -> int:
    """Done at once."""
    return 2


@solid
def both(a: int, b: int) -> int:
    """Needs the two."""
    return a + b


@pipeline
def slow() -> None:
    """A quick step before a long one."""
    both(quick(), wait())
