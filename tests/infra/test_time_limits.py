"""A step's own time limit, reported as Lambda reports it."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from solidstate.infra.local_lambda import LambdaContext
from solidstate.infra.time_limits import StoreOfTheLiving, TimeLimited
from solidstate.storage.memory import MemoryStore

CONTEXT = LambdaContext("step", "1024", "arn:step", time.monotonic() + 900, aws_request_id="q-1")


def limited(handler: Any) -> TimeLimited:
    """An invoker with one limited step."""
    made = TimeLimited({"slow": 1})
    made.handler = handler
    return made


def test_a_step_that_takes_longer_is_reported_as_timed_out() -> None:
    """Under the name that Retry and Catch match, on time."""
    release = threading.Event()
    began = time.monotonic()
    with pytest.raises(Exception, match=r"^RequestId: q-1 Error: Task timed out after 1.00 seconds$") as caught:
        limited(lambda event, context: release.wait(20))("f", {"kind": "step", "step": "slow"}, CONTEXT)
    release.set()
    assert type(caught.value).__name__ == "Sandbox.Timedout"
    assert 0.9 < time.monotonic() - began < 5


def test_the_context_knows_the_steps_own_limit() -> None:
    """Other payloads keep the function's."""
    invoke = limited(lambda event, context: {"left": context.get_remaining_time_in_millis()})
    assert 0 < invoke("f", {"kind": "step", "step": "slow"}, CONTEXT)["left"] <= 1000
    for kind in ("items", "gate", "ended"):  # name a step without running it
        assert invoke("f", {"kind": kind, "step": "slow"}, CONTEXT)["left"] > 100_000
    assert invoke("f", {"kind": "end"}, CONTEXT)["left"] > 100_000


def test_answers_and_errors_pass_as_they_are() -> None:
    """Also what is no Exception."""

    def leave(event: Any, context: Any) -> Any:
        raise SystemExit(3)

    assert limited(lambda event, context: {"ok": True})("f", {"kind": "step", "step": "slow"}, CONTEXT) == {"ok": True}
    with pytest.raises(SystemExit):
        limited(leave)("f", {"kind": "step", "step": "slow"}, CONTEXT)


def test_nothing_is_taken_from_an_attempt_that_timed_out() -> None:
    """As on AWS, where its process is gone: no commit of its comes late."""
    inner = MemoryStore()
    store = StoreOfTheLiving(inner)
    release, done = threading.Event(), threading.Event()

    def late(event: Any, context: Any) -> Any:
        store.put("in time", b"1")
        release.wait(20)
        try:
            store.put("late", b"1")
        finally:
            done.set()

    with pytest.raises(Exception, match="Task timed out"):
        limited(late)("f", {"kind": "step", "step": "slow"}, CONTEXT)
    release.set()
    assert done.wait(10)
    store.put("by others", b"1")
    assert [info.key for info in inner.list("")] == ["by others", "in time"]
    assert (store.get("in time"), store.exists("late")) == (b"1", False)
