"""Lambda functions run in this process and answer as AWS's Python runtime does."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solidstate.infra.local_aws import LocalAws, local_aws
from solidstate.infra.local_lambda import LambdaContext

MAX_ANSWER_BYTES = 6_291_556  # of a synchronous response: Lambda developer guide, "Lambda quotas", 6 MB


class OutOfStock(Exception):
    """An error of the function's own."""


class Mute(Exception):
    """An error that cannot be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def raise_own(event: Any, context: LambdaContext) -> Any:
    """Fail as user code does."""
    raise OutOfStock("no more bolts")


def raise_mute(event: Any, context: LambdaContext) -> Any:
    """Fail in a way that resists being reported."""
    raise Mute


def describe_context(event: Any, context: LambdaContext) -> Any:
    """What the context says."""
    return {
        "name": context.function_name,
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
        "request": context.aws_request_id,
        "version": context.function_version,
        "group": context.log_group_name,
        "left": context.get_remaining_time_in_millis(),
    }


def sleep(event: Any, context: LambdaContext) -> Any:
    """Take longer than the timeout."""
    time.sleep(1.5)
    return context.get_remaining_time_in_millis()


RELEASED, RAN = threading.Event(), threading.Event()


def wait(event: Any, context: LambdaContext) -> Any:
    """Run until released, and say so."""
    RELEASED.wait(10)
    RAN.set()


HANDLERS: dict[str, Callable[[Any, LambdaContext], Any]] = {
    "echo": lambda event, context: event,
    "own": raise_own,
    "mute": raise_mute,
    "context": describe_context,
    "sleep": sleep,
    "wait": wait,
    "set": lambda event, context: {1, 2},
    "nan": lambda event, context: float("nan"),
    "bytes": lambda event, context: b'{"ready": true}',
    "large": lambda event, context: "x" * MAX_ANSWER_BYTES,
    "exit": lambda event, context: sys.exit(event["status"]),
    "interrupt": lambda event, context: (_ for _ in ()).throw(KeyboardInterrupt),
}


def invoke(name: str, event: Any, context: LambdaContext) -> Any:
    """The invoker of these tests: one handler a function."""
    return HANDLERS[name](event, context)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """A local AWS with one function a handler; only `sleep` is given one second."""
    with local_aws(invoke) as opened:
        for name in HANDLERS:
            opened.create_function(name, timeout_s=1 if name == "sleep" else 30, memory_mb=256)
        yield opened


def called(aws: LocalAws, name: str, event: Any = None) -> tuple[str | None, Any]:
    """(function error, answer) of one synchronous invocation."""
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(document=st.dictionaries(st.text(), documents, min_size=1))
def test_documents_pass_unchanged(aws: LocalAws, document: dict[str, Any]) -> None:
    """Event and answer go through JSON and come out as they were."""
    assert called(aws, "echo", document) == (None, document)


def test_error_is_reported_as_the_runtime_does(aws: LocalAws) -> None:
    """Name, message, request and the function's own frames, none of ours."""
    error, answer = called(aws, "own")
    assert error == "Unhandled"
    assert (answer["errorType"], answer["errorMessage"]) == ("OutOfStock", "no more bolts")
    assert str(uuid.UUID(answer["requestId"])) == answer["requestId"]
    functions = [frame.splitlines()[0].rpartition(" in ")[2] for frame in answer["stackTrace"]]
    assert functions == ["invoke", "raise_own"]


def test_error_document_has_the_members_of_awslambdaric(aws: LocalAws) -> None:
    """The same members, in the same order, as AWS's runtime client makes."""
    bootstrap = pytest.importorskip("awslambdaric.bootstrap")
    _, answer = called(aws, "own")
    model = bootstrap.make_error("no more bolts", "OutOfStock", answer["stackTrace"], answer["requestId"])
    assert list(answer.items()) == list(model.items())


def test_error_without_text_is_still_reported(aws: LocalAws) -> None:
    """An exception whose text fails cannot leave the invocation unanswered."""
    _, answer = called(aws, "mute")
    assert (answer["errorType"], answer["errorMessage"]) == ("Mute", "<Mute whose str() fails>")


def test_context_describes_the_function(aws: LocalAws) -> None:
    """The context has the function's name, memory as text, ARN, log group and remaining time."""
    _, answer = called(aws, "context")
    assert 29_000 < answer.pop("left") <= 30_000
    assert uuid.UUID(answer.pop("request")).version == 4
    assert answer == {
        "name": "context",
        "memory": "256",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:context",
        "version": "$LATEST",
        "group": "/aws/lambda/context",
    }


def test_every_invocation_has_its_own_request(aws: LocalAws) -> None:
    """Two invocations have different request ids."""
    assert called(aws, "context")[1]["request"] != called(aws, "context")[1]["request"]


def test_timeout_is_reported_on_time(aws: LocalAws) -> None:
    """The caller hears of the time-out when it happens, not when the code returns."""
    began = time.monotonic()
    error, answer = called(aws, "sleep")
    assert 0.9 < time.monotonic() - began < 1.4
    assert error == "Unhandled"
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"] == f"RequestId: {answer['requestId']} Error: Task timed out after 1.00 seconds"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("set", "Unable to marshal response: Object of type set is not JSON serializable"),
        ("nan", "Unable to marshal response: Out of range float values are not JSON compliant"),
    ],
)
def test_answer_must_be_json(aws: LocalAws, name: str, message: str) -> None:
    """An answer that is no JSON fails the invocation."""
    error, answer = called(aws, name)
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.MarshalError")
    assert answer["errorMessage"].startswith(message)


def test_encoded_answer_passes(aws: LocalAws) -> None:
    """Bytes are the answer itself."""
    assert called(aws, "bytes") == (None, {"ready": True})


def test_answer_over_the_limit_is_refused(aws: LocalAws) -> None:
    """An answer larger than Lambda's limit fails under Lambda's error name."""
    error, answer = called(aws, "large")
    text = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
    assert (error, answer) == ("Unhandled", {"errorMessage": text, "errorType": "Function.ResponseSizeTooLarge"})


@pytest.mark.parametrize(
    ("name", "status", "why"),
    [
        ("exit", 3, "with error: exit status 3"),
        ("exit", "bad", "with error: exit status 1"),
        ("exit", 0, "without providing a reason"),
        ("exit", None, "without providing a reason"),
        ("interrupt", 0, "with error: exit status 1"),
    ],
)
def test_exit_fails_the_invocation_only(aws: LocalAws, name: str, status: object, why: str) -> None:
    """Code that exits ends its invocation, not this process."""
    error, answer = called(aws, name, {"status": status})
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert answer["errorMessage"].endswith(f"Error: Runtime exited {why}")


def test_asynchronous_invocation_returns_at_once(aws: LocalAws) -> None:
    """An Event invocation is answered before the function has run."""
    answer = aws.client("lambda").invoke(FunctionName="wait", InvocationType="Event", Payload=b"{}")
    assert (answer["StatusCode"], RAN.is_set()) == (202, False)
    RELEASED.set()
    assert RAN.wait(10)


def test_event_that_is_no_json_is_refused(aws: LocalAws) -> None:
    """The runtime's error name for an event it cannot read."""
    answer = aws.client("lambda").invoke(FunctionName="echo", Payload=b"{no")
    document = json.loads(answer["Payload"].read())
    assert (answer["FunctionError"], document["errorType"]) == ("Unhandled", "Runtime.UnmarshalError")
