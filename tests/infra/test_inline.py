"""The inline engine repeats, skips and ends as the state machine does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from solidstate import Failure, RetryPolicy, RetryRequested, pipeline, solid
from solidstate.errors import RequestErrors, StorageError, StorageUnavailable
from solidstate.events import kind_of
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.inline import InlineInvocation, run_inline
from solidstate.planner.build import build_plan
from solidstate.storage.files import open_memory
from solidstate.storage.history import events_of, list_runs, summary_of
from solidstate.storage.memory import MemoryStore
from solidstate.storage.records import RunSummary

TRIED: list[tuple[str, int]] = []


@solid(retry=RetryPolicy(max_attempts=3, delay_s=2, backoff=3.0))
def flaky(context: Any, limit: int = 3) -> int:
    TRIED.append(("flaky", context.attempt))
    if context.attempt < limit:
        raise OSError(f"attempt {context.attempt}")
    return int(context.attempt)


@solid
def asking(context: Any) -> int:
    TRIED.append(("asking", context.attempt))
    raise RetryRequested("busy")


@solid(retry=RetryPolicy(max_attempts=5))
def hopeless() -> int:
    TRIED.append(("hopeless", 1))
    raise Failure("never")


@solid
def after(n: int) -> int:
    return n


@solid
def stop() -> None:
    raise KeyboardInterrupt


@pipeline
def retries() -> None:
    after.alias("fine")(flaky())
    after.alias("skipped")(hopeless())
    asking()


@solid
def five() -> int:
    return 5


OUTAGE = [0]


@solid
def remote() -> int:
    TRIED.append(("remote", 1))
    if len(TRIED) <= OUTAGE[0]:
        raise StorageUnavailable("The secret could not be fetched.")
    return 1


@pipeline
def reaching() -> None:
    after(remote())
    five()


@pipeline
def stopped() -> None:
    flaky()
    stop()
    asking()


class Full(MemoryStore):
    """Takes no commits."""

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        if key.startswith(("v1/commits/", "v1/attempts/")):
            raise StorageError("Could not write: no space left.")
        return super().put(key, body, if_absent=if_absent)


def runtime_of(
    definition: Any, store: MemoryStore, sleep: Callable[[float], None] = lambda _: None
) -> tuple[Runtime, LoadedPipeline]:
    """What the engine needs."""
    loaded = LoadedPipeline(definition, build_plan(definition))
    return Runtime([loaded], store, engine="inline", open_fs=open_memory, fetch_workers=1, sleep=sleep), loaded


@pytest.fixture(autouse=True)
def _clean() -> None:
    TRIED.clear()


def test_retries_skips_and_siblings() -> None:
    """Delays grow as declared; asking alone gives three attempts; Failure none more; the others go on."""
    waits: list[float] = []
    store = MemoryStore()
    runtime, loaded = runtime_of(retries, store, waits.append)
    summary = run_inline(runtime, loaded, {}, "r")
    assert summary.status == "failed"
    assert {s.step: (s.status, s.attempts) for s in summary.steps} == {
        "flaky": ("success", 3),
        "fine": ("success", 1),
        "hopeless": ("failed", 1),
        "skipped": ("skipped", 1),
        "asking": ("failed", 3),
    }
    assert waits == [2, 6, 1, 2]
    assert summary_of(store, "retries", "r") == summary


@pytest.mark.parametrize(
    ("outage", "status", "ended"), [(2, "success", ("success", 3)), (6, "failed", ("not reached", 0))]
)
def test_a_store_that_does_not_answer_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, outage: int, status: str, ended: tuple[str, int]
) -> None:
    """Five times more, ever longer, whatever the step's own policy is; then the others go on."""
    monkeypatch.setattr(f"{__name__}.OUTAGE", [outage])
    waits: list[float] = []
    runtime, loaded = runtime_of(reaching, MemoryStore(), waits.append)
    summary = run_inline(runtime, loaded, {}, "r")
    assert summary.status == status
    steps = {step.step: (step.status, step.attempts) for step in summary.steps}
    assert (steps["remote"], steps["five"]) == (ended, ("success", 1))
    assert len(waits) == min(outage, 5)
    assert all(0 <= wait <= 2**n for n, wait in enumerate(waits))


def test_ctrl_c_closes_the_run_as_cancelled() -> None:
    """With what was done, and the step that was stopped."""
    store = MemoryStore()
    runtime, loaded = runtime_of(stopped, store)
    with pytest.raises(KeyboardInterrupt):
        run_inline(runtime, loaded, {}, "r")
    (summary,) = list_runs(store)
    assert (summary.status, summary.message) == ("cancelled", "The run was stopped; without a result: `stop`, `asking`")
    assert [step.status for step in summary.steps] == ["success", "failed", "not reached"]
    kinds = [kind_of(event) for event in events_of(store, summary)]
    assert (kinds[-2], kinds[-1]) == ("step_start", "run_failure")


def test_ctrl_c_while_waiting_for_a_retry_is_no_different() -> None:
    """It may come at any time."""

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    store = MemoryStore()
    runtime, loaded = runtime_of(retries, store, interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_inline(runtime, loaded, {}, "r")
    assert list_runs(store)[0].status == "cancelled"


def test_a_wrong_request_leaves_nothing() -> None:
    """It is refused before anything is written."""
    store = MemoryStore()
    runtime, loaded = runtime_of(retries, store)
    with pytest.raises(RequestErrors):
        run_inline(runtime, loaded, {"mode": "x"}, "r")
    assert list(store.list("")) == []


def test_a_store_that_takes_nothing_fails_steps_not_the_engine() -> None:
    """The run ends, and says what it could not find."""
    store = Full()
    runtime, loaded = runtime_of(retries, store)
    summary: RunSummary = run_inline(runtime, loaded, {}, "r")
    assert summary.status == "failed"
    assert {step.status for step in summary.steps} == {"not reached"}


def test_remaining_time_counts_down_and_stops_at_zero() -> None:
    """It is told truly, though nothing ends a step here."""
    assert 1900 < InlineInvocation(2).get_remaining_time_in_millis() <= 2000
    assert InlineInvocation(-1).get_remaining_time_in_millis() == 0
