"""What errors of the service are said to mean, in full."""

from __future__ import annotations

import json

import pytest

from solidstate.infra.execution_advice import MAX_TEXT, explained
from solidstate.planner.plan import Step, StepCompute

STEP = Step(name="report", solid="make_report", compute=StepCompute(memory_mb=512, timeout_s=30))


def cause(message: str, **more: str) -> str:
    """As Lambda reports it."""
    return json.dumps({"errorMessage": message, "errorType": "X", "requestId": "1", "stackTrace": []} | more)


TOLD = [
    (
        "Sandbox.Timedout",
        cause("RequestId: 7f2c-11 Error: Task timed out after 30.00 seconds"),
        STEP,
        "Task timed out after 30.00 seconds",
        "raise `Compute(timeout_s=...)` of solid `make_report` (now 30), or split its work",
    ),
    (
        "Sandbox.Timedout",
        cause("RequestId: 7f2c-11 Error: Task timed out after 3.00 seconds"),
        STEP,
        "Task timed out after 3.00 seconds",
        "raise the function's `Timeout` in template.yaml: `Compute(timeout_s=30)` of solid `make_report` is longer",
    ),
    (
        "Sandbox.Timedout",
        cause("RequestId: 7f2c-11 Error: Task timed out after 900.00 seconds"),
        Step(name="s", solid="s"),
        "Task timed out after 900.00 seconds",
        "split its work: 900 s is the longest a Lambda function may take",
    ),
    (
        "States.Timeout",
        "",
        None,
        "the function ran out of time",
        "raise `Compute(timeout_s=...)`, or split its work",
    ),
    (
        "Runtime.ExitError",
        cause("RequestId: 7f2c-11 Error: Runtime exited with error: signal: killed"),
        STEP,
        "the function was killed, which is how Lambda ends one that runs out of memory (Runtime exited with error: "
        "signal: killed)",
        "raise `Compute(memory_mb=...)` of solid `make_report` (now 512), or work in smaller pieces",
    ),
    (
        "Runtime.OutOfMemory",
        cause("RequestId: 7f2c-11 Error: Runtime exited with error: signal: killed"),
        Step(name="s", solid="s", compute=StepCompute(memory_mb=10_240)),
        "the function was killed, which is how Lambda ends one that runs out of memory (Runtime exited with error: "
        "signal: killed)",
        "work in smaller pieces: 10,240 MB is the most a Lambda function may have",
    ),
    (
        "Runtime.ExitError",
        cause("RequestId: 7f2c-11 Error: Runtime exited with error: exit status 3"),
        STEP,
        "the function's process ended before it answered (Runtime exited with error: exit status 3)",
        "look for `sys.exit`, `os._exit` or a crash of a native library in the code of solid `make_report`",
    ),
    (
        "Lambda.TooManyRequestsException",
        "Rate Exceeded. (Service: Lambda, Status Code: 429, Request ID: 1)",
        STEP,
        "Lambda had no room for one more invocation (Rate Exceeded. (Service: Lambda, Status Code: 429, Request ID: "
        "1))",
        "start again from the failure when less is going on, or ask for a higher quota of concurrent executions",
    ),
    (
        "Lambda.ServiceException",
        "Internal failure",
        STEP,
        "a passing fault of the service (Internal failure)",
        "start again from the failure",
    ),
    (
        "Runtime.ImportModuleError",
        cause("Unable to import module 'x': No module named 'msgspec'"),
        STEP,
        "Unable to import module 'x': No module named 'msgspec'",
        "build the bundle again, look at what it holds, and deploy",
    ),
    (
        "Lambda.AccessDeniedException",
        "not authorized",
        None,
        "not authorized",
        "deploy the generated template: the machine's role must be allowed to invoke the function",
    ),
    (
        "States.DataLimitExceeded",
        "",
        None,
        "more than 262,144 bytes were to travel through the state machine",
        "keep large values out of the run request: put them in S3 and pass their address",
    ),
    (
        "PlanChanged",
        cause("`s`: the state machine follows plan a, the function holds plan b. Fix: deploy both together."),
        STEP,
        "`s`: the state machine follows plan a, the function holds plan b.",
        "deploy both together.",
    ),
    (
        "SolidstateError",
        cause("The environment variable `X` is not set.\n  at: here\n  fix: deploy with the generated template.yaml"),
        STEP,
        "The environment variable `X` is not set.",
        "deploy with the generated template.yaml",
    ),
    ("KeyError", cause("'x'"), STEP, "'x'", ""),
    ("", "", STEP, "", ""),
]


@pytest.mark.parametrize(("error", "said", "step", "reason", "hint"), TOLD, ids=[f"{t[0]}-{t[3][:20]}" for t in TOLD])
def test_an_error_is_put_into_words(error: str, said: str, step: Step | None, reason: str, hint: str) -> None:
    """The reason without the service's wrapping, and what to do, with the solid and its present limit."""
    found = explained(error, said, step)
    assert (found.type, found.message, found.hint) == (error or "Unknown", reason, hint)


@pytest.mark.parametrize("said", ["{", "[]", "null", '"text"', '{"errorMessage": null}', '{"errorMessage": 5}'])
def test_a_cause_may_be_anything(said: str) -> None:
    """What is no document of an error is shown as it is, or not at all."""
    assert explained("E", said, None).type == "E"


def test_texts_are_bounded() -> None:
    """A cause may have 32,768 characters."""
    assert len(explained("E", "x" * 30_000, None).message) == MAX_TEXT
