"""End run: what every step left behind, boiled down."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from solidstate import DynamicOut, DynamicOutput, RetryPolicy, pipeline, solid
from solidstate.errors import MissingObject
from solidstate.events import AnyEvent, RunFailure, RunStart, kind_of
from solidstate.handler.end import end_run
from solidstate.handler.outcome import RunFailed
from solidstate.planner.contract import EndPayload
from solidstate.storage.history import events_of, record_of, summary_of
from solidstate.storage.memory import MemoryStore

if TYPE_CHECKING:
    from tests.handler.conftest import Bench

FLAGS: dict[str, bool] = {}


@solid
def load() -> bytes:
    return b"1234567"


@solid(retry=RetryPolicy(max_attempts=3))
def flaky(context: Any, data: bytes) -> int:
    context.log.info("trying")
    if context.attempt == 1 or FLAGS.get("always"):
        raise OSError(f"attempt {context.attempt}")
    return len(data)


@solid
def after(n: int) -> int:
    return n


@pipeline
def flow() -> None:
    after(flaky(load()))


@solid(outs={"items": DynamicOut(int)})
def deal() -> Any:
    yield DynamicOutput(1, "one", "items")


@pipeline
def mapped() -> None:
    deal().map(after)


@pytest.fixture(autouse=True)
def _clean() -> None:
    FLAGS.clear()


def test_mixed_attempts_sum_up_to_the_last(bench: type[Bench]) -> None:
    """Sizes, durations and errors are those of the attempt that decided; the events are those of all."""
    run = bench(flow)
    run.step("load")
    run.fails("flaky")
    run.step("flaky", retry=1)
    run.step("after")
    summary = run.close()
    assert (summary.status, summary.message) == ("success", "")
    step = summary.steps[1]
    assert (step.step, step.status, step.attempts, step.error, step.reason) == ("flaky", "success", 2, None, "")
    assert (step.inputs, step.outputs) == ({"data": 7}, {"result": 1})
    events = list(events_of(run.store, summary))
    story = [(event.attempt, kind_of(event)) for event in events if event.step == "flaky"]
    tried = [(1, "step_start"), (1, "step_input"), (1, "log"), (1, "step_up_for_retry")]
    done = [(2, "step_start"), (2, "step_input"), (2, "log"), (2, "step_output"), (2, "step_success")]
    assert story == tried + done
    assert summary_of(run.store, "flow", "run-1") == summary


def test_a_failure_names_step_error_line_and_what_was_skipped(bench: type[Bench]) -> None:
    """The cause of the failed execution reads like this."""
    FLAGS["always"] = True
    run = bench(flow)
    run.step("load")
    run.fails("flaky")
    failed = run.fails("flaky", retry=1)
    run.fails("flaky", retry=2)
    run.step("after")
    with pytest.raises(RunFailed) as caught:
        end_run(run.runtime, EndPayload(run.run))
    assert failed.error.place is not None
    where = f"{failed.error.place.file}:{failed.error.place.line}"
    assert str(caught.value) == (
        "1 step failed: `flaky`\n  `flaky`: OSError: attempt 3\n"
        f'    at {where}: raise OSError(f"attempt {{context.attempt}}")'
    )
    summary = summary_of(run.store, "flow", "run-1")
    assert [(step.step, step.status, step.attempts) for step in summary.steps] == [
        ("load", "success", 1),
        ("flaky", "failed", 3),
        ("after", "skipped", 1),
    ]
    assert summary.steps[2].reason == "upstream `flaky` did not succeed"
    last = list(events_of(run.store, summary))[-1]
    assert isinstance(last, RunFailure)
    assert (last.failed, last.seq) == (["flaky"], 2)


def test_a_step_that_was_killed_left_no_trace(bench: type[Bench]) -> None:
    """Out of time or memory, throttled, or never started: all that can be said."""
    run = bench(flow)
    run.step("load")
    summary = run.close()
    assert [step.status for step in summary.steps] == ["success", "not reached", "not reached"]
    assert summary.status == "failed"
    assert summary.message == "2 steps left no trace (killed, throttled or never started): `flaky`, `after`"


def test_a_result_that_came_too_late_is_no_success(bench: type[Bench]) -> None:
    """An attempt that was believed to be dead commits after those that read it were skipped: nothing has failed, but
    not everything has run."""
    run = bench(flow)
    run.step("load")
    assert run.step("after").status == "skipped"
    run.step("flaky", retry=1)
    summary = run.close()
    assert [step.status for step in summary.steps] == ["success", "success", "skipped"]
    assert (summary.status, summary.message) == (
        "failed",
        "1 step did not run, because a result that it reads came too late: `after`\n"
        "    fix: start a new run that reuses this one",
    )
    run.step("after")
    assert run.close().status == "success"


class Late(MemoryStore):
    """An object that is there only from the second time on that it is asked for."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key
        self.asked = 0

    def get(self, key: str) -> bytes:
        if key == self._key and self.asked:
            self.asked -= 1
            raise MissingObject(f"There is no object `{key}`.", subject=key)
        return super().get(key)


def test_items_that_nobody_knew_of_are_no_success(bench: type[Bench]) -> None:
    """The producer's result comes while End run looks: what was mapped over it has not run for any item."""
    store = Late("v1/commits/mapped/deal/run-1.ndjson")
    run = bench(mapped, store=store)
    run.step("deal")
    store.asked = 1
    summary = run.close()
    assert [step.status for step in summary.steps] == ["success", "not reached"]
    assert summary.status == "failed"


def test_a_killed_retry_leaves_the_earlier_failure(bench: type[Bench]) -> None:
    """The last word counts."""
    run = bench(flow)
    run.step("load")
    run.fails("flaky")
    step = run.close().steps[1]
    assert step.error is not None
    assert (step.status, step.attempts, step.error.message) == ("failed", 1, "attempt 1")


def test_a_redrive_counts_attempts_from_one_again(bench: type[Bench]) -> None:
    """The later of two attempts with the same number decides."""
    run = bench(flow)
    run.step("load")
    FLAGS["always"] = True
    for _ in range(6):  # request ids are random: in whichever order they sort, the last failure is the last
        run.fails("flaky")
        time.sleep(0.002)
    times = [event.time for event in run.events("flaky")]
    assert times == sorted(times)


def test_the_run_begins_when_it_began(bench: type[Bench]) -> None:
    """The merged events open with the time of the record, not of the summary."""
    run = bench(flow)
    time.sleep(0.01)
    summary = run.close()
    start = next(iter(events_of(run.store, summary)))
    assert isinstance(start, RunStart)
    assert (start.time, start.steps) == (record_of(run.store, "flow", "run-1").started_at, 3)
    assert summary.duration_s >= 0.01


def test_many_steps_are_read_at_a_time(bench: type[Bench]) -> None:
    """With the same result as one by one."""

    @pipeline
    def wide() -> None:
        for number in range(12):
            load.alias(f"load_{number}")()

    def facts(events: list[AnyEvent]) -> list[tuple[str, str]]:
        return [(event.step, kind_of(event)) for event in events]

    one, many = bench(wide, workers=1).all(), bench(wide, workers=8).all()
    assert facts(list(events_of(one.store, one.close()))) == facts(list(events_of(many.store, many.close())))
