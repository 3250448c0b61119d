"""What the state machine says to the Lambda function, and what it hears back.

The machine writes these payloads, so they live with the planner; the handler only reads them. Error names are part of
the contract because ``Retry`` and ``Catch`` match on them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from solidstate.planner.plan import Retry, Step

# Errors the handler raises on purpose. Lambda reports an exception's class name as the error name of the state.
STEP_FAILED = "StepFailed"
"""User code raised: retried if, and as often as, the solid's RetryPolicy says."""
RETRY_REQUESTED = "RetryRequested"
"""User code asked for another attempt."""
STEP_REFUSED = "StepRefused"
"""Another attempt cannot help: Failure raised, wrong type, missing output, unstorable value. Never retried."""
STORAGE_UNAVAILABLE = "StorageUnavailable"
"""S3 did not answer within the step's patience; retried like a service error."""
PLAN_CHANGED = "PlanChanged"
"""The function was deployed with another plan than the machine. Never retried."""
READY = "Ready"
"""Not a failure: a parked step is woken by failing its task token under this name, which its state catches."""
RUN_REFUSED = "RunRefused"
"""Start run: the execution input is not a valid run request. The message is the cause of the failed execution."""
RUN_FAILED = "RunFailed"
"""End run: at least one step failed. The message names them."""

SERVICE_ERRORS = (
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
)
"""What AWS recommends to retry for every Lambda task (Step Functions developer guide, "Handle transient Lambda
service exceptions")."""

REQUESTED_RETRY = Retry(max_attempts=3, delay_s=1, backoff=2.0)
"""For a step that asks for another attempt although its solid declares no RetryPolicy."""


def retry_for(step: Step, error_name: str) -> Retry | None:
    """How a step's failure of that name is repeated; None when it is not. Service errors are not user failures and
    have retriers of their own."""
    if error_name == RETRY_REQUESTED:
        return step.retry or REQUESTED_RETRY
    return step.retry if error_name == STEP_FAILED else None


MAX_DIGEST_BYTES = 8 * 1024
MAX_INLINE_REQUEST_BYTES = 32 * 1024
"""A larger run request is left in S3 and read from there by each step."""


Sections = dict[str, dict[str, dict[str, Any]]]
"""What a validated request says of ``solids`` and ``resources``, by name: config, inputs, outputs."""


class RunHandle(msgspec.Struct, frozen=True, omit_defaults=True):
    """What every step is told about its run; made by Start run, carried through the machine as ``$.run``.

    ``plan`` is the hash of the plan that the machine follows: a function that was deployed with another one refuses to
    go on with the run. ``request`` is the validated run request, or None when it is too large to carry: it is then read
    from the run record, and with it ``steps`` and ``from_run``. ``steps`` are the selected steps, None meaning all.
    """

    id: str
    mode: str
    pipeline: str = ""
    plan: str = ""
    request: Sections | None = None
    steps: list[str] | None = None
    from_run: str | None = None
    execution: str = ""


class StartPayload(msgspec.Struct, frozen=True, tag_field="kind", tag="start"):
    """First state. ``input`` is the raw execution input, ``execution`` its ARN, ``name`` its name."""

    pipeline: str
    plan: str
    execution: str
    name: str
    input: Any = None


class ItemEntry(msgspec.Struct, frozen=True):
    """Where one item of a dynamic output stands in the commit of its producer: ``size`` bytes from byte ``at`` on,
    after a header of ``head`` bytes. Whoever knows that need not read what the others are."""

    at: int
    size: int
    head: int


class MapItem(msgspec.Struct, frozen=True):
    """What a Map state is told of one item. A thousand of them, with keys of 64 characters, take half of the 256 KiB
    that a state may hand on."""

    key: str
    entry: ItemEntry


class StepPayload(msgspec.Struct, frozen=True, tag_field="kind", tag="step"):
    """One step. ``retry`` counts from 0, as ``$$.State.RetryCount`` does; ``item`` is the key of the item that a mapped
    step is run for, and ``entry`` where that stands, for a step that reads the item itself.

    A step that the machine does not order after all of its inputs has a rendezvous with the others: it ``waits`` for
    these steps, and the state goes on when its ``token`` is answered, so the step may park. It is then invoked anew as
    ``woken``; what it has waited for stands where it is parked. ``wakes`` are the steps that have a rendezvous with
    this one, and are woken when it has ended.
    """

    step: str
    run: RunHandle
    retry: Annotated[int, msgspec.Meta(ge=0, le=999)] = 0
    item: str | None = None
    token: str | None = None
    waits: list[str] = []
    woken: bool = False
    wakes: list[str] = []
    entry: ItemEntry | None = None


class ItemsPayload(msgspec.Struct, frozen=True, tag_field="kind", tag="items"):
    """Before a Map: which items does output ``output`` of ``step`` have, for the mapped steps ``steps``? ``listed``
    asks for the name of an object that lists them, for a distributed Map. ``token``, ``waits`` and ``woken`` as for a
    step; it parks under the name of the first of ``steps``.
    """

    step: str
    output: str
    steps: Annotated[list[str], msgspec.Meta(min_length=1)]
    run: RunHandle
    listed: bool = False
    token: str | None = None
    waits: list[str] = []
    woken: bool = False


class GatePayload(msgspec.Struct, frozen=True, tag_field="kind", tag="gate"):
    """One wait for several steps that begin at once: answer ``token`` when all of ``waits`` have ended. It parks under
    the name of ``step``, the first of them, which has no wait of its own."""

    step: str
    run: RunHandle
    token: str
    waits: list[str]
    item: str | None = None


class EndedPayload(msgspec.Struct, frozen=True, tag_field="kind", tag="ended"):
    """After a step that others have a rendezvous with and that failed in whatever way, or after a Map (whose first step
    is ``step``): put on record that it has ended, and wake those that wait for it."""

    step: str
    run: RunHandle
    wakes: list[str]
    item: str | None = None


class EndPayload(msgspec.Struct, frozen=True, tag_field="kind", tag="end"):
    """Last state."""

    run: RunHandle


Payload = StartPayload | StepPayload | ItemsPayload | GatePayload | EndedPayload | EndPayload


class StepDigest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step's answer: what a person wants to read in the console, bounded to 8 KiB. Never data."""

    step: str
    status: Literal["success", "skipped", "not selected", "parked"]
    outputs: dict[str, str] = {}
    expectations: dict[str, str] = {}
    materializations: list[str] = []
    reason: str = ""
    duration_s: float = 0.0
    attempt: int = 1
    events: str = ""


class RunDigest(msgspec.Struct, frozen=True):
    """End run's answer."""

    run: str
    status: Literal["success", "failed"]
    steps: dict[str, int]
    summary: str
