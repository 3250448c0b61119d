"""Results by solid, by event and by value; a run driven by its reader; retries under a clock of the test's own."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate import (
    ExpectationResult,
    Failure,
    Materialization,
    Output,
    PipelineFailed,
    RequestErrors,
    RetryPolicy,
    RetryRequested,
    execute_pipeline,
    execute_pipeline_iterator,
    pipeline,
    solid,
)
from solidstate.errors import SolidstateError
from solidstate.events import AnyEvent, StepExpectation, StepRetry, kind_of
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.inline import run_attempts
from solidstate.planner.build import build_plan
from solidstate.storage.files import open_memory
from solidstate.storage.history import summary_of
from solidstate.storage.memory import MemoryStore

tries: list[int] = []


@solid
def make(context: Any) -> Any:
    yield Materialization("report", path="/tmp/report")  # noqa: S108 - not opened
    yield ExpectationResult(success=True, label="there", severity="warn")
    yield Output(3)


@solid
def spoil(number: int) -> int:
    raise Failure("not today", {"number": number}, hint="come back tomorrow")


@solid
def after(number: int) -> int:
    return number


@pipeline
def doomed() -> None:
    after(spoil(make()))


def test_results_by_solid() -> None:
    """Values, materializations, expectations, the failure with its facts and its way out, who was skipped and why."""
    result = execute_pipeline(doomed, raise_on_error=False)
    made, spoilt = result.result_for_solid("make"), result.result_for_solid("spoil")
    assert (made.output_value(), result.output_value("make"), made.outputs) == (3, 3, {"result": 3})
    assert [(m.label, m.path) for m in made.materializations] == [("report", "/tmp/report")]  # noqa: S108
    assert [e.label for e in made.expectations] == ["there"]
    assert made.warnings == []
    failure = spoilt.failure
    assert failure is not None
    assert (failure.message, failure.metadata, failure.hint) == ("not today", {"number": 3}, "come back tomorrow")
    assert (made.failure, list(result.failures)) == (None, ["spoil"])
    assert result.result_for_solid("after").skipped


def test_events_by_kind() -> None:
    """By class or by name, of the run or of one solid."""
    result = execute_pipeline(doomed, raise_on_error=False)
    assert [event.label for event in result.events_of_kind(StepExpectation)] == ["there"]
    assert [event.step for event in result.events_of_kind("step_start")] == ["make", "spoil", "after"]
    assert not result.result_for_solid("make").events_of_kind("step_failure")
    assert [kind_of(event) for event in result.result_for_solid("after").events] == ["step_start", "step_skipped"]


def test_raising_later() -> None:
    """What `raise_on_error` would have raised, with the step's own exception as its cause."""
    result = execute_pipeline(doomed, raise_on_error=False)
    with pytest.raises(PipelineFailed) as caught:
        result.raise_on_error()
    assert isinstance(caught.value.__cause__, Failure)
    assert caught.value.result is result
    fine = execute_pipeline(doomed, {"steps": "make"})
    assert fine.raise_on_error() is fine


def test_an_unknown_step_is_refused() -> None:
    """With the closest name."""
    with pytest.raises(SolidstateError) as caught:
        execute_pipeline(doomed, raise_on_error=False).result_for_solid("spoli")
    assert str(caught.value) == (
        "There is no step `spoli`; steps: `make`, `spoil`, `after`.\n  fix: did you mean `spoil`?"
    )


def test_events_while_it_runs() -> None:
    """The next attempt starts only when what came before was taken; the same events are in the result."""
    seen: list[AnyEvent] = []
    iterator = execute_pipeline_iterator(doomed)
    for event in iterator:
        if kind_of(event) == "step_start":
            assert [kind_of(e) for e in seen].count("step_start") == len({e.step for e in seen if e.step})
        seen.append(event)
    assert [kind_of(event) for event in seen if event.step != "make"] == [
        "run_start",
        "step_start",
        "step_input",
        "step_failure",
        "step_start",
        "step_skipped",
        "run_failure",
    ]
    assert [e for e in iterator.result.events if e.step] == [e for e in seen if e.step]
    assert iterator.result.summary.status == "failed"


