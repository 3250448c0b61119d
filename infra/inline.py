"""The inline engine: the plan in one process, without AWS, through the very functions the Lambda handler calls.

Values make the same way through the store as they would through S3, so what cannot be stored or does not fit its type
fails here exactly as it would there. One thing is not imitated: nothing ends a step that takes longer than its
``Compute.timeout_s``, because a thread cannot be stopped from outside; ``context.remaining_time_s`` tells the truth.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

import msgspec

from solidstate.errors import SolidstateError, StorageUnavailable
from solidstate.handler.end import close
from solidstate.handler.items import items_to_run
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.pauses import delay_after
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.handler.start import begin
from solidstate.handler.step import run_step
from solidstate.planner.contract import MapItem, RunHandle, StepPayload, retry_for
from solidstate.planner.plan import Retry, Step
from solidstate.planner.retries import SERVICE, policy_of
from solidstate.storage.records import RunSummary

_numbers = itertools.count(1)
_SERVICE = policy_of(SERVICE)


class InlineInvocation:
    """What stands in for Lambda's context object: a fresh request id, and the time the step asked for. ``process``
    names this process, for whoever has asked for its number already."""

    __slots__ = ("_deadline", "aws_request_id")

    def __init__(self, timeout_s: float, process: str = "") -> None:
        self.aws_request_id = f"{process or _process()}-{next(_numbers)}"
        self._deadline = time.monotonic() + timeout_s

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def _process() -> str:
    return f"{os.getpid():x}"


def run_inline(
    runtime: Runtime,
    loaded: LoadedPipeline,
    document: Any,
    run_id: str,
    *,
    on_failure: Callable[[AttemptFailed], None] | None = None,
) -> RunSummary:
    """Run every step in plan order and close the run. Raises RequestErrors before anything is written.

    ``runtime.sleep`` waits between attempts. Ctrl-C closes the run as cancelled, with what was done kept, and goes on
    up.
    """
    attempts = run_attempts(runtime, loaded, document, run_id, on_failure=on_failure)
    while True:
        try:
            next(attempts)
        except StopIteration as ended:
            summary: RunSummary = ended.value
            return summary


def run_attempts(
    runtime: Runtime,
    loaded: LoadedPipeline,
    document: Any,
    run_id: str,
    *,
    on_failure: Callable[[AttemptFailed], None] | None = None,
) -> Generator[None, None, RunSummary]:
    """As :func:`run_inline`, one attempt at a time: yields when the run has begun and after each attempt. A generator
    that is closed before its end closes the run as cancelled."""
    handle = begin(runtime, loaded, document, run_id, "")
    process = _process()
    try:
        yield
        for step in loaded.plan.steps:
            for item in _items(runtime, loaded, handle, step):
                tries = _Tries()
                wait: float | None = 0.0
                while wait is not None:
                    if wait:
                        runtime.sleep(wait)
                    payload = StepPayload(step.name, handle, tries.failed + tries.unavailable)
                    if item is not None:
                        payload = msgspec.structs.replace(payload, item=item.key, entry=item.entry)
                    invocation = InlineInvocation(step.compute.timeout_s, process)
                    wait = _attempted(runtime, step, payload, invocation, tries, on_failure)
                    yield
    except (KeyboardInterrupt, GeneratorExit):
        close(runtime, loaded, handle, ended="cancelled")
        raise
    except BaseException:  # the store gave up, or a bug of ours: what was done is kept if that is possible
        with contextlib.suppress(SolidstateError):
            close(runtime, loaded, handle, ended="failed")
        raise
    return close(runtime, loaded, handle)


def _items(runtime: Runtime, loaded: LoadedPipeline, handle: RunHandle, step: Step) -> Sequence[MapItem | None]:
    """The items to run a mapped step for, in the order they were yielded; any other step is run once, for none."""
    if step.map_over is None:
        return [None]
    return items_to_run(runtime, loaded, handle, step.map_over, [step.name])


class _Tries:
    """How often a step has failed, and how often the store did not answer it: each has a retrier of its own."""

    failed = 0
    unavailable = 0


def _attempted(
    runtime: Runtime,
    step: Step,
    payload: StepPayload,
    invocation: InlineInvocation,
    tries: _Tries,
    on_failure: Callable[[AttemptFailed], None] | None,
) -> float | None:
    """Run one attempt. Seconds until the next one, as the state machine would have it; None when there is none."""
    try:
        run_step(runtime, payload, invocation, answer=False)
    except AttemptFailed as failed:
        error = failed
    except StorageUnavailable:  # when its retrier gives up, the step has left nothing
        tries.unavailable += 1
        return _delay(_SERVICE, tries.unavailable)
    else:
        return None
    if on_failure is not None:
        on_failure(error)
    tries.failed += 1
    retry = retry_for(step, type(error).__name__)
    return _delay(retry, tries.failed) if retry is not None else None


def _delay(retry: Retry, attempts: int) -> float | None:
    """Seconds after that many attempts; None when they were all there are."""
    if attempts >= retry.max_attempts:
        return None
    delay = delay_after(retry, attempts)
    return random.uniform(0, delay) if retry.jitter else delay  # noqa: S311 - spreads load, guards nothing
