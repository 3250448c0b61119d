"""Faults strike where they are asked to, the pipeline holds, and a fault that nobody met is an error."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate import PipelineFailed, SolidstateError
from solidstate.events import StepFailure, StepRetry, StepStart
from solidstate.testing import FaultNotMet, InjectedFailure, LocalStack
from tests.testing.orders import CALLS, LOCAL, orders, parts


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    CALLS.clear()


def states_failed(stack: LocalStack, execution: str) -> list[str]:
    """Error names of the Lambda tasks that failed, as Step Functions tells them."""
    failed = [event for event in stack.history(execution) if event["type"] in ("LambdaFunctionFailed", "TaskFailed")]
    details = ("lambdaFunctionFailedEventDetails", "taskFailedEventDetails")
    return [event[detail]["error"] for event in failed for detail in details if detail in event]


def test_throttling_costs_nothing_but_retries(local_stack: LocalStack) -> None:
    """No code of the step runs for an invocation that Lambda had no room for."""
    with local_stack.faults("total").throttle(times=2) as fault:
        result = local_stack.run(orders, LOCAL)
    assert fault.count == 2
    assert CALLS == ["load 1", "total 3"]
    assert states_failed(local_stack, result.summary.execution) == ["Lambda.TooManyRequestsException"] * 2


def test_throttling_without_end_fails_the_step(local_stack: LocalStack) -> None:
    """The retries of the service have an end."""
    with local_stack.faults("total").throttle(times=99) as fault:
        result = local_stack.run(orders, LOCAL, raise_on_error=False)
    assert fault.count == 6
    assert result.result_for_solid("total").summary.status == "not reached"
    assert result.summary.message == "1 step left no trace (killed, throttled or never started): `total`"


def test_a_duplicate_changes_nothing(local_stack: LocalStack) -> None:
    """Both compute, one of them commits, and the other adopts its result."""
    with local_stack.faults("total").duplicate() as fault:
        result = local_stack.run(orders, LOCAL)
    assert fault.count == 1
    assert sorted(CALLS) == ["load 1", "total 1", "total 1"]
    assert result.output("total") == "6 at the corner"
    commits = list(local_stack.store.list("v1/commits/orders/total/"))
    assert len(commits) == 1


def test_a_failure_before_the_commit_is_retried(local_stack: LocalStack) -> None:
    """As one of the solid's own: recorded, and repeated by its policy; without waiting for the pauses."""
    with local_stack.faults("total").fail("before commit", times=2):
        result = local_stack.run(orders, LOCAL)
    assert CALLS == ["load 1", "total 1", "total 2", "total 3"]
    assert [retry.error.type for retry in result.events_of_kind(StepRetry) if retry.error] == ["InjectedFailure"] * 2
    assert [retry.delay_s for retry in result.events_of_kind(StepRetry)] == [30.0, 60.0]


def test_a_failure_that_lasts_is_the_runs(local_stack: LocalStack) -> None:
    """With the exception that the test asked for as its cause."""
    with local_stack.faults("total").fail(times=3, error=lambda: OSError("disk full")):
        with pytest.raises(PipelineFailed) as raised:
            local_stack.run(orders, LOCAL)
    assert repr(raised.value.__cause__) == "OSError('disk full')"
    assert [event.step for event in raised.value.result.events_of_kind(StepFailure)] == ["total"]


def test_a_failure_after_the_commit_loses_nothing(local_stack: LocalStack) -> None:
    """The step has its result; no attempt is repeated."""
    with local_stack.faults("total").fail("after commit") as fault:
        result = local_stack.run(orders, LOCAL)
    assert fault.count == 1
    assert CALLS == ["load 1", "total 1"]
    assert result.output("total") == "6 at the corner"


@pytest.mark.parametrize("moment", ["output", "before commit"])
def test_a_killed_attempt_leaves_nothing(local_stack: LocalStack, moment: Any) -> None:
    """It is repeated from the beginning, and Step Functions knows it as an exit of the runtime."""
    with local_stack.faults("total").kill(moment):
        result = local_stack.run(orders, LOCAL)
    assert CALLS == ["load 1", "total 1", "total 2"]
    assert [event.attempt for event in result.events_of_kind(StepStart)] == [1, 2]
    assert states_failed(local_stack, result.summary.execution) == ["Runtime.ExitError"]


