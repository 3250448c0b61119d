"""Large runs: two thousand steps, a Map of five thousand items; what they cost grows as they do, and no faster."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from solidstate import DynamicOut, DynamicOutput, pipeline, solid
from solidstate.pipeline import PipelineDefinition
from tests.sim.choices import Choices
from tests.sim.faults import EVERY, Profile
from tests.sim.pipelines import Case, case_of
from tests.sim.play import run_through
from tests.sim.solids import Made, gather, one, source, two, with_counts
from tests.sim.world import World

MIB = 1024 * 1024
LINEAR = 2.2
"""What twice as much may cost."""


class Cost(msgspec.Struct, frozen=True):
    """Of a whole run: operations on the store and on tokens, invocations, states entered, the most memory."""

    operations: int
    invocations: int
    entered: int
    peak_bytes: int

    def times(self, other: Cost) -> list[float]:
        """How often the other fits into it."""
        return [
            mine / theirs for mine, theirs in zip(*map(msgspec.structs.astuple, (self, other)), strict=True) if theirs
        ]


def steps(count: int) -> PipelineDefinition:
    """Rows of ten: each step reads one of the row before, now and then its neighbour too."""

    def body() -> None:
        row = [source.alias(f"r0_{place}")() for place in range(10)]
        for number in range(1, count // 10):
            row = [
                two.alias(f"r{number}_{place}")(row[place], row[place - 1])
                if place and (number + place) % 5 == 0
                else one.alias(f"r{number}_{place}")(row[place])
                for place in range(10)
            ]

    return pipeline(name=f"steps_{count}")(body)


@solid(outs={"items": DynamicOut(str, max_items=5_000)})
def many(context: Any) -> Iterator[Any]:
    """As many items as it is told."""
    made = Made(context)
    for number in range(made.count()):
        yield DynamicOutput(made.value("items", f"k{number}"), f"k{number}", "items")


@pipeline
def mapped() -> None:
    """One Map, and one step that collects all of it."""
    gather(many().map(one).collect())


QUIET = Profile()


def cost(case: Case, profile: Profile = QUIET, *, weighed: bool = False) -> Cost:
    """A run of it, which must hold all promises. Only when ``weighed`` is its memory known: that takes its time."""
    if weighed:
        tracemalloc.start()
    try:
        world = World(case, Choices(1), profile, most_turns=10_000_000)
        assert run_through(world, "r", {}) == []
        peak = tracemalloc.get_traced_memory()[1] if weighed else 0
    finally:
        tracemalloc.stop()
    if not profile.most:
        assert world.execution.status == "SUCCEEDED"
        assert set(world.bodies.values()) == {1}
    return Cost(world.turns, world.invocations, world.execution.entered, peak)


@pytest.mark.slow
def test_two_thousand_steps() -> None:
    """Twice the steps cost twice as much, and no memory to speak of."""
    half, whole = cost(case_of(steps(1_000)), weighed=True), cost(case_of(steps(2_000)), weighed=True)
    print(f"\n1,000 steps: {half}\n2,000 steps: {whole}")
    assert whole.invocations >= 2_002
    assert max(whole.times(half)) < LINEAR
    assert whole.peak_bytes < 100 * MIB


@pytest.mark.slow
def test_a_map_of_five_thousand_items() -> None:
    """Twice the items cost twice as much, and no memory to speak of."""
    with with_counts({"many": 2_500}):
        half = cost(case_of(mapped))
    with with_counts({"many": 5_000}):
        whole = cost(case_of(mapped), weighed=True)
    print(f"\n2,500 items: {half}\n5,000 items: {whole}")
    assert whole.invocations >= 5_000
    assert max(whole.times(half)) < LINEAR
    assert whole.peak_bytes < 100 * MIB


@pytest.mark.slow
def test_two_thousand_steps_under_faults() -> None:
    """Hundreds of faults of all kinds but a stop: every promise holds."""
    kinds = tuple(kind for kind in EVERY if kind != "cancelled")
    assert cost(case_of(steps(2_000)), Profile(kinds, 0.02, 300)).operations > 2_000
