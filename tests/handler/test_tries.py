"""How many attempts of a step have failed by its own doing, told from what they have left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from solidstate import HookContext, RetryPolicy, failure_hook, pipeline_from_dependencies, solid
from solidstate.errors import StorageUnavailable
from solidstate.events import AnyEvent, ErrorInfo, StepFailure, StepRetry, StepStart
from solidstate.handler.tries import failures_in
from solidstate.storage.memory import MemoryStore

if TYPE_CHECKING:
    from tests.handler.conftest import Bench

RETRY, FAILURE, NOTHING = "retry", "failure", "nothing"
ALARMS: list[int] = []
LAPSES: list[int] = []


def left(number: int, time: float, ending: str) -> list[AnyEvent]:
    """What attempt ``number`` has left that began at ``time``."""
    who: dict[str, Any] = {"run": "r", "pipeline": "p", "step": "s", "attempt": number, "time": time, "elapsed_s": 0.0}
    events: list[AnyEvent] = [StepStart(seq=1, solid="s", **who)]
    error = ErrorInfo("OSError", "no")
    if ending == RETRY:
        events.append(StepRetry(seq=2, duration_s=0.0, error=error, delay_s=1, **who))
    if ending == FAILURE:
        events.append(StepFailure(seq=2, duration_s=0.0, error=error, **who))
    return events


@pytest.mark.parametrize(
    ("records", "number", "count"),
    [
        ([], 3, 0),
        ([(1, 10, RETRY), (2, 20, RETRY)], 3, 2),
        ([(1, 10, RETRY), (2, 20, NOTHING)], 3, 1),
        ([(2, 20, RETRY)], 5, 1),
        ([(1, 10, RETRY), (1, 11, RETRY)], 2, 1),
        ([(1, 10, RETRY), (2, 20, FAILURE)], 2, 0),
        ([(1, 10, RETRY), (2, 20, FAILURE), (1, 30, RETRY)], 2, 1),
        ([(1, 10, RETRY), (2, 20, FAILURE), (1, 30, NOTHING), (2, 40, RETRY)], 3, 1),
    ],
    ids=[
        "nothing on record",
        "two failures",
        "one failed, one was killed",
        "the first was never run",
        "a duplicate",
        "a redrive whose first attempt left nothing",
        "a redrive whose first attempt failed",
        "a redrive with a failure and a killed attempt",
    ],
)
def test_what_counts(records: list[tuple[int, float, str]], number: int, count: int) -> None:
    """Each attempt once, those of the present series alone, and of them those that say so."""
    assert failures_in([left(*record) for record in records], number) == count


@failure_hook
def alarm(context: HookContext) -> None:
    ALARMS.append(context.attempt)


@solid(retry=RetryPolicy(max_attempts=2, delay_s=3, backoff=2.0), hooks=[alarm])
def wobbly() -> None:
    if LAPSES and LAPSES.pop():
        raise StorageUnavailable("The store does not answer.")
    raise OSError("no")


def test_the_policy_is_about_the_solids_own_failures(bench: type[Bench]) -> None:
    """Two lapses of the store come first: the third attempt is up for a retry, and only the fourth has failed."""
    ALARMS.clear()
    LAPSES[:] = [1, 1]
    run = bench(pipeline_from_dependencies("p", [wobbly], {}))
    for number in (0, 1):
        with pytest.raises(StorageUnavailable):
            run.step("wobbly", number)
    run.fails("wobbly", 2)
    assert ALARMS == []
    (again,) = [event for event in run.events("wobbly") if isinstance(event, StepRetry)]
    assert (again.attempt, again.delay_s) == (3, 3.0)
    run.fails("wobbly", 3)
    assert ALARMS == [4]
    assert [(e.attempt, type(e)) for e in run.events("wobbly") if isinstance(e, (StepRetry, StepFailure))] == [
        (3, StepRetry),
        (4, StepFailure),
    ]


def test_where_nothing_can_be_listed_every_attempt_counts(bench: type[Bench]) -> None:
    """As Step Functions has it when nothing but the solid fails."""

    class Unlisted(MemoryStore):
        """Lists nothing."""

        def list(self, prefix: str) -> Any:
            raise StorageUnavailable(f"No list of {prefix}.")

    ALARMS.clear()
    LAPSES.clear()
    run = bench(pipeline_from_dependencies("p", [wobbly], {}), store=Unlisted())
    run.fails("wobbly", 1)
    assert ALARMS == [2]
    run.fails("wobbly", 2)  # one more than the policy has, as when the answer to the last was lost
    assert ALARMS == [2, 3]
