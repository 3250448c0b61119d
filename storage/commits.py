"""The commit: a step's decided result, its small outputs and its events in one object.

NDJSON: the first line is the header, then one line for each item of a dynamic output, then one for each event. Whoever
knows where an item's line stands can read it alone. Created with ``If-None-Match: *``, so that of any number of
attempts exactly one result is *the* result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from solidstate.errors import TruncatedIntermediate, UnreadableCommit
from solidstate.events import AnyEvent, decode_events

CommitStatus = Literal["success", "skipped"]


# `gc=False`: both hold plain data alone, which is part of no cycle.
class CommittedOutput(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
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


class Commit(msgspec.Struct, frozen=True, tag_field="kind", tag="commit", omit_defaults=True, gc=False):
    """A step's result. ``attempt_id`` tells whose; ``fingerprint`` of which plan, config and inputs; never of code.
    ``withheld`` names outputs that are kept from those downstream, each with the expectation that was not met.
    ``item`` is the key of the item a mapped step was run for; ``for_all_items`` says of a skipped one that the reason
    lies outside of the item, so that all others are skipped with it. ``listed`` counts the items that follow the
    header, and is 0 in memory, where they are among the outputs."""

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
    listed: int = 0

    def items(self, name: str) -> dict[str, CommittedOutput]:
        """The items of a dynamic output by key, in the order they were yielded."""
        return {out.item: out for out in self.outputs if out.name == name and out.item}

    def output(self, name: str) -> CommittedOutput | None:
        for out in self.outputs:
            if out.name == name:
                return out
        return None


_canonical = msgspec.json.Encoder(order="deterministic")
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Commit)
_output = msgspec.json.Decoder(CommittedOutput)
_RESTORE = (
    "something else wrote to the bucket; restore the object's earlier version, or run the step again in a new run"
)
_EVENT = b'\n{"kind":'
"""How a line of an event begins, and none of an item: that has no kind. JSON holds no line break of its own."""


def commit_lines(commit: Commit) -> list[Commit | CommittedOutput]:
    """What stands before the events, line by line."""
    items = [out for out in commit.outputs if out.item]
    if not items:
        return [commit]
    plain = [out for out in commit.outputs if not out.item]
    return [msgspec.structs.replace(commit, outputs=plain, listed=len(items)), *items]


def encode_commit(commit: Commit, events: list[AnyEvent]) -> bytes:
    return _encoder.encode_lines([*commit_lines(commit), *events])


def fingerprint_of(plan_hash: str, request: Any, inputs: list[str]) -> str:
    """Of what a result depends on, code excepted: a redrive after a bug fix must be able to keep it. Three parts, so
    that it can be told which of them differ: the plan, what the request says of the step (``-``: nothing), and what was
    read, whose SHA-256 are ``inputs``."""
    asked = hashlib.sha256(_canonical.encode(request)).hexdigest()[:16] if request else "-"
    read = inputs[0] if len(inputs) == 1 else hashlib.sha256("".join(inputs).encode()).hexdigest() if inputs else "-"
    return f"{plan_hash}/{asked}/{read[:16]}"


def decode_commit(data: bytes, key: str, *, header: bool = False) -> Commit:
    """The header and the items: what a downstream step needs; of a ``header`` alone no items are expected. Raises
    UnreadableCommit when the object is not a commit, TruncatedIntermediate when it lacks items."""
    end, events = _sections(data)
    try:
        commit = _decoder.decode(data[:end])
        if any(out.item for out in commit.outputs):
            raise msgspec.ValidationError("an item of a dynamic output stands in its header")
        if not commit.listed and events - end <= 1:
            return commit
        items = [_output.decode(data[at : at + size]) for at, size in _lines(data, end, events)]
        if not all(out.item for out in items):
            raise msgspec.ValidationError("a line between header and events is no item of a dynamic output")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableCommit(f"The object `{key}` is not a commit: {error}.", subject=key, hint=_RESTORE) from error
    if commit.listed not in (0, len(items)) and not header:
        raise TruncatedIntermediate(
            f"The commit `{key}` is cut short: it has {len(items)} of {commit.listed} items.",
            subject=commit.step,
            path=key,
            hint=_RESTORE,
        )
    return msgspec.structs.replace(commit, outputs=[*commit.outputs, *items], listed=0)


def decode_item(line: bytes, key: str, name: str, item: str) -> CommittedOutput:
    """One item of a dynamic output, read by itself. Raises UnreadableCommit when ``line`` is none, or another one."""
    try:
        found = _output.decode(line)
        if (found.name, found.item) == (name, item):
            return found
        problem = f"there is item `{found.item}` of output `{found.name}`"
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        problem = str(error)
    raise UnreadableCommit(
        f"Item `{item}` of output `{name}` is not where it should be in `{key}`: {problem}.",
        subject=key,
        hint=_RESTORE,
    )


def item_lines(data: bytes) -> tuple[int, list[tuple[int, int]]]:
    """The size of the header, line break included, and where the line of each item stands: begin and size."""
    end, events = _sections(data)
    return end + 1, list(_lines(data, end, events))


def decode_commit_events(data: bytes, key: str) -> list[AnyEvent]:
    """The events of a commit."""
    try:
        return decode_events(data[events_begin(data) :])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        problem = f"The events in `{key}` cannot be read: {error}."
        raise UnreadableCommit(problem, subject=key, hint=_RESTORE) from error


def header_end(data: bytes) -> int:
    """Where the header of a commit ends."""
    return _sections(data)[0]


def events_begin(data: bytes) -> int:
    """Where in a commit its events begin."""
    return _sections(data)[1]


def _lines(data: bytes, end: int, events: int) -> Iterator[tuple[int, int]]:
    """Where each line between the header and the events begins, and its size. One at a time, because each must be one
    item by itself: it may be read alone."""
    begin = end + 1
    while begin < events:
        line = data.find(b"\n", begin, events)
        size = (line if line >= 0 else events) - begin
        yield begin, size
        begin += size + 1


def _sections(data: bytes) -> tuple[int, int]:
    """Where the header ends, and where the events begin."""
    end = data.find(b"\n")
    if end < 0:
        return len(data), len(data)
    events = data.find(_EVENT, end)
    return end, len(data) if events < 0 else events + 1
