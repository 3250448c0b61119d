"""Quotas: each is reported with what was found, what is allowed and a fix, and nothing is reported without need."""

from __future__ import annotations

import msgspec
import pytest

from solidstate.errors import Errors
from solidstate.planner.compile import compile_plan
from solidstate.planner.history import history_events
from solidstate.planner.limits import MAX_DEFINITION_BYTES
from solidstate.planner.plan import ExecutionPlan, OutputRef, Retry, Step, StepCompute, StepInput, StepOutput
from solidstate.planner.states import deployed_bytes


def plan_of(*steps: Step) -> ExecutionPlan:
    """A plan of these steps."""
    return ExecutionPlan("demo", steps)


def texts(plan: ExecutionPlan) -> list[str]:
    """The problems of a plan."""
    try:
        compile_plan(plan)
    except Errors as errors:
        return [str(problem) for problem in errors.items]
    return []


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


def test_what_does_not_fit_becomes_nested_executions() -> None:
    """A long chain is several machines, each within the quota with ARNs of full length."""
    compiled = compile_plan(chain(4_000))
    assert len(compiled.parts) >= 2
    for definition in (compiled.definition, *(part.definition for part in compiled.parts)):
        assert deployed_bytes(definition) <= MAX_DEFINITION_BYTES


def test_attempts_count() -> None:
    """Retries that the policies allow may fill the history although a run without failures would not."""
    assert len(compile_plan(chain(400, Retry(max_attempts=3))).parts) == 0
    compiled = compile_plan(chain(400, Retry(max_attempts=50)))
    assert len(compiled.parts) >= 2
    assert all(history_events(part.definition) <= 24_000 for part in compiled.parts)


def test_a_single_step_with_too_long_a_history() -> None:
    """What cannot be divided is refused, with the reason and the fix."""
    assert texts(chain(1, Retry(max_attempts=10_000))) == [
        "An execution of `demo` may write 30,021 history events when all its retries are used; Step Functions ends an "
        "execution at 25,000, of which 1,000 are kept for throttled attempts.\n"
        "  fix: lower `max_attempts` of the RetryPolicy of its most repeated solids"
    ]


def test_a_part_with_too_long_a_history() -> None:
    """Parts are held to the quotas like the machine that starts them, and named."""
    plan = chain(3, Retry(max_attempts=2))
    heavy = msgspec.structs.replace(plan.steps[1], retry=Retry(max_attempts=10_000))
    assert texts(plan_of(plan.steps[0], heavy, plan.steps[2])) == [
        "An execution of Part1 of `demo` may write 30,009 history events when all its retries are used; Step Functions "
        "ends an execution at 25,000, of which 1,000 are kept for throttled attempts.\n"
        "  fix: lower `max_attempts` of the RetryPolicy of its most repeated solids"
    ]


def reading(name: str, *upstream: str) -> Step:
    """A step with these inputs and an output."""
    inputs = tuple(StepInput(f"i{n}", "output", (OutputRef(one, "result"),)) for n, one in enumerate(upstream))
    return Step(name, "one", inputs=inputs, outputs=(StepOutput("result"),))


def test_a_payload_too_large() -> None:
    """A step that has a rendezvous with too many others names them all in its payload, which is bounded."""
    names = [f"{'a_rather_long_name_' * 3}{number}" for number in range(4_000)]
    own = [reading(f"reader_{number}", name) for number, name in enumerate(names)]
    (problem,) = texts(plan_of(*(reading(name) for name in names), *own, reading("all", *names)))
    assert problem == (
        "State `all` would hand 291,805 bytes to its function; Step Functions allows 262,144. It names the 3,999 "
        "steps it waits for and the 0 it wakes.\n"
        "  at: steps.all\n"
        "  fix: put solids between that gather a thousand of them each"
    )


def test_events_of_a_small_machine() -> None:
    """2 for the execution, 5 for each of 4 tasks, 4 for the Parallel, 2 for each of 2 endings of branches and of 2
    readers of a cause; steps without a policy may ask for 2 repetitions of 3 events, others for none."""
    once = Retry(max_attempts=1)
    without = history_events(
        compile_plan(plan_of(Step("a", "one", retry=once), Step("b", "one", retry=once))).definition
    )
    assert without == 2 + 4 * 5 + 4 + 4 * 2
    assert history_events(compile_plan(plan_of(Step("a", "one"), Step("b", "one"))).definition) == without + 2 * 2 * 3


@pytest.mark.parametrize("most", [1, 5_000])
def test_an_item_with_too_long_a_history(most: int) -> None:
    """The items of a distributed Map have executions of their own, which are bounded like any other."""
    over = OutputRef("split", "result")
    mapped = Step(
        "each", "one", inputs=(StepInput("x", "item", (over,)),), map_over=over, retry=Retry(max_attempts=9_000)
    )
    split = Step("split", "one", outputs=(StepOutput("result", dynamic=True, max_items=most),))
    assert texts(plan_of(split, mapped)) == [
        "An execution of `each for each of result` for one item may write 27,009 history events when all its retries "
        "are used; Step Functions ends an execution at 25,000, of which 1,000 are kept for throttled attempts.\n"
        "  fix: lower `max_attempts` of the RetryPolicy of its most repeated solids"
    ]
