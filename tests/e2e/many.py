"""Pipelines with many steps, and with many items."""

from __future__ import annotations

from typing import Any

from solidstate import DynamicOut, DynamicOutput, pipeline, pipeline_from_dependencies, solid

STEPS, ITEMS = 2_000, 5_000
WIDTH = 20


@solid
def begin() -> int:
    return 1


@solid
def more(number: int) -> int:
    return number + 1


def rope() -> Any:
    """``STEPS`` steps: one, then twenty chains of a hundred side by side."""
    solids: list[Any] = [begin.alias("s0"), *(more.alias(f"s{number}") for number in range(1, STEPS))]
    feeds = {f"s{number}": {"number": f"s{max(0, number - WIDTH)}"} for number in range(1, STEPS)}
    return pipeline_from_dependencies("rope", solids, feeds)


@solid(outs={"items": DynamicOut(int, max_items=ITEMS)})
def split(count: int = ITEMS) -> Any:
    for number in range(count):
        yield DynamicOutput(number, f"i{number}", "items")


@solid
def double(number: int) -> int:
    return 2 * number


@solid
def gather(numbers: list[int]) -> int:
    return sum(numbers)


@pipeline
def crowd() -> None:
    gather(split().map(double).collect())


long_rope = rope()
