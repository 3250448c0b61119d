"""How often a step's own code has failed before, as far as that is on record.

Step Functions counts the attempts that each retrier has granted, and tells the function their sum alone
(``$$.State.RetryCount``): after a throttled invocation, a store that did not answer or a function that was killed, the
sum says more than what a solid's RetryPolicy is about.
"""

from __future__ import annotations

from collections.abc import Iterable

from solidstate.errors import SolidstateError
from solidstate.events import AnyEvent, StepFailure, StepRetry
from solidstate.handler.attempt import Attempt
from solidstate.storage.attempts import recorded_attempts


def failed_before(attempt: Attempt) -> int:
    """Attempts before this one whose failure counts towards the solid's RetryPolicy: one LIST, one GET for each record.

    Where they cannot be read, every attempt before this one counts.
    """
    if attempt.number == 1:
        return 0
    run, step = attempt.run, attempt.step.name
    try:
        return failures_in(recorded_attempts(attempt.store, run.pipeline, step, run.id, attempt.item), attempt.number)
    except SolidstateError:
        return attempt.number - 1


def failures_in(records: Iterable[list[AnyEvent]], number: int) -> int:
    """Of the attempts before attempt ``number``, those that failed and were to be followed by another.

    A failure that none follows ends a series: after it there is only a redrive, which counts from one again. So what
    began before the last of these is left out, and of several records of one number only one counts.
    """
    known = [events for events in records if events]
    ended = max((one[0].time for one in known if _has(one, StepFailure)), default=0.0)
    again = (one[0] for one in known if _has(one, StepRetry))
    return len({first.attempt for first in again if first.time > ended and first.attempt < number})


def _has(events: list[AnyEvent], kind: type[StepFailure | StepRetry]) -> bool:
    return any(type(event) is kind for event in events)
