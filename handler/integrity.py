"""What is wrong with something stored, told so that it can be mended: which object, whose output, what to do.

Loaded when something is wrong.

SOLIDSTATE_RETENTION_DAYS   after how many days the bucket's lifecycle removes intermediates (30)
"""

from __future__ import annotations

import os
import time

from solidstate.errors import (
    CorruptedIntermediate,
    ExpiredIntermediate,
    IntermediateError,
    MissingIntermediate,
    MistypedIntermediate,
    SolidstateError,
    TruncatedIntermediate,
)
from solidstate.planner.plan import OutputRef
from solidstate.storage import keys
from solidstate.storage.commits import CommittedOutput
from solidstate.storage.records import decode_run_record
from solidstate.storage.store import ObjectStore

RETENTION = "SOLIDSTATE_RETENTION_DAYS"
RETENTION_DAYS = 30
_DAY_S = 86_400


def told(stored: CommittedOutput, ref: OutputRef, producer: str) -> str:
    """How a message begins: the output, or the item of a dynamic one, and whose it is."""
    item = f"Item `{stored.item}` of output" if stored.item else "Output"
    return f"{item} `{ref.output}` of `{producer}`"


def gone(
    stored: CommittedOutput, ref: OutputRef, producer: str, reader: str, store: ObjectStore, pipeline: str
) -> MissingIntermediate:
    """There is no object. It has expired when the run it is of is older than what the bucket keeps."""
    key = stored.key or ""
    what = f"{told(stored, ref, producer)}, needed by `{reader}`,"
    run = keys.run_in(key)
    days = _age_in_days(store, pipeline, run)
    kept = retention_days()
    if days is not None and days >= kept:
        return ExpiredIntermediate(
            f"{what} has expired: there is no object `{key}`, run `{run}` began {days} days ago, and intermediates are "
            f"kept for {kept} days.",
            subject=ref.step,
            path=key,
            hint=f"run again from `{ref.step}`; `RetentionDays` of the template says how long they are kept",
        )
    since = "" if days is None else f", though run `{run}` began {days} days ago and they are kept for {kept}"
    return MissingIntermediate(
        f"{what} is gone: there is no object `{key}`{since}.",
        subject=ref.step,
        path=key,
        hint=f"it was deleted: restore the object's earlier version, or run again from `{ref.step}`",
    )


def damaged(stored: CommittedOutput, ref: OutputRef, producer: str, reader: str, data: bytes) -> IntermediateError:
    """Other bytes than those that were stored: fewer, or others."""
    where = stored.key or f"the commit of `{producer}`"
    what = f"{told(stored, ref, producer)}, needed by `{reader}`,"
    hint = f"restore the object's earlier version, or run again from `{ref.step}`"
    if len(data) < stored.size:
        return TruncatedIntermediate(
            f"{what} is cut short: {where} holds {len(data)} bytes of {stored.size}.",
            subject=ref.step,
            path=stored.key or "",
            hint=hint,
        )
    import hashlib

    return CorruptedIntermediate(
        f"{what} is damaged: {where} holds {len(data)} bytes with SHA-256 {hashlib.sha256(data).hexdigest()[:12]}..., "
        f"expected {stored.size} bytes with SHA-256 {stored.sha256[:12]}...",
        subject=ref.step,
        path=stored.key or "",
        hint=hint,
    )


def undecodable(
    stored: CommittedOutput, ref: OutputRef, producer: str, kind: str, problem: str, hint: str
) -> MistypedIntermediate:
    """The bytes that were stored are not what the producer's type decodes."""
    return MistypedIntermediate(
        f"{told(stored, ref, producer)} cannot be decoded as `{stored.codec}` (`{kind}`): {problem}",
        subject=ref.step,
        path=stored.key or "",
        hint=hint or f"run `{ref.step}` again in a new run; its type may have changed since this value was stored",
    )


def mistyped(stored: CommittedOutput, ref: OutputRef, producer: str, kind: str, where: str) -> MistypedIntermediate:
    """The commit says that it is of another type than the very plan it was made by."""
    return MistypedIntermediate(
        f"{told(stored, ref, producer)} is stored as `{stored.type}`, and the plan by which that was done says "
        f"`{kind}`: `{where}`.",
        subject=ref.step,
        path=where,
        hint=f"something else wrote to the bucket: restore the object's earlier version, or run again from "
        f"`{ref.step}`",
    )


def retention_days() -> int:
    """For how long the bucket keeps intermediates."""
    text = os.environ.get(RETENTION, "")
    return int(text) if text.isascii() and text.isdigit() else RETENTION_DAYS


def _age_in_days(store: ObjectStore, pipeline: str, run: str) -> int | None:
    """Whole days since a run began; None where that is not on record."""
    try:
        key = keys.run_record(pipeline, run)  # what the forged key of an object names may be no run
        record = decode_run_record(store.get(key), key)
    except SolidstateError:
        return None
    return max(0, int((time.time() - record.started_at) / _DAY_S))