def test_a_kill_after_the_commit_is_adopted(local_stack: LocalStack) -> None:
    """The next attempt finds the result and computes nothing."""
    with local_stack.faults("total").kill("after commit"):
        result = local_stack.run(orders, LOCAL)
    assert CALLS == ["load 1", "total 1"]
    assert result.output("total") == "6 at the corner"


def test_large_outputs_are_a_moment_of_their_own(local_stack: LocalStack) -> None:
    """What does not fit into the commit is stored before it: a kill there leaves no data."""
    request = {**LOCAL, "solids": {"load": {"inputs": {"count": 100_000}}}}
    with local_stack.faults("load").kill("output"):
        result = local_stack.run(orders, request)
    assert len({info.key.split("/")[5] for info in local_stack.store.list("v1/data/orders/load/")}) == 1
    with local_stack.faults("load").kill("before commit"):
        other = local_stack.run(orders, request)
    assert result.output("total") == other.output("total")
    assert len(list(local_stack.store.list(f"v1/data/orders/load/{other.run_id}/"))) == 2


def test_s3_may_be_away_for_a_while(local_stack: LocalStack) -> None:
    """The state machine repeats what did not get through."""
    with local_stack.faults("total").s3_unavailable(times=2) as fault:
        result = local_stack.run(orders, LOCAL)
    assert fault.count == 2
    assert states_failed(local_stack, result.summary.execution) == ["StorageUnavailable"] * 2


def test_without_a_step_whatever_comes_first_is_struck(local_stack: LocalStack) -> None:
    """Start run and End run are retried, too."""
    with local_stack.faults().throttle(), local_stack.faults().s3_unavailable():
        result = local_stack.run(orders, LOCAL)
    assert states_failed(local_stack, result.summary.execution) == [
        "Lambda.TooManyRequestsException",
        "StorageUnavailable",
    ]


def test_one_item_of_a_mapped_step(local_stack: LocalStack) -> None:
    """The others are left alone."""
    with local_stack.faults("double", item="n1").fail():
        result = local_stack.run(parts)
    assert [(event.item, event.attempt) for event in result.events_of_kind(StepRetry)] == [("n1", 1)]
    assert result.output("add") == 2


def test_faults_end_with_their_block(local_stack: LocalStack) -> None:
    """And combine while they last."""
    with local_stack.faults("load").duplicate(), local_stack.faults("total").fail():
        local_stack.run(orders, LOCAL)
    CALLS.clear()
    local_stack.run(orders, LOCAL)
    assert CALLS == ["load 1", "total 1"]


def test_a_fault_that_nobody_met_is_an_error(local_stack: LocalStack) -> None:
    """A test that believes in it would prove nothing. An error inside of the block goes first."""
    with pytest.raises(FaultNotMet) as unmet, local_stack.faults("totl").kill():
        local_stack.run(orders, LOCAL)
    assert str(unmet.value) == (
        "The kill at `before commit` of step `totl` never came about; steps that ran: `load`, `total`.\n"
        "  fix: did you mean `total`?"
    )
    with pytest.raises(FaultNotMet) as idle, local_stack.faults("double", item="n9").throttle():
        pass
    assert str(idle.value) == (
        "The throttling of step `double`, item `n9` never came about; steps that ran: none.\n"
        "  fix: run the pipeline inside of the `with` block, with a step that gets to where the fault strikes"
    )
    with pytest.raises(InjectedFailure), local_stack.faults("total").throttle():
        raise InjectedFailure


def test_what_cannot_be_is_refused(local_stack: LocalStack) -> None:
    """Moments and numbers."""
    with pytest.raises(SolidstateError) as moment:
        local_stack.faults("total").kill("at noon")  # type: ignore[arg-type]  # that is the point
    assert str(moment.value) == (
        "There is no moment 'at noon' of an attempt; there are `output`, `before commit`, `after commit`.\n"
        '  fix: write `kill("before commit")`'
    )
    with pytest.raises(SolidstateError) as times:
        local_stack.faults("total").throttle(times=0)
    assert str(times.value) == "`times` must be a whole number from 1, got 0.\n  fix: write `times=1`"
