"""What a function holds."""

from __future__ import annotations

import pytest

from solidstate import pipeline, solid
from solidstate.errors import TargetError
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.planner.build import build_plan
from solidstate.planner.plan import plan_hash
from solidstate.storage.files import open_memory
from solidstate.storage.memory import MemoryStore


@solid
def one() -> int:
    return 1


@pipeline
def small() -> None:
    one.alias("uno")()


def test_a_loaded_pipeline_is_indexed_by_step() -> None:
    """The plan's steps and the definition's nodes go by the same names."""
    loaded = LoadedPipeline(small, build_plan(small))
    assert (list(loaded.steps), list(loaded.nodes)) == (["uno"], ["uno"])
    assert loaded.hash == plan_hash(build_plan(small))


def test_a_pipeline_the_function_does_not_hold() -> None:
    """Both sides are named."""
    runtime = Runtime([LoadedPipeline(small, build_plan(small))], MemoryStore(), engine="test", open_fs=open_memory)
    with pytest.raises(TargetError) as caught:
        runtime.pipeline("large")
    assert str(caught.value) == (
        "This function does not hold pipeline `large`; it holds `small`.\n"
        "  fix: deploy the function and the state machine together"
    )
