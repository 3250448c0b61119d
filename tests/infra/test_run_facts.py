"""A run put together from its records, its events, its execution and its history."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate.events import AnyEvent, RunFailure, RunStart, StepStart, StepSuccess
from solidstate.infra.execution_history import Invocation, read_history
from solidstate.infra.executions import Execution, ExecutionStatus
from solidstate.infra.run_facts import LEFT_ALONE, NO_TRACE, WAITING, RunFacts, died_of, run_facts, status_of
from solidstate.planner.build import build_plan
from solidstate.storage.records import RunRecord, RunSummary, StepSummary
from tests.infra import histories

PLAN = build_plan(histories.killed)
RECORD = RunRecord(run="run-1", pipeline="killed", plan="p", mode="default", started_at=100.0, execution="arn")


def execution(status: ExecutionStatus, error: str = "", cause: str = "") -> Execution:
    return Execution("arn", "run-1", status, 100.0, None if status == "RUNNING" else 107.0, error, cause)


def stored(**statuses: Any) -> RunSummary:
    """What End run wrote, seeing events alone."""
    steps = [StepSummary(step=name, solid=name, status=status) for name, status in statuses.items()]
    return RunSummary("run-1", "killed", "p", "default", "failed", 100.0, 5.0, steps, message="as written")


def facts(
    events: list[AnyEvent],
    summary: RunSummary | None,
    state: Execution | None,
    invocations: list[Invocation],
    record: RunRecord = RECORD,
) -> RunFacts:
    return run_facts(PLAN, record, events, summary, state, invocations, {}, now=110.0)


def done(*steps: str, attempt: int = 1) -> list[AnyEvent]:
    """Events of steps that succeeded."""
    found: list[AnyEvent] = []
    for step in steps:
        common: dict[str, Any] = {
            "run": "run-1",
            "pipeline": "killed",
            "step": step,
            "attempt": attempt,
            "time": 1.0,
            "elapsed_s": 0.0,
        }
        found += [StepStart(seq=1, solid=step, **common), StepSuccess(seq=2, duration_s=0.5, **common)]
    return found


def statuses(found: RunFacts) -> dict[str, str]:
    return {step.step: step.status for step in found.summary.steps}


KILLED = read_history(histories.first("killed")).invocations
RUNNING = read_history(histories.first("running")).invocations
STOPPED = read_history(histories.stopped()).invocations


def test_killed_and_throttled_steps_have_failed() -> None:
    """Where End run found no trace; the message says of what, and that no step is without a trace any more."""
    summary = stored(fine="success", endless="not reached", greedy="not reached", busy="success", broken="failed")
    events = [*done("fine", "after"), *done("busy", attempt=3)]
    found = facts(events, summary, execution("FAILED", "RunFailed"), KILLED)
    assert statuses(found) == {
        "fine": "success",
        "endless": "failed",
        "after": "success",
        "greedy": "failed",
        "busy": "success",
        "broken": "failed",
    }
    errors = {step.step: step.error for step in found.summary.steps if step.error is not None}
    assert {name: (error.type, error.hint) for name, error in errors.items()} == {
        "endless": (
            "Sandbox.Timedout",
            "raise `Compute(timeout_s=...)` of solid `endless` (now 3), or split its work",
        ),
        "greedy": (
            "Runtime.ExitError",
            "raise `Compute(memory_mb=...)` of solid `greedy` (now 256), or work in smaller pieces",
        ),
        "broken": ("StepFailed", ""),
    }
    assert [step.attempts for step in found.summary.steps if step.step == "endless"] == [2]
    assert found.summary.message.startswith("3 steps failed: `endless`, `greedy`, `broken`\n  `endless`: Sandbox.Time")
    assert (found.summary.status, found.summary.duration_s, found.why) == ("failed", 5.0, "")


def test_a_run_that_goes_on_says_what_is_running() -> None:
    """What has begun, what has not; no end, and no failure for what may still be repeated."""
    found = facts(done("fine", "busy"), None, execution("RUNNING"), RUNNING)
    assert found.running == [("greedy", "")]
    assert statuses(found)["greedy"] == "running"
    waiting = [step for step in found.summary.steps if step.status == "not reached"]
    assert {step.reason for step in waiting} <= {WAITING}
    assert (found.summary.status, found.summary.duration_s, found.summary.message) == ("running", 10.0, "")
    assert isinstance(found.events[0], RunStart)
    assert not any(isinstance(event, RunFailure) for event in found.events)


def test_an_end_that_was_recorded_is_newer_than_the_history() -> None:
    """The history was read a moment before the step's events."""
    found = facts(done("greedy"), None, execution("RUNNING"), RUNNING)
    assert (found.running, statuses(found)["greedy"]) == ([], "success")


def test_a_run_that_was_stopped_is_cancelled() -> None:
    """With who said so; what ran then is named, and what was never begun."""
    found = facts(done("fine"), None, execution("ABORTED", "Cancelled", "enough"), STOPPED)
    reasons = {step.step: step.reason for step in found.summary.steps if step.status == "not reached"}
    assert reasons["greedy"] == LEFT_ALONE
    assert (found.summary.status, found.summary.duration_s, found.running) == ("cancelled", 7.0, [])
    assert found.why == "the execution was stopped: Cancelled: enough"
    assert found.summary.message.startswith(
        "the execution was stopped: Cancelled: enough\nThe run was stopped; without"
    )
    last = found.events[-1]
    assert isinstance(last, RunFailure)
    assert last.message == found.summary.message


def test_a_stopped_run_stays_cancelled_whatever_was_recorded() -> None:
    """End run may have been running when it was stopped."""
    summary = stored(fine="success")
    assert status_of(summary, execution("ABORTED")) == "cancelled"
    assert facts([], summary, execution("ABORTED"), []).why == "the execution was stopped"


def test_an_execution_that_breaks_down_says_why() -> None:
    """Before End run: steps that were never begun have left no trace, and the error of the service is explained."""
    found = facts(done("fine"), None, execution("FAILED", "States.DataLimitExceeded"), [])
    assert found.why == (
        "the execution ended as FAILED: States.DataLimitExceeded: more than 262,144 bytes were to travel through the "
        "state machine\n  fix: keep large values out of the run request: put them in S3 and pass their address"
    )
    assert found.summary.message.startswith(f"{found.why}\n5 steps left no trace (killed, throttled or never started)")
    assert {step.reason for step in found.summary.steps if step.status == "not reached"} == {NO_TRACE}


def test_without_an_execution_the_record_is_all_there_is() -> None:
    """Step Functions forgets after 90 days."""
    assert facts([], stored(fine="success"), None, []).summary.status == "failed"
    assert facts([], None, None, []).summary.status == "interrupted"


def test_steps_that_were_not_selected_stay_out() -> None:
    """As the request says."""
    record = RunRecord("run-1", "killed", "p", "default", 100.0, {"steps": ["fine"]}, execution="arn")
    found = facts(done("fine"), None, execution("RUNNING"), [], record)
    assert set(statuses(found).values()) == {"success", "not selected"}
    begin = found.events[0]
    assert isinstance(begin, RunStart)
    assert begin.steps == 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (execution("TIMED_OUT"), "the execution ended as TIMED_OUT: TIMED_OUT"),
        (execution("FAILED", "States.Runtime", "no path"), "the execution ended as FAILED: States.Runtime: no path"),
    ],
)
def test_what_an_execution_died_of(state: Execution, said: str) -> None:
    """Its status, the error's name and cause."""
    assert died_of(state) == said
