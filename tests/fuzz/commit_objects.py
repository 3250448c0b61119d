"""Target: an object where a commit should be, and its lines."""

from __future__ import annotations

import msgspec

from solidstate.errors import IntermediateError
from solidstate.events import AnyEvent, EngineEvent, LogMessage, StepSuccess
from solidstate.storage.commits import (
    Commit,
    CommittedOutput,
    decode_commit,
    decode_commit_events,
    decode_item,
    encode_commit,
    events_begin,
    item_lines,
)
from tests.fuzz.draws import Draws

KEY = "v1/commits/p/s/r.ndjson"
_OUTPUTS = [
    CommittedOutput("result", "int", "msgpack", 1, "0" * 64, inline=b"\x01"),
    CommittedOutput("item", "int", "msgpack", 1, "1" * 64, inline=b"\x01", item="a"),
    CommittedOutput("item", "int", "msgpack", 1, "2" * 64, key="v1/data/p/s/r/001-q/item@b", item="b"),
]
_COMMIT = Commit("r", "p", "s", 1, "001-q", "f", "success", _OUTPUTS, {"result": "why"})
_EVENTS: list[AnyEvent] = [
    LogMessage("r", "p", 1, 1.0, 0.1, "s", 1, level="info", message="m", fields={"a": [1]}),
    EngineEvent("r", "p", 2, 1.0, 0.1, "s", 1, message="m"),
    StepSuccess("r", "p", 3, 1.0, 0.1, "s", 1, duration_s=0.1),
]
VALID = encode_commit(_COMMIT, _EVENTS)
WORDS = ("kind", "commit", "log", "step_success", "name", "item", "run", "outputs", "inline", "result", "success")


def body_of(data: bytes) -> bytes:
    """Bytes as they come, or a valid commit whose lines were changed."""
    draws = Draws(data)
    if draws.number(2):
        return draws.rest()
    lines: list[bytes] = []
    for line in VALID.splitlines():
        what = draws.number(16)
        changed = draws.changed(msgspec.json.decode(line), WORDS, json=True) if what > 4 else None
        made = line if changed is None else _written(changed)
        lines += [] if what == 0 else [made, made] if what == 1 else [made]
    return b"\n".join(lines)


def _written(document: object) -> bytes:
    try:
        return msgspec.json.encode(document)
    except (UnicodeEncodeError, RecursionError, OverflowError, ValueError):
        return b"{}"


def check(data: bytes) -> None:
    body = body_of(data)
    head, lines = item_lines(body)
    assert 0 < head <= len(body) + 1
    assert events_begin(body) <= len(body)
    try:
        decode_commit_events(body, KEY)
    except IntermediateError:
        pass
    try:
        commit = decode_commit(body, KEY)
    except IntermediateError:
        return
    found = [body[at : at + size] for at, size in lines]
    items = commit.outputs[len(commit.outputs) - len([line for line in found if line.strip()]) :]
    for line, out in zip([line for line in found if line.strip()], items, strict=True):
        assert decode_item(line, KEY, out.name, out.item) == out
        try:
            decode_item(line, KEY, out.name, out.item + "x")
        except IntermediateError:
            continue
        raise AssertionError("another item was taken for the one that was asked for")
