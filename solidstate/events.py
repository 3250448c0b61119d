"""The one stream of structured events a run leaves behind, and what user code may add to it.

Events are facts, append-only, stored as NDJSON: one JSON object a line, told apart by ``kind``. The command line, the
results API and any page are readers of this stream. Order within a run is plan order, then attempt, then ``seq``; wall
clocks of different machines are never compared.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, Generic, Literal, TypeVar

import msgspec

from solidstate.errors import DefinitionError, shown

T = TypeVar("T")

MAX_ASKED_DELAY_S = 60
"""Seconds a RetryRequested may ask for; what is waited inside a Lambda function is paid for."""


class Output(Generic[T]):
    """A value a solid yields or returns for one of its outputs."""

    __slots__ = ("metadata", "name", "value")

    def __init__(self, value: T, name: str = "result", metadata: dict[str, Any] | None = None) -> None:
        self.value = value
        self.name = name
        self.metadata = metadata or {}

    def __repr__(self) -> str:
        return f"Output({self.value!r}, {self.name!r})"


class DynamicOutput(Generic[T]):
    """One item of a dynamic output. ``key`` names it among the items: 1 to 64 letters, digits, ``_`` or ``-``."""

    __slots__ = ("key", "metadata", "name", "value")

    def __init__(self, value: T, key: str, name: str = "result", metadata: dict[str, Any] | None = None) -> None:
        self.value = value
        self.key = key
        self.name = name
        self.metadata = metadata or {}

    def __repr__(self) -> str:
        return f"DynamicOutput({self.value!r}, {self.key!r}, {self.name!r})"


class Materialization(msgspec.Struct, frozen=True):
    """Something lasting was produced outside solidstate's own storage: a file, a table, a report."""

    label: str
    path: str = ""
    description: str = ""
    metadata: dict[str, Any] = {}


Severity = Literal["record", "warn", "skip", "fail"]
"""What it means that an expectation is not met, see :mod:`solidstate.expectations`."""


class ExpectationResult(msgspec.Struct, frozen=True):
    """The outcome of a data-quality test. ``success=False`` is recorded and shown; what else it does is told by
    ``severity``: ``warn``, ``skip`` what is downstream (of all outputs, or of ``output`` alone), ``fail`` the step."""

    success: bool
    label: str = ""
    description: str = ""
    metadata: dict[str, Any] = {}
    severity: Severity = "record"
    output: str = ""


class Failure(Exception):
    """Raise to fail a step for good, with facts about why and, as ``hint``, a way to fix it. Not retried, whatever the
    solid's RetryPolicy."""

    def __init__(self, description: str = "", metadata: dict[str, Any] | None = None, *, hint: str = "") -> None:
        super().__init__(description)
        self.description = description
        self.metadata = metadata or {}
        self.hint = hint


class RetryRequested(Exception):
    """Raise to have this attempt repeated, within the solid's RetryPolicy (three attempts when it has none).

    ``delay_s`` asks for a longer pause than the policy's: at least that many seconds, at most ``MAX_ASKED_DELAY_S``. A
    state machine cannot be told a pause by the function it calls, so what exceeds the policy's pause is waited for
    inside the function, before the attempt ends: it is paid for, and counts towards the step's ``timeout_s``. Longer
    pauses belong into ``RetryPolicy(delay_s=...)``. Raises DefinitionError for a pause that is too long or no number.
    """

    def __init__(
        self, description: str = "", metadata: dict[str, Any] | None = None, *, delay_s: float | None = None
    ) -> None:
        super().__init__(description)
        self.description = description
        self.metadata = metadata or {}
        right = (
            isinstance(delay_s, (int, float)) and not isinstance(delay_s, bool) and 0 <= delay_s <= MAX_ASKED_DELAY_S
        )
        if delay_s is not None and not right:
            raise DefinitionError(
                f"`RetryRequested.delay_s` must be a number of seconds from 0 to {MAX_ASKED_DELAY_S}, got "
                f"{shown(delay_s)}.",
                subject="RetryRequested",
                hint="for longer pauses give the solid a policy: `retry=RetryPolicy(delay_s=300)`",
            )
        self.delay_s = delay_s


class CodePlace(msgspec.Struct, frozen=True):
    """A line of the user's code."""

    file: str
    line: int
    function: str
    code: str


class ErrorInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """An exception as data. ``place`` is the innermost frame in the user's own code."""

    type: str
    message: str
    traceback: str = ""
    place: CodePlace | None = None
    hint: str = ""
    metadata: dict[str, Any] = {}


# `gc=False`, for this class and those derived from it: an event holds plain data alone, which is part of no cycle. The
# fields that all have are the only positional ones: that is the fastest way to fill them in.
class Event(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True, gc=False):
    """What every event carries.

    ``item`` is the key of the item a mapped step was run for. ``time`` is the wall clock (seconds since 1970, UTC) of
    the machine that wrote it; ``elapsed_s`` is monotonic time since the attempt began. ``execution`` is the Step
    Functions execution ARN, ``state`` the state's name, ``request`` the Lambda request id: empty where there is none.
    """

    run: str
    pipeline: str
    seq: int
    time: float
    elapsed_s: float
    step: str = ""
    attempt: int = 0
    execution: str = ""
    state: str = ""
    request: str = ""
    item: str = ""


class RunStart(Event, frozen=True, kw_only=True, tag="run_start", omit_defaults=True):
    """A run began. ``steps`` is how many it will run; ``reused`` are those whose results it takes from ``from_run``."""

    mode: str
    plan: str
    steps: int
    preset: str = ""
    tags: dict[str, str] = {}
    from_run: str = ""
    reused: list[str] = []


class RunSuccess(Event, frozen=True, kw_only=True, tag="run_success", omit_defaults=True):
    """A run ended and no step failed. ``steps`` counts steps by status."""

    duration_s: float
    steps: dict[str, int]


class RunFailure(Event, frozen=True, kw_only=True, tag="run_failure", omit_defaults=True):
    """A run ended with failed steps. ``steps`` counts steps by status."""

    duration_s: float
    steps: dict[str, int]
    failed: list[str]
    message: str


class StepStart(Event, frozen=True, kw_only=True, tag="step_start", omit_defaults=True):
    """An attempt began."""

    solid: str


class StepInput(Event, frozen=True, kw_only=True, tag="step_input", omit_defaults=True):
    """An input was loaded and passed its type check. ``size`` is the stored size in bytes of all its sources."""

    name: str
    type: str
    sources: list[str] = []
    size: int = 0
    metadata: dict[str, Any] = {}


class StepOutput(Event, frozen=True, kw_only=True, tag="step_output", omit_defaults=True):
    """An output passed its type check and was stored. ``size`` in bytes as stored, ``key`` when not in the commit,
    ``output_item`` the key of one item of a dynamic output."""

    name: str
    type: str
    codec: str
    size: int
    sha256: str
    key: str = ""
    metadata: dict[str, Any] = {}
    output_item: str = ""


class StepMaterialization(Event, frozen=True, kw_only=True, tag="step_materialization", omit_defaults=True):
    """A Materialization the solid yielded."""

    label: str
    path: str = ""
    description: str = ""
    metadata: dict[str, Any] = {}


class StepExpectation(Event, frozen=True, kw_only=True, tag="step_expectation_result", omit_defaults=True):
    """An ExpectationResult the solid yielded."""

    success: bool
    label: str
    description: str = ""
    metadata: dict[str, Any] = {}
    severity: Severity = "record"
    output: str = ""


class StepSuccess(Event, frozen=True, kw_only=True, tag="step_success", omit_defaults=True):
    """An attempt succeeded; its outputs are stored."""

    duration_s: float


class StepFailure(Event, frozen=True, kw_only=True, tag="step_failure", omit_defaults=True):
    """An attempt failed, and none follows."""

    duration_s: float
    error: ErrorInfo


class StepRetry(Event, frozen=True, kw_only=True, tag="step_up_for_retry", omit_defaults=True):
    """This attempt failed and another follows after about ``delay_s`` seconds."""

    duration_s: float
    error: ErrorInfo
    delay_s: float


class StepSkipped(Event, frozen=True, kw_only=True, tag="step_skipped", omit_defaults=True):
    """A step did not run: what it needs will never come."""

    reason: str
    because: list[str] = []


class ResourceInit(Event, frozen=True, kw_only=True, tag="resource_init", omit_defaults=True):
    """A resource was opened, at its first use."""

    name: str
    duration_s: float


