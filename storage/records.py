"""What is recorded of a run as a whole: who started what, and how it ended."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec

from solidstate.errors import IntermediateError
from solidstate.events import ErrorInfo

R = TypeVar("R")

RunStatus = Literal["running", "success", "failed", "cancelled", "interrupted"]
StepStatus = Literal["success", "failed", "skipped", "not selected", "not reached", "running"]
"""``running`` is what readers say of a run that goes on; no summary is stored with it."""


class RunRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """Written once, by Start run. ``request`` is the validated run request; ``started_at`` seconds since 1970, UTC."""

    run: str
    pipeline: str
    plan: str
    mode: str
    started_at: float
    request: dict[str, Any] = {}
    preset: str = ""
    tags: dict[str, str] = {}
    execution: str = ""
    engine: str = ""
    version: str = ""


# `gc=False`: it holds plain data alone, which is part of no cycle.
class StepSummary(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How one step ended. Sizes in bytes as stored; ``inputs`` and ``outputs`` map names to sizes;
    ``warnings`` are the expectations of severity ``warn`` that were not met, and the hooks that raised.

    Of a mapped step: ``items`` counts its items by status; sizes, times and counts are sums over them, ``attempts`` is
    the most any of them took; ``item_errors`` are those of the first items that failed, by key."""

    step: str
    solid: str
    status: StepStatus
    duration_s: float = 0.0
    attempts: int = 0
    inputs: dict[str, int] = {}
    outputs: dict[str, int] = {}
    expectations_failed: int = 0
    expectations: int = 0
    materializations: list[str] = []
    reason: str = ""
    error: ErrorInfo | None = None
    warnings: list[str] = []
    items: dict[str, int] | None = None
    item_errors: dict[str, ErrorInfo] = {}


class RunSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a run ended; written by End run, or by a local engine that was stopped."""

    run: str
    pipeline: str
    plan: str
    mode: str
    status: RunStatus
    started_at: float
    duration_s: float
    steps: list[StepSummary] = []
    message: str = ""
    preset: str = ""
    tags: dict[str, str] = {}
    execution: str = ""
    engine: str = ""

    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for step in self.steps:
            counts[step.status] = counts.get(step.status, 0) + 1
        return counts


_encoder = msgspec.json.Encoder()


def encode_record(record: RunRecord | RunSummary) -> bytes:
    return _encoder.encode(record) + b"\n"


class _Asked(msgspec.Struct):
    """What a recorded request may hold. Steps read it, so it is held to this although we wrote it: others may have
    written over it."""

    solids: dict[str, dict[str, Any]] = {}
    resources: dict[str, dict[str, Any]] = {}
    steps: list[str] | None = None
    from_run: str | None = None


def decode_run_record(data: bytes, key: str) -> RunRecord:
    """Raises IntermediateError for what is none."""
    record = _decode(RunRecord, data, key, "run record")
    try:
        msgspec.convert(record.request, _Asked)
    except msgspec.ValidationError as error:
        raise IntermediateError(f"The object `{key}` is not a run record: {error}.", subject=key) from error
    return record


def decode_run_summary(data: bytes, key: str) -> RunSummary:
    return _decode(RunSummary, data, key, "run summary")


def _decode(kind: type[R], data: bytes, key: str, what: str) -> R:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntermediateError(f"The object `{key}` is not a {what}: {error}.", subject=key) from error
