"""The pipeline that the tests of the kit run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from solidstate import (
    DynamicOut,
    DynamicOutput,
    ExpectationResult,
    Mode,
    Output,
    Preset,
    RetryPolicy,
    pipeline,
    resource,
    solid,
    success_hook,
)

CALLS: list[str] = []
HOOKED: list[str] = []


class Shop(msgspec.Struct):
    """Where the shop is."""

    town: str


@resource
def shop(config: Shop) -> str:
    """Never opened in a test that has a stub for it."""
    return f"the shop in {config.town}"


@success_hook
def tell(context: Any) -> None:
    """Note who has succeeded."""
    HOOKED.append(context.step_key)


@solid(retry=RetryPolicy(max_attempts=3, delay_s=30))
def load(context: Any, count: int = 3) -> list[int]:
    """Amounts of orders."""
    CALLS.append(f"load {context.attempt}")
    context.log.info("loading", count=count)
    return list(range(1, count + 1))


@solid(resources={"shop"}, retry=RetryPolicy(max_attempts=3, delay_s=30), hooks=[tell])
def total(context: Any, amounts: list[int]) -> Iterator[Any]:
    """The sum, and who says so."""
    CALLS.append(f"total {context.attempt}")
    yield ExpectationResult(success=bool(amounts), label="not_empty")
    yield Output(f"{sum(amounts)} at {context.resources.shop}")


@pipeline(
    modes=[Mode("local", resources={"shop": "the corner"}), Mode("prod", resources={"shop": shop})],
    presets=[Preset("prod", mode="prod", run_config={"resources": {"shop": {"config": {"town": "Bonn"}}}})],
)
def orders() -> None:
    """Add up."""
    total(load())


LOCAL = {"mode": "local"}


@solid(outs={"result": DynamicOut(int)})
def split(count: int = 2) -> Iterator[Any]:
    """Numbers from zero."""
    for number in range(count):
        yield DynamicOutput(number, f"n{number}")


@solid(retry=RetryPolicy(max_attempts=2, delay_s=30))
def double(n: int) -> int:
    """Twice the number."""
    return 2 * n


@solid
def add(numbers: list[int]) -> int:
    """Their sum."""
    return sum(numbers)


@pipeline
def parts() -> None:
    """Split, double, add."""
    add(split().map(double).collect())
