"""Lambda without docker: moto's functions run a Python callable in this process, reported as AWS reports it.

Every invocation inside moto (a Step Functions task, boto3, an S3 notification) ends in ``LambdaFunction.invoke``; while
``local_lambda`` is open that method calls the given invoker instead of starting a container. The error payloads follow
awslambdaric, the runtime client of AWS's managed Python runtime, so that Retry and Catch match the same names.

What a thread cannot imitate: a time-out is reported on time, but the code runs on until it returns; ``os._exit`` and a
crash of the interpreter end the whole process; memory is not limited; all functions share one environment.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from solidstate.infra.moto_inside import inside, swap


@dataclass(frozen=True)
class LambdaContext:
    """The context object of AWS's Python runtime. ``deadline_s`` is on the monotonic clock.

    ``memory_limit_in_mb`` is text, as in AWS: the runtime copies it from an environment variable.
    """

    function_name: str
    memory_limit_in_mb: str
    invoked_function_arn: str
    deadline_s: float
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    log_group_name: str = ""
    log_stream_name: str = "local"
    client_context: None = None
    identity: None = None
    tenant_id: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout, never negative."""
        return max(0, int((self.deadline_s - time.monotonic()) * 1000))

    def log(self, message: object) -> None:
        """Write to the function's log, which is standard output here."""
        sys.stdout.write(str(message))


LambdaInvoker = Callable[[str, Any, LambdaContext], Any]
"""(function name, event, context) -> answer. The event has been through JSON, the answer goes through it."""


@dataclass(frozen=True)
class Outcome:
    """What an invocation answers: a JSON document, and whether it is one of an error."""

    payload: bytes
    failed: bool = False


class FunctionFailed(Exception):
    """Raised by an invoker that has what Lambda would answer: ``payload`` is a JSON document about the error."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload


@contextmanager
def local_lambda(invoke: LambdaInvoker, *, timed: bool = True) -> Generator[None]:
    """Let every Lambda invocation inside moto call ``invoke``, each in a thread of its own. ``timed`` is off for an
    invoker that ends what takes too long by itself."""

    def run(self: Any, body: Any, request_headers: Any, response_headers: Any) -> bytes:
        headers = {str(name).lower(): value for name, value in dict(request_headers or {}).items()}
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        raw = body.encode() if isinstance(body, str) else bytes(body or b"{}")
        if kind == "DryRun":
            return b""
        invocation = _Invocation(invoke, self, raw, timed=timed)
        if kind == "Event":  # the caller does not wait; the retries of Lambda's own queue are not imitated
            invocation.start()
            return b""
        outcome = invocation.outcome()
        if outcome.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        response_headers["x-amz-executed-version"] = "$LATEST"
        return outcome.payload

    function = inside("awslambda.models").LambdaFunction
    original = swap(function, "invoke", run)
    try:
        yield
    finally:
        swap(function, "invoke", original)


class _Invocation:
    """One call of the invoker in a daemon thread, awaited no longer than the function's timeout."""

    def __init__(self, invoke: LambdaInvoker, function: Any, body: bytes, *, timed: bool) -> None:
        self._invoke = invoke
        self._timed = timed
        self._timeout_s = float(function.timeout)
        self._body = body
        self._answers: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._context = LambdaContext(
            function_name=function.function_name,
            memory_limit_in_mb=str(function.memory_size),
            invoked_function_arn=function.function_arn,
            deadline_s=time.monotonic() + self._timeout_s,
            log_group_name=f"/aws/lambda/{function.function_name}",
        )

    def start(self) -> None:
        name = f"{self._context.function_name}-{self._context.aws_request_id}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def outcome(self) -> Outcome:
        self.start()
        try:
            return self._answers.get(timeout=self._timeout_s if self._timed else None)
        except queue.Empty:
            text = f"Error: Task timed out after {self._timeout_s:.2f} seconds"
            return self._fault("Sandbox.Timedout", f"RequestId: {self._context.aws_request_id} {text}")

    def _run(self) -> None:
        try:
            event = json.loads(self._body)
        except ValueError as error:
            self._answers.put(self._fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}"))
            return
        try:
            answer = self._invoke(self._context.function_name, event, self._context)
        except FunctionFailed as failed:
            self._answers.put(Outcome(failed.payload, failed=True))
        except Exception as error:  # noqa: BLE001 - it belongs to the function, and is handed to whoever invoked it
            self._answers.put(self._raised(error))
        except BaseException as error:  # noqa: BLE001 - the runtime's process would be gone
            self._answers.put(self._exited(error))
        else:
            self._answers.put(self._marshalled(answer))

    def _marshalled(self, answer: Any) -> Outcome:
        try:
            # NaN is written by AWS's runtime but is no JSON, so that Step Functions cannot read it.
            payload = answer if isinstance(answer, bytes) else json.dumps(answer, allow_nan=False).encode()
        except Exception as error:  # noqa: BLE001 - encoding runs the answer's own code
            return self._fault("Runtime.MarshalError", f"Unable to marshal response: {error}")
        return Outcome(payload)  # moto refuses one that is too large, as Function.ResponseSizeTooLarge

    def _raised(self, error: Exception) -> Outcome:
        frames = traceback.extract_tb(error.__traceback__)[1:]  # without the frame of this module
        return self._fault(type(error).__name__, _message(error), traceback.format_list(frames))

    def _exited(self, error: BaseException) -> Outcome:
        status: object = 1
        if isinstance(error, SystemExit):
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        why = f"with error: exit status {status}" if status else "without providing a reason"
        request = self._context.aws_request_id
        text = f"RequestId: {request} Error: Runtime exited {why}"
        return Outcome(_document(errorType="Runtime.ExitError", errorMessage=text), failed=True)

    def _fault(self, kind: str, message: str, frames: list[str] | None = None) -> Outcome:
        document = _document(
            errorMessage=message, errorType=kind, requestId=self._context.aws_request_id, stackTrace=frames or []
        )
        return Outcome(document, failed=True)


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a user's __str__ may do anything; the invocation must still be answered
        return f"<{type(error).__name__} whose str() fails>"


def _document(**members: object) -> bytes:
    return json.dumps(members).encode()
