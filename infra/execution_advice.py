"""What an error of the service means and what to do about it: error name and cause in, reason and way out.

The names are AWS's (Lambda developer guide, "Troubleshooting"; Step Functions developer guide, "Handling errors"), or
our own where the function raised on purpose. docs/troubleshooting.md tells the same to people who search by error text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from solidstate.events import ErrorInfo
from solidstate.planner.limits import MAX_LAMBDA_TIMEOUT_S, MEMORY_MB
from solidstate.planner.plan import Step

MAX_TEXT = 2_000
_REQUEST = re.compile(r"^(?:RequestId: [\w-]+ )?(?:Error: )?")
_SECONDS = re.compile(r"timed out after (\d+(?:\.\d+)?) seconds")
_KILLED = re.compile(r"signal: killed|memory", re.IGNORECASE)
_FIX = re.compile(r"\s*\n?\s*\b(?:fix|Fix): (.+)", re.DOTALL)
_AT = re.compile(r"\n {2}at: .*")

Advice = Callable[[str, Step | None], tuple[str, str]]
"""From what was said, and the step if it is known, to the reason and the way out."""


def explained(error: str, cause: str, step: Step | None) -> ErrorInfo:
    """The error of an invocation, in words."""
    said = _said(cause)
    known = _ADVICE.get(error)
    if error == "Runtime.ExitError" and _KILLED.search(said):
        known = _out_of_memory
    if known is None:
        reason, hint = _own_words(said)
    else:
        reason, hint = known(said, step)
    return ErrorInfo(type=error or "Unknown", message=_short(reason), hint=_short(hint))


def _said(cause: str) -> str:
    """The message in a cause: of a function's error the ``errorMessage`` of a JSON document, else the cause itself."""
    try:
        document: Any = msgspec.json.decode(cause)
    except msgspec.DecodeError:
        document = None
    if isinstance(document, dict):
        cause = str(document.get("errorMessage") or document.get("Cause") or "")
    return _REQUEST.sub("", cause.strip(), count=1).strip()


def _own_words(said: str) -> tuple[str, str]:
    """Errors of ours carry their way out in their text: that is split off."""
    text = _AT.sub("", said)
    found = _FIX.search(text)
    return (text[: found.start()], found[1]) if found is not None else (text, "")


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."


def _solid(step: Step | None) -> str:
    return f" of solid `{step.solid}`" if step is not None else ""


def _out_of_time(said: str, step: Step | None) -> tuple[str, str]:
    limit = step.compute.timeout_s if step is not None else None
    took = _SECONDS.search(said)
    if limit is not None and took is not None and float(took[1]) < limit:
        hint = f"raise the function's `Timeout` in template.yaml: `Compute(timeout_s={limit})`{_solid(step)} is longer"
    elif limit is not None and limit >= MAX_LAMBDA_TIMEOUT_S:
        hint = f"split its work: {MAX_LAMBDA_TIMEOUT_S} s is the longest a Lambda function may take"
    else:
        now = f" (now {limit})" if limit is not None else ""
        hint = f"raise `Compute(timeout_s=...)`{_solid(step)}{now}, or split its work"
    return said or "the function ran out of time", hint


def _out_of_memory(said: str, step: Step | None) -> tuple[str, str]:
    limit = step.compute.memory_mb if step is not None else None
    reason = f"the function was killed, which is how Lambda ends one that runs out of memory ({said})"
    if limit is not None and limit >= MEMORY_MB[1]:
        return reason, f"work in smaller pieces: {MEMORY_MB[1]:,} MB is the most a Lambda function may have"
    now = f" (now {limit})" if limit is not None else ""
    return reason, f"raise `Compute(memory_mb=...)`{_solid(step)}{now}, or work in smaller pieces"


def _exited(said: str, step: Step | None) -> tuple[str, str]:
    return (
        f"the function's process ended before it answered ({said})",
        f"look for `sys.exit`, `os._exit` or a crash of a native library in the code{_solid(step)}",
    )


def _either(said: str, step: Step | None) -> tuple[str, str]:
    return (
        f"the function was killed: it ran out of time or memory ({said})",
        f"raise `Compute(timeout_s=..., memory_mb=...)`{_solid(step)}",
    )


def _throttled(said: str, step: Step | None) -> tuple[str, str]:  # noqa: ARG001 - one of several
    return (
        f"Lambda had no room for one more invocation ({said})",
        "start again from the failure when less is going on, or ask for a higher quota of concurrent executions",
    )


def _passing(said: str, step: Step | None) -> tuple[str, str]:  # noqa: ARG001
    return f"a passing fault of the service ({said})", "start again from the failure"


def _not_deployed(said: str, step: Step | None) -> tuple[str, str]:  # noqa: ARG001
    return said, "build the bundle again, look at what it holds, and deploy"


def _not_allowed(said: str, step: Step | None) -> tuple[str, str]:  # noqa: ARG001
    return said, "deploy the generated template: the machine's role must be allowed to invoke the function"


def _too_large(said: str, step: Step | None) -> tuple[str, str]:  # noqa: ARG001
    return (
        said or "more than 262,144 bytes were to travel through the state machine",
        "keep large values out of the run request: put them in S3 and pass their address",
    )


_ADVICE: dict[str, Advice] = {
    "Sandbox.Timedout": _out_of_time,
    "States.Timeout": _out_of_time,
    "Runtime.ExitError": _exited,
    "Runtime.OutOfMemory": _out_of_memory,
    "Lambda.Unknown": _either,
    "Lambda.TooManyRequestsException": _throttled,
    "Lambda.ServiceException": _passing,
    "Lambda.AWSLambdaException": _passing,
    "Lambda.SdkClientException": _passing,
    "Lambda.ClientExecutionTimeoutException": _passing,
    "Runtime.ImportModuleError": _not_deployed,
    "Runtime.HandlerNotFound": _not_deployed,
    "Runtime.UserCodeSyntaxError": _not_deployed,
    "Lambda.AccessDeniedException": _not_allowed,
    "Lambda.ResourceNotFoundException": _not_allowed,
    "States.DataLimitExceeded": _too_large,
    "Function.ResponseSizeTooLarge": _too_large,
}
KNOWN_ERRORS = tuple(_ADVICE)
"""The names that there is advice for."""
