"""Commits that a process remembers having written."""

from __future__ import annotations

import datetime
from typing import Any

from solidstate.events import AnyEvent, StepOutput, StepStart, StepSuccess, plain_metadata
from solidstate.storage.commits import Commit, CommittedOutput, decode_commit, decode_commit_events, encode_commit
from solidstate.storage.memory import MemoryStore
from solidstate.storage.remembered import Remembered

KEY = "v1/commits/p/s/r.ndjson"
OUT = CommittedOutput(name="result", type="int", codec="msgpack", size=1, sha256="00", inline=b"\x01")


class Holding(MemoryStore):
    """Gives one body, whatever it is asked for."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._body = body

    def get(self, key: str) -> bytes:
        return self._body


def commit_of(*outputs: CommittedOutput) -> Commit:
    return Commit("r", "p", "s", 1, "001-q", "f", "success", list(outputs))


def events_of(metadata: dict[str, Any] | None = None) -> list[AnyEvent]:
    common: dict[str, Any] = {"run": "r", "pipeline": "p", "step": "s", "attempt": 1, "time": 1.25, "elapsed_s": 0.5}
    out = StepOutput(seq=2, name="result", type="int", codec="msgpack", size=1, sha256="00", **common)
    if metadata is not None:
        out = StepOutput(
            seq=2, name="result", type="int", codec="msgpack", size=1, sha256="00", metadata=metadata, **common
        )
    return [StepStart(seq=1, solid="s", **common), out, StepSuccess(seq=3, duration_s=0.5, **common)]


def test_what_is_remembered_is_what_decoding_gives() -> None:
    """Commit and events come back equal to those decoded from the bytes."""
    commit, events, memo = commit_of(OUT), events_of(), Remembered()
    body = encode_commit(commit, events)
    memo.keep(KEY, body, commit, events)
    assert memo.read(Holding(body), KEY) == decode_commit(body, KEY)
    assert memo.events(Holding(body), KEY) == (body, decode_commit_events(body, KEY))


def test_other_bytes_are_not_remembered() -> None:
    """Equal bytes of another object, other bytes and other keys are decoded by whoever reads them."""
    commit, memo = commit_of(OUT), Remembered()
    body = encode_commit(commit, events_of())
    memo.keep(KEY, body, commit, events_of())
    assert memo.read(Holding(bytes(bytearray(body))), KEY) is None
    assert memo.events(Holding(body + b" "), KEY) is None
    assert memo.read(Holding(body), "v1/commits/p/t/r.ndjson") is None


def test_facts_are_remembered_as_they_are_read() -> None:
    """A NaN among them was made None before, as it is in JSON."""
    events = events_of(plain_metadata({"mean": float("nan"), "days": (datetime.date(2026, 1, 31),)}))
    commit, memo = commit_of(OUT), Remembered()
    body = encode_commit(commit, events)
    memo.keep(KEY, body, commit, events)
    assert memo.events(Holding(body), KEY) == (body, decode_commit_events(body, KEY)) == (body, events)


def test_names_of_the_users_own_making_are_not_remembered() -> None:
    """A codec that calls itself by a number can be written and not read: whoever reads it has to be told."""
    number: Any = 7
    commit, memo = commit_of(CommittedOutput("result", "int", number, 1, "00", b"\x01")), Remembered()
    body = encode_commit(commit, events_of())
    memo.keep(KEY, body, commit, events_of())
    assert memo.read(Holding(body), KEY) is None
    assert memo.events(Holding(body), KEY) is None