class ResourceTeardown(Event, frozen=True, kw_only=True, tag="resource_teardown", omit_defaults=True):
    """A resource was closed; ``error`` when that raised."""

    name: str
    error: ErrorInfo | None = None


class HookCompleted(Event, frozen=True, kw_only=True, tag="hook_completed", omit_defaults=True):
    """A hook was called, for the step's ``on`` (success or failure)."""

    name: str
    on: Literal["success", "failure"]
    duration_s: float


class HookErrored(Event, frozen=True, kw_only=True, tag="hook_errored", omit_defaults=True):
    """A hook raised. The step's outcome stays what it was."""

    name: str
    on: Literal["success", "failure"]
    duration_s: float
    error: ErrorInfo


class StorageRetry(Event, frozen=True, kw_only=True, tag="storage_retry", omit_defaults=True):
    """The store was asked again, after ``wait_s`` seconds: try number ``tries`` to ``verb`` (read, write, look up, ...)
    the object ``key`` had failed. ``came`` is status and S3's code, or for example ``no answer``."""

    key: str
    verb: str
    came: str
    tries: int
    wait_s: float


class LogMessage(Event, frozen=True, kw_only=True, tag="log", omit_defaults=True):
    """A line the solid logged."""

    level: Literal["debug", "info", "warning", "error", "critical"]
    message: str
    fields: dict[str, Any] = {}


class EngineEvent(Event, frozen=True, kw_only=True, tag="engine", omit_defaults=True):
    """Something the machinery did on its own account: adopted another attempt's commit, repaired a lost end."""

    message: str
    fields: dict[str, Any] = {}


AnyEvent = (
    RunStart
    | RunSuccess
    | RunFailure
    | StepStart
    | StepInput
    | StepOutput
    | StepMaterialization
    | StepExpectation
    | StepSuccess
    | StepFailure
    | StepRetry
    | StepSkipped
    | ResourceInit
    | ResourceTeardown
    | HookCompleted
    | HookErrored
    | StorageRetry
    | LogMessage
    | EngineEvent
)

_encoder = msgspec.json.Encoder()


@functools.cache
def _decoder() -> msgspec.json.Decoder[AnyEvent]:
    """Made when first needed: a step writes events and rarely reads any, and the decoder of them all is costly."""
    return msgspec.json.Decoder(AnyEvent)


def step_label(event: AnyEvent) -> str:
    """The step as people call it: ``clean``, or ``clean[berlin]`` when it is mapped and this is one item of it."""
    return f"{event.step}[{event.item}]" if event.item else event.step


def final_events(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """Those of each step's last attempt (of each item's, when the step is mapped), and of the run itself."""
    every = list(events)
    last: dict[tuple[str, str], int] = {}
    for event in every:
        last[event.step, event.item] = max(event.attempt, last.get((event.step, event.item), 0))
    return [event for event in every if event.attempt == last[event.step, event.item]]


def kind_of(event: AnyEvent) -> str:
    """The event's ``kind`` as it is written, for example ``step_output``."""
    return str(event.__struct_config__.tag)


def encode_events(events: Iterable[AnyEvent]) -> bytes:
    """NDJSON, one event a line, with a newline at the end."""
    return _encoder.encode_lines(list(events))


def decode_events(data: bytes) -> list[AnyEvent]:
    """Inverse of :func:`encode_events`. Raises ``msgspec.ValidationError`` for a line of no known kind."""
    return _decoder().decode_lines(data)


def plain_metadata(metadata: Any) -> dict[str, Any]:
    """Metadata as the JSON values that will be read back: what JSON cannot hold becomes text, and no number None, so
    that a fact in an event can never be the reason a step fails. Facts that are no mapping are kept under ``value``."""
    if type(metadata) is dict and not metadata:
        return {}
    facts = metadata if isinstance(metadata, Mapping) else {"value": metadata}
    return {_plain_key(key): _plain_value(value) for key, value in facts.items()}


def _plain_key(key: object) -> str:
    return key if isinstance(key, str) and key.isprintable() else shown(key, 200)


def _plain_value(value: Any) -> Any:
    try:
        return msgspec.json.decode(_encoder.encode(msgspec.to_builtins(value, str_keys=True, enc_hook=str)))
    except Exception:  # noqa: BLE001 - to_builtins calls user code (str, properties); the facts matter less than the step
        return shown(value, 200)
