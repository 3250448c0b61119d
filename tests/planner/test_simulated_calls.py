"""Attempts of simulated Tasks: which errors are repeated, how often and when."""

from __future__ import annotations

import random

import pytest

from solidstate.planner.compile import compile_plan
from solidstate.planner.contract import RETRY_REQUESTED, STEP_FAILED
from solidstate.planner.plan import Retry
from solidstate.planner.simulated_steps import Behaviour
from tests.planner.thought import N_SHAPE, decoded, encoded, outcome, plan_of, run, scope_of, step

PLAN = plan_of(step("a", retry=Retry(max_attempts=4, delay_s=2, max_delay_s=5)), step("b", "a"))


def test_a_step_that_fails_twice_is_tried_three_times() -> None:
    """After 2 s and after 4 s; each repetition is a transition, a call and three events."""
    good, bad = run(PLAN), run(PLAN, behaviours={"a": Behaviour(error=STEP_FAILED, attempts=2)})
    assert bad.done == {"a", "b"}
    assert bad.makespan_s == pytest.approx(good.makespan_s + 2 * (1 + 0.03) + 2 + 4)
    assert (bad.transitions, bad.invocations) == (good.transitions + 2, good.invocations + 2)
    assert bad.histories == (("demo", good.histories[0][1] + 2 * 3),)


def test_attempts_and_delays_are_bounded() -> None:
    """Three repetitions, the last after 5 s instead of 8; then the step has failed."""
    found = run(PLAN, behaviours={"a": Behaviour(error=STEP_FAILED)})
    assert outcome(found) == {"a": "failed", "b": "skipped"}
    assert found.ends["a"] == pytest.approx(0.05 + 0.02 + 4 * 1.03 + 2 + 4 + 5)


@pytest.mark.parametrize(("error", "calls"), [("StepRefused", 1), ("Runtime.ExitError", 2), (RETRY_REQUESTED, 4)])
def test_errors_are_told_apart(error: str, calls: int) -> None:
    """What another attempt cannot help is not repeated, a killed function once, a wish as the policy says."""
    found = run(plan_of(*PLAN.steps[:1]), behaviours={"a": Behaviour(error=error)})
    assert found.invocations == 2 + calls


def test_jitter_shortens_delays() -> None:
    """With chance, a delay with full jitter is any part of itself."""
    plan = plan_of(step("a", retry=Retry(max_attempts=2, delay_s=100, jitter=True)))
    behaviours = {"a": Behaviour(error=STEP_FAILED, attempts=1)}
    spans = [run(plan, behaviours=behaviours, chance=random.Random(seed)).makespan_s for seed in range(30)]
    assert min(spans) < 20
    assert 80 < max(spans) < run(plan, behaviours=behaviours).makespan_s


def test_a_step_that_may_park_is_repeated_too() -> None:
    """Each attempt of a callback hands over a token of its own, and writes an event more."""
    compiled = compile_plan(N_SHAPE, {"b": 9.0})
    good = run(N_SHAPE, compiled, seconds={"b": 9.0})
    bad = run(N_SHAPE, compiled, seconds={"b": 9.0}, behaviours={"d": Behaviour(error=RETRY_REQUESTED, attempts=1)})
    assert bad.done == {"a", "b", "c", "d"}
    assert bad.histories[0][1] == good.histories[0][1] + 4


def test_only_the_first_retrier_that_fits_counts() -> None:
    """When its attempts are used up, a later one with the same error is not asked."""
    definition = decoded(plan_of(step("a")))
    again = {"ErrorEquals": ["StepFailed"], "MaxAttempts": 1}
    scope_of(definition, "a")["a"]["Retry"] = [again, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 5}]
    found = run(plan_of(step("a")), encoded(definition), behaviours={"a": Behaviour(error=STEP_FAILED)})
    assert found.invocations == 2 + 2
