"""What type checkers make of right uses of the decorators. Nothing here runs: `make check` checks it, and
test_signatures.py what they make of wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_type

import msgspec

from solidstate import (
    In,
    Out,
    Output,
    PipelineDefinition,
    ResourceContext,
    SolidDefinition,
    SolidResult,
    StepContext,
    execute_solid,
    pipeline,
    resource,
    solid,
)
from solidstate.resources import ResourceDefinition


class Limit(msgspec.Struct):
    most: int = 10


@solid
def plus(left: int, right: int = 1) -> int:
    return left + right


@solid(name="named", ins={"text": In(str)}, outs={"words": Out(list[str])})
def split(context: StepContext, text: str, config: Limit) -> list[str]:
    assert_type(context.run_id, str)
    return text.split()[: config.most]


@solid
def both(number: int) -> Iterator[Output[int]]:
    yield Output(number, "half")


@resource
def shop(context: ResourceContext, config: Limit) -> dict[str, int]:
    return {context.name: config.most}


@resource(name="other")
def till() -> int:
    return 1


@pipeline
def wired() -> None:
    assert_type(plus(plus(plus()), right=plus.alias("again")()), Any)
    split(plus())
    plus([plus(), plus()])


assert_type(plus(1), int)
assert_type(plus(1, right=2), int)
assert_type(plus.alias("again")(1), int)
assert_type(both(1), Iterator[Output[int]])
assert_type(Output([1]), Output[list[int]])
assert_type(Output("a").value, str)
assert_type(till(), int)
assert_type(wired, PipelineDefinition)
assert_type(execute_solid(plus, inputs={"left": 1}), SolidResult)


def anything(some: SolidDefinition) -> None:
    """A bare SolidDefinition is one of any function."""
    assert_type(some(1, 2, three=3), Any)


def text(some: SolidDefinition[..., list[str]]) -> None:
    """One that makes words."""
    assert_type(some(1), list[str])


anything(plus)
anything(split)
text(split)
kept: ResourceDefinition[..., dict[str, int]] = shop
