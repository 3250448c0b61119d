"""Task tokens of Step Functions: how a function tells a state that waits for it how to go on.

One request an answer, and AWS's errors told as ours. Of several answers to a token the first counts; the others are
refused, which is no error: whoever answers twice makes sure that it was answered once. boto3 is imported when the first
token is answered; importing this module costs nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from solidstate.errors import StorageError, StorageUnavailable

StatesClient = Any
"""boto3 makes its clients at run time from a service description: there is no class to name."""

CLOSED = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
"""What an answer to a token that is not open any more is refused with (Step Functions API reference)."""
_BUSY = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "KmsThrottlingException"})
MAX_CONNECTIONS = 16


def states_client() -> StatesClient:
    """A client for :class:`StepFunctionsTokens`; credentials, region and endpoint from the usual AWS environment. At
    most 5 tries a request with growing pauses (botocore's "standard" mode)."""
    import os

    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 5},
        connect_timeout=5,
        read_timeout=60,
        max_pool_connections=MAX_CONNECTIONS,
    )
    # boto3 itself reads AWS_DEFAULT_REGION only; Lambda and every other SDK set or read AWS_REGION.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return boto3.client("stepfunctions", region_name=region, config=config)


class StepFunctionsTokens:
    """Answers task tokens. Thread safe; ``make_client`` is called at the first answer."""

    def __init__(self, make_client: Callable[[], StatesClient] = states_client) -> None:
        self._make_client = make_client
        self._client: StatesClient = None
        self._lock = threading.Lock()

    def succeed(self, token: str, answer: bytes) -> bool:
        """The task has succeeded with ``answer``, a JSON document. False when the token is not open any more. Raises
        StorageUnavailable when Step Functions did not take the answer in time, StorageError when it never will."""
        return self._send("send_task_success", taskToken=token, output=answer.decode())

    def fail(self, token: str, error: str, cause: str) -> bool:
        """The same for a task that has failed with the error ``error``, for its state to catch."""
        return self._send("send_task_failure", taskToken=token, error=error, cause=cause)

    def _send(self, operation: str, **arguments: str) -> bool:
        with self._lock:  # making a client is not thread safe
            if self._client is None:
                self._client = self._make_client()
        try:
            getattr(self._client, operation)(**arguments)
        except Exception as error:
            told = _told(error)
            if told is None:
                return False
            if told is error:
                raise
            raise told from error
        return True


def _told(error: Exception) -> Exception | None:
    """An error of botocore's as ours; None for a token that is closed, the error itself when it is another's."""
    from botocore import exceptions as botocore

    what = "Could not answer a task token"
    subject = "task token"
    if isinstance(error, botocore.ClientError):
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code in CLOSED:
            return None
        if status >= 500 or status == 429 or code in _BUSY:
            return StorageUnavailable(
                f"{what}: Step Functions answered {status} {code} until the tries were used up.",
                subject=subject,
                hint="try again; if it persists, ask for a higher quota of SendTaskSuccess and SendTaskFailure",
            )
        if code == "AccessDeniedException":
            return StorageError(
                f"{what}: access denied.",
                subject=subject,
                hint="grant the function's role `states:SendTaskSuccess` and `states:SendTaskFailure` on the "
                "pipeline's state machines, as template.yaml does",
            )
        return StorageError(f"{what}: {error}.", subject=subject)
    if isinstance(error, (botocore.HTTPClientError, botocore.ConnectionError)):
        reason = str(error).rstrip(".")
        return StorageUnavailable(f"{what}: {reason}.", subject=subject, hint="check the network, then try again")
    return (
        StorageError(f"{what}: {str(error).rstrip('.')}.", subject=subject)
        if isinstance(error, botocore.BotoCoreError)
        else error
    )
