"""The commit: a step's decided result, its small outputs and its events in one object.

NDJSON: the first line is the header, every further line an event. Created with ``If-None-Match: *``, so that of any
number of attempts exactly one result is *the* result.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

from solidstate.errors import IntermediateError
from solidstate.events import AnyEvent, decode_events, encode_events

CommitStatus = Literal["success", "skipped"]


class CommittedOutput(msgspec.Struct, frozen=True, omit_defaults=True):
    """One output: its bytes here (``inline``, base64 in JSON) or under ``key``. ``size`` and ``sha256`` are of the
    encoded bytes. ``item`` is the key of one item of a dynamic output, which has an entry for each."""

    name: str
    type: str
    codec: str
    size: int
    sha256: str
    inline: bytes | None = None
    key: str | None = None
    item: str = ""


class Commit(msgspec.Struct, frozen=True, tag_field="kind", tag="commit", omit_defaults=True):
    """A step's result. ``attempt_id`` tells whose; ``fingerprint`` of which plan, config and inputs; never of code.
    ``withheld`` names outputs that are kept from those downstream, each with the expectation that was not met.
    ``item`` is the key of the item a mapped step was run for; ``for_all_items`` says of a skipped one that the reason
    lies outside of the item, so that all others are skipped with it."""

    run: str
    pipeline: str
    step: str
    attempt: int
    attempt_id: str
    fingerprint: str
    status: CommitStatus
    outputs: list[CommittedOutput] = []
    withheld: dict[str, str] = {}
    item: str = ""
    for_all_items: bool = False

    def items(self, name: str) -> dict[str, CommittedOutput]:
        """The items of a dynamic output by key, in the order they were yielded."""
        return {out.item: out for out in self.outputs if out.name == name and out.item}

    def output(self, name: str) -> CommittedOutput | None:
        for out in self.outputs:
            if out.name == name:
                return out
        return None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Commit)


def encode_commit(commit: Commit, events: list[AnyEvent] | bytes) -> bytes:
    """``events`` as they are, or as they were encoded."""
    lines = events if isinstance(events, bytes) else encode_events(events)
    return _encoder.encode(commit) + b"\n" + lines


def fingerprint_of(plan_hash: str, request: Any, inputs: list[str]) -> str:
    """Of what a result depends on, code excepted: a redrive after a bug fix must be able to keep it. ``inputs`` are the
    SHA-256 of what was read."""
    body = msgspec.json.encode([plan_hash, request, inputs], order="deterministic")
    return hashlib.sha256(body).hexdigest()[:16]


def decode_commit(data: bytes, key: str) -> Commit:
    """The header alone: what a downstream step needs. Raises IntermediateError when the object is not a commit."""
    try:
        return _decoder.decode(data[: _header_end(data)])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntermediateError(
            f"The object `{key}` is not a commit: {error}.",
            subject=key,
            hint="something else wrote to the bucket; restore the object's earlier version, or run the step again in a "
            "new run",
        ) from error


def decode_commit_events(data: bytes, key: str) -> list[AnyEvent]:
    """The events after the header."""
    try:
        return decode_events(data[_header_end(data) + 1 :])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntermediateError(f"The events in `{key}` cannot be read: {error}.", subject=key) from error


def _header_end(data: bytes) -> int:
    end = data.find(b"\n")
    return len(data) if end < 0 else end
