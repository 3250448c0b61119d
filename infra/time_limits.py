"""Each step's own ``Compute.timeout_s`` on the local engine, whose one Lambda function has the longest of them all.

A step that takes longer is reported as AWS reports a function that timed out. What a thread cannot imitate: the code
runs on until it returns. Its result still counts if it commits before another attempt does, as on AWS the result of an
attempt does whose answer was lost.
"""

from __future__ import annotations

import dataclasses
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from solidstate.infra.local_lambda import LambdaContext

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


class TimedOut(Exception):  # noqa: N818 - named as Lambda names it, below
    """The step did not answer in time."""


# Lambda reports an exception by its class's name, and Retry and Catch match this one.
TimedOut.__name__ = "Sandbox.Timedout"


class TimeLimited:
    """An invoker for ``local_aws``. ``timeouts_s`` by step; other payloads may take as long as the function may.

    ``handler`` is set when it can be made, which is after the local AWS is open.
    """

    def __init__(self, timeouts_s: dict[str, int]) -> None:
        self._timeouts_s = timeouts_s
        self.handler: Handler = _not_yet

    def __call__(self, function_name: str, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Run one invocation; raises TimedOut."""
        limit = self._timeouts_s.get(event.get("step", ""))
        if limit is None:
            return self.handler(event, context)
        own = dataclasses.replace(context, deadline_s=time.monotonic() + limit)
        answers: queue.SimpleQueue[tuple[dict[str, Any], BaseException | None]] = queue.SimpleQueue()

        def run() -> None:
            try:
                answers.put((self.handler(event, own), None))
            except BaseException as error:  # handed to the thread that waits, whatever it is
                answers.put(({}, error))

        threading.Thread(target=run, name=f"step-{event['step']}", daemon=True).start()
        try:
            answer, error = answers.get(timeout=limit)
        except queue.Empty:
            text = f"RequestId: {own.aws_request_id} Error: Task timed out after {limit:.2f} seconds"
            raise TimedOut(text) from None
        if error is not None:
            raise error
        return answer


def _not_yet(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    raise RuntimeError("no handler was set")
