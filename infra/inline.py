"""The inline engine: the plan in one process, without AWS, through the very functions the Lambda handler calls.

Values make the same way through the store as they would through S3, so what cannot be stored or does not fit its type
fails here exactly as it would there. One thing is not imitated: nothing ends a step that takes longer than its
``Compute.timeout_s``, because a thread cannot be stopped from outside; ``context.remaining_time_s`` tells the truth.
"""

from __future__ import annotations

import contextlib
import random
import time
import uuid
from collections.abc import Callable
from typing import Any

from solidstate.errors import SolidstateError
from solidstate.handler.end import close
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.handler.start import begin
from solidstate.handler.step import delay_after, run_step
from solidstate.planner.contract import RunHandle, StepPayload, retry_for
from solidstate.storage.records import RunSummary


class InlineInvocation:
    """What stands in for Lambda's context object: a fresh request id, and the time the step asked for."""

    __slots__ = ("_deadline", "aws_request_id")

    def __init__(self, timeout_s: float) -> None:
        self.aws_request_id = uuid.uuid4().hex
        self._deadline = time.monotonic() + timeout_s

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def run_inline(
    runtime: Runtime,
    loaded: LoadedPipeline,
    document: Any,
    run_id: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
    on_failure: Callable[[AttemptFailed], None] | None = None,
) -> RunSummary:
    """Run every step in plan order and close the run. Raises RequestErrors before anything is written.

    Ctrl-C closes the run as cancelled, with what was done kept, and goes on up.
    """
    handle = begin(runtime, loaded, document, run_id, "")
    try:
        for step in loaded.plan.steps:
            _run_with_retries(runtime, loaded, handle, step.name, sleep, on_failure)
    except KeyboardInterrupt:
        close(runtime, loaded, handle, ended="cancelled")
        raise
    except BaseException:  # the store gave up, or a bug of ours: what was done is kept if that is possible
        with contextlib.suppress(SolidstateError):
            close(runtime, loaded, handle, ended="failed")
        raise
    return close(runtime, loaded, handle)


def _run_with_retries(
    runtime: Runtime,
    loaded: LoadedPipeline,
    handle: RunHandle,
    name: str,
    sleep: Callable[[float], None],
    on_failure: Callable[[AttemptFailed], None] | None,
) -> None:
    """As the state machine does: repeat what the policy covers, catch the rest and go on."""
    step = loaded.steps[name]
    retry_count = 0
    while True:
        payload = StepPayload(loaded.definition.name, loaded.hash, name, handle, retry_count)
        try:
            run_step(runtime, payload, InlineInvocation(step.compute.timeout_s))
            return
        except AttemptFailed as failed:
            if on_failure is not None:
                on_failure(failed)
            retry = retry_for(step, type(failed).__name__)
            retry_count += 1
            if retry is None or retry_count >= retry.max_attempts:
                return
            delay = delay_after(retry, retry_count)
            sleep(random.uniform(0, delay) if retry.jitter else delay)  # noqa: S311 - spreads load, guards nothing
