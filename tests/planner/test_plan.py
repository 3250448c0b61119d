"""The plan as data: JSON both ways, canonical bytes, a hash of what it says."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.planner.plan import (
    ExecutionPlan,
    OutputRef,
    Retry,
    Step,
    StepCompute,
    StepInput,
    StepOutput,
    decode_plan,
    encode_plan,
    plan_hash,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
REFS = st.builds(OutputRef, TEXT, TEXT)
INPUTS = st.builds(
    StepInput,
    TEXT,
    st.sampled_from(["output", "fan_in", "config"]),
    st.lists(REFS, max_size=3).map(tuple),
    TEXT,
    st.booleans(),
    st.booleans(),
)
RETRIES = st.builds(
    Retry,
    st.integers(1, 100),
    st.integers(1, 1000),
    st.floats(1, 100),
    st.none() | st.integers(1001, 10_000),
    st.booleans(),
)
STEPS = st.builds(
    Step,
    TEXT,
    TEXT,
    st.lists(INPUTS, max_size=3).map(tuple),
    st.lists(st.builds(StepOutput, TEXT, TEXT, st.booleans(), st.booleans(), TEXT), max_size=3).map(tuple),
    TEXT,
    st.lists(TEXT, max_size=3).map(tuple),
    st.none() | RETRIES,
    st.builds(StepCompute, st.integers(128, 10_240), st.integers(1, 900), st.integers(512, 10_240)),
    st.dictionaries(TEXT, TEXT, max_size=3),
)
PLANS = st.builds(ExecutionPlan, TEXT, st.lists(STEPS, max_size=4).map(tuple), TEXT)


@given(PLANS)
def test_a_plan_goes_both_ways(plan: ExecutionPlan) -> None:
    """What is encoded is decoded as it was, and encoded again to the same bytes."""
    data = encode_plan(plan)
    assert decode_plan(data) == plan
    assert encode_plan(decode_plan(data)) == data


@given(PLANS, PLANS)
def test_the_hash_tells_plans_apart(one: ExecutionPlan, other: ExecutionPlan) -> None:
    """Equal plans have equal hashes of 16 hex digits, others have others."""
    assert (plan_hash(one) == plan_hash(other)) == (one == other)
    assert len(bytes.fromhex(plan_hash(one))) == 8


@given(st.dictionaries(TEXT, TEXT, min_size=2))
def test_the_order_of_tags_does_not_count(tags: dict[str, str]) -> None:
    """Tags are a set of pairs; writing them in another order changes no bytes."""
    forward, backward = (
        ExecutionPlan("p", (Step("a", "a", tags=dict(pairs)),)) for pairs in (tags.items(), reversed(tags.items()))
    )
    assert encode_plan(forward) == encode_plan(backward)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"pipeline":"p"}', b'{"pipeline":"p","steps":[{"name":1}]}', b"\xff"])
def test_anything_else_is_refused(data: bytes) -> None:
    """Bytes that are no plan are never half a plan."""
    with pytest.raises(msgspec.MsgspecError):
        decode_plan(data)


def test_upstream_names_each_step_once() -> None:
    """In order of first mention, over all inputs."""
    a, b, later = OutputRef("a", "x"), OutputRef("b", "x"), OutputRef("a", "y")
    step = Step("s", "s", (StepInput("i", "fan_in", (b, a)), StepInput("j", "output", (later,))))
    assert step.upstream() == ("b", "a")


def test_looking_up() -> None:
    """Steps and outputs are found by name; a name that is not there is a KeyError, as in a mapping."""
    step = Step("s", "s", outputs=(StepOutput("o"),))
    plan = ExecutionPlan("p", (step,))
    assert plan.step("s") is step
    assert step.output("o") == StepOutput("o")
    with pytest.raises(KeyError):
        plan.step("t")
    with pytest.raises(KeyError):
        step.output("p")


@pytest.mark.parametrize("data", [b"\xff", b'{"steps":' + b"[" * 5_000, b'{"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"])
def test_damaged_plans_are_one_kind_of_error(data: bytes) -> None:
    """No UTF-8, and nesting without end, too."""
    with pytest.raises(msgspec.MsgspecError):
        decode_plan(data)
