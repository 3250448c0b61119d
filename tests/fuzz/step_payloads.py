"""Target: what the function is invoked with, by a machine or by anybody who may invoke it."""

from __future__ import annotations

import json
from typing import Any

from solidstate.errors import SolidstateError
from solidstate.handler.entry import make_handler
from solidstate.handler.outcome import AttemptFailed, PlanChanged, RunFailed, RunRefused
from solidstate.infra.inline import InlineInvocation
from tests.fuzz.draws import Draws
from tests.fuzz.pipelines import REQUEST as DOCUMENT
from tests.fuzz.pipelines import WORDS, runtime

_HASH = runtime().pipelines["shop"].hash
_RUN: dict[str, Any] = {
    "id": "r1",
    "mode": "local",
    "pipeline": "shop",
    "plan": _HASH,
    "request": {"solids": {"read": {"config": {"path": "p"}}}, "resources": {}},
    "steps": None,
    "from_run": None,
    "execution": "arn",
}
PAYLOADS: tuple[dict[str, Any], ...] = (
    {"kind": "start", "pipeline": "shop", "plan": _HASH, "execution": "arn", "name": "r1", "input": DOCUMENT},
    {"kind": "step", "step": "read", "run": _RUN, "retry": 0},
    {"kind": "step", "step": "twice", "run": _RUN, "item": "a", "entry": {"at": 0, "size": 10, "head": 5}},
    {"kind": "step", "step": "add", "run": _RUN, "waits": ["read"], "wakes": ["sort"], "woken": True},
    {"kind": "items", "step": "split", "output": "item", "steps": ["twice"], "run": _RUN, "listed": False},
    {"kind": "ended", "step": "read", "run": _RUN, "wakes": ["add"]},
    {"kind": "end", "run": _RUN},
)
EXPECTED = (SolidstateError, AttemptFailed, PlanChanged, RunFailed, RunRefused)
_WORDS = (*WORDS, "step", "run", "kind", "items", "gate", "end", "ended", "retry", "id", "plan", "shop", "r1", _HASH)


class _Tokens:
    """A service that knows no token."""

    def succeed(self, token: str, answer: bytes) -> bool:
        return False

    def fail(self, token: str, error: str, cause: str) -> bool:
        return False


def event_of(data: bytes) -> Any:
    """JSON as it comes, or a payload of ours with parts of it changed."""
    draws = Draws(data)
    if draws.number(4) == 0:
        try:
            return json.loads(draws.rest())
        except (ValueError, RecursionError):
            return {}
    return draws.changed(draws.pick(PAYLOADS), _WORDS)


def check(data: bytes) -> None:
    used = runtime()
    used.tokens = _Tokens()
    handler = make_handler(used)
    try:
        answer = handler(event_of(data), InlineInvocation(60))
    except EXPECTED:
        answer = {}
    json.dumps(answer, allow_nan=False)
    assert all(info.key.startswith("v1/") and ".." not in info.key.split("/") for info in used.store.list(""))
