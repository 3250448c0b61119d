"""Quotas: each is reported with what was found, what is allowed and a fix, and nothing is reported without need."""

from __future__ import annotations

import pytest

from solidstate.errors import Errors
from solidstate.planner.compile import build_machine, compile_plan
from solidstate.planner.limits import check_limits, history_events
from solidstate.planner.plan import ExecutionPlan, OutputRef, Retry, Step, StepCompute, StepInput
from solidstate.planner.states import encode_machine


def plan_of(*steps: Step) -> ExecutionPlan:
    """A plan of these steps."""
    return ExecutionPlan("demo", steps)


def texts(plan: ExecutionPlan) -> list[str]:
    """The problems of a plan, whatever its size."""
    return [str(problem) for problem in check_limits(plan, encode_machine(build_machine(plan), readable=False))]


def chain(steps: int, retry: Retry | None = None) -> ExecutionPlan:
    """Steps in a row."""
    return plan_of(
        *(
            Step(
                f"step_{number}",
                "one",
                inputs=(StepInput("x", "output", (OutputRef(f"step_{number - 1}", "result"),)),) if number else (),
                retry=retry,
            )
            for number in range(steps)
        )
    )


@pytest.mark.parametrize(
    "compute",
    [StepCompute(memory_mb=128, timeout_s=1, ephemeral_mb=512), StepCompute(10_240, 900, 10_240), StepCompute()],
)
def test_allowed_compute_is_not_reported(compute: StepCompute) -> None:
    """Both ends of each range are allowed."""
    assert texts(plan_of(Step("a", "one", compute=compute))) == []


@pytest.mark.parametrize(
    ("compute", "text"),
    [
        (
            StepCompute(timeout_s=901),
            "`compute.timeout_s` of step `a` must be between 1 and 900 seconds, but is 901.\n"
            "  at: steps.a.compute.timeout_s\n"
            "  fix: set it to 900, the nearest allowed value, in the definition of `one`",
        ),
        (
            StepCompute(timeout_s=0),
            "`compute.timeout_s` of step `a` must be between 1 and 900 seconds, but is 0.\n"
            "  at: steps.a.compute.timeout_s\n"
            "  fix: set it to 1, the nearest allowed value, in the definition of `one`",
        ),
        (
            StepCompute(memory_mb=20_000),
            "`compute.memory_mb` of step `a` must be between 128 and 10,240 MiB, but is 20,000.\n"
            "  at: steps.a.compute.memory_mb\n"
            "  fix: set it to 10240, the nearest allowed value, in the definition of `one`",
        ),
        (
            StepCompute(ephemeral_mb=511),
            "`compute.ephemeral_mb` of step `a` must be between 512 and 10,240 MiB, but is 511.\n"
            "  at: steps.a.compute.ephemeral_mb\n"
            "  fix: set it to 512, the nearest allowed value, in the definition of `one`",
        ),
    ],
)
def test_compute_out_of_range(compute: StepCompute, text: str) -> None:
    """The error names field, step, range, value and the nearest value that is allowed."""
    assert texts(plan_of(Step("a", "one", compute=compute))) == [text]


@pytest.mark.parametrize(
    ("retry", "text"),
    [
        (
            Retry(max_attempts=0),
            "`retry.max_attempts` of step `a` must be between 1 and 99,999,999, but is 0.\n"
            "  at: steps.a.retry.max_attempts\n"
            "  fix: set it to 1, the nearest allowed value, in the definition of `one`",
        ),
        (
            Retry(max_attempts=2, delay_s=-1),
            "`retry.delay_s` of step `a` must be between 0 and 31,622,398 seconds, but is -1.\n"
            "  at: steps.a.retry.delay_s\n"
            "  fix: set it to 0, the nearest allowed value, in the definition of `one`",
        ),
        (
            Retry(max_attempts=2, max_delay_s=31_622_400),
            "`retry.max_delay_s` of step `a` must be between 1 and 31,622,399 seconds, but is 31,622,400.\n"
            "  at: steps.a.retry.max_delay_s\n"
            "  fix: set it to 31622399, the nearest allowed value, in the definition of `one`",
        ),
        (
            Retry(max_attempts=2, backoff=0.5),
            "`retry.backoff` of step `a` must be at least 1, but is 0.5.\n"
            "  at: steps.a.retry.backoff\n"
            "  fix: set it to 1 for a constant delay, in the definition of `one`",
        ),
    ],
)
def test_retry_out_of_range(retry: Retry, text: str) -> None:
    """A policy the service would refuse is named before it does."""
    assert texts(plan_of(Step("a", "one", retry=retry))) == [text]


def test_a_definition_too_large() -> None:
    """The error says how large it is, and about how many steps would fit."""
    plan = chain(1_800)
    size = len(encode_machine(build_machine(plan), readable=False))
    fitting = 1_800 * 1_048_576 // size
    with pytest.raises(Errors) as caught:
        compile_plan(plan)
    assert str(caught.value) == (
        f"pipeline `demo` does not fit into Step Functions: The definition of `demo` has {size:,} bytes for 1,800 "
        "steps; Step Functions accepts at most 1,048,576.\n"
        f"  fix: split the pipeline into several of at most about {fitting:,} steps each"
    )
    assert 1_000 < fitting < 1_800
    compile_plan(chain(fitting - 10))


def test_a_history_too_long() -> None:
    """Attempts the policies allow count, although a run without failures would fit."""
    assert texts(chain(100, Retry(max_attempts=50))) == []
    assert texts(chain(100, Retry(max_attempts=100))) == [
        "A run of `demo` may write 30,516 history events when all its retries are used; Step Functions ends an "
        "execution at 25,000, of which 1,000 are kept for throttled attempts.\n"
        "  fix: split the pipeline, or lower `max_attempts` of the RetryPolicy of its most repeated solids"
    ]


def test_events_of_a_small_machine() -> None:
    """2 for the execution, 5 for each of 4 tasks, 4 for the Parallel, 2 for each of 2 endings of branches and of 2
    readers of a cause; steps without a policy may ask for 2 repetitions of 3 events, others for none."""
    once = Retry(max_attempts=1)
    without = history_events(
        compile_plan(plan_of(Step("a", "one", retry=once), Step("b", "one", retry=once))).definition
    )
    assert without == 2 + 4 * 5 + 4 + 4 * 2
    assert history_events(compile_plan(plan_of(Step("a", "one"), Step("b", "one"))).definition) == without + 2 * 2 * 3