def test_a_bad_request_is_refused_at_once() -> None:
    """Not when the first event is asked for."""
    with pytest.raises(RequestErrors):
        execute_pipeline_iterator(doomed, {"solids": {"mkae": {}}})


def test_leaving_early_stops_the_run() -> None:
    """No further step runs, and there is no result."""
    with execute_pipeline_iterator(doomed) as iterator:
        with pytest.raises(SolidstateError, match=r"^The run has not ended\."):
            _ = iterator.result
        for event in iterator:
            if kind_of(event) == "step_success":
                break
    assert list(iterator) == []
    with pytest.raises(SolidstateError) as caught:
        _ = iterator.result
    assert str(caught.value) == (
        "The run was stopped before its end.\n  fix: take all events first: `for event in iterator: ...`"
    )


def test_a_run_that_was_left_is_on_record_as_cancelled() -> None:
    """With what was done kept."""
    loaded, store = LoadedPipeline(doomed, build_plan(doomed)), MemoryStore()
    runtime = Runtime([loaded], store, engine="test", open_fs=open_memory)
    driven = run_attempts(runtime, loaded, {}, "run-1")
    next(driven)
    next(driven)
    driven.close()
    summary = summary_of(store, "doomed", "run-1")
    assert (summary.status, [step.status for step in summary.steps]) == (
        "cancelled",
        ["success", "not reached", "not reached"],
    )


def attempts(policy: RetryPolicy | None, error: Exception) -> tuple[list[float], list[float]]:
    """The pauses of a solid that raises twice and then succeeds, and those its events announced."""
    slept: list[float] = []
    tries.clear()

    @solid(retry=policy)
    def unsteady() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise error
        return 1

    @pipeline
    def steady() -> None:
        unsteady()

    result = execute_pipeline(steady, sleep=slept.append)
    assert [(e.attempt, kind_of(e)) for e in result.events if e.step and kind_of(e) != "step_output"] == [
        (1, "step_start"),
        (1, "step_up_for_retry"),
        (2, "step_start"),
        (2, "step_up_for_retry"),
        (3, "step_start"),
        (3, "step_success"),
    ]
    return slept, [event.delay_s for event in result.events_of_kind(StepRetry)]


def test_policies_are_honoured_under_any_clock() -> None:
    """Each attempt is visible, and no test has to wait."""
    policy = RetryPolicy(max_attempts=3, delay_s=10, backoff=3.0, max_delay_s=25)
    assert attempts(policy, OSError("later")) == ([10.0, 25.0], [10.0, 25.0])
    jittery = RetryPolicy(max_attempts=3, delay_s=10, backoff=1.0, jitter=True)
    slept, announced = attempts(jittery, OSError("later"))
    assert announced == [10.0, 10.0]
    assert all(0 <= pause <= 10 for pause in slept)


def test_an_asked_pause_is_kept() -> None:
    """What exceeds the policy's own is waited for inside the attempt, on every engine alike."""
    assert attempts(None, RetryRequested("busy", delay_s=5)) == ([4.0, 1.0, 3.0, 2.0], [5.0, 5.0])
    assert attempts(None, RetryRequested("busy", delay_s=0.5)) == ([1.0, 2.0], [1.0, 2.0])
    assert attempts(None, RetryRequested("busy")) == ([1.0, 2.0], [1.0, 2.0])


def test_a_pause_that_is_too_long_is_refused() -> None:
    """A function that sleeps is paid for; a policy's pause is not."""
    with pytest.raises(SolidstateError) as caught:
        RetryRequested("busy", delay_s=300)
    assert str(caught.value) == (
        "`RetryRequested.delay_s` must be a number of seconds from 0 to 60, got 300.\n"
        "  fix: for longer pauses give the solid a policy: `retry=RetryPolicy(delay_s=300)`"
    )
