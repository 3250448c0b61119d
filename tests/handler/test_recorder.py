"""Events of an attempt: numbered, complete, and always such that they can be read back."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from solidstate.events import AnyEvent, LogMessage, StepMaterialization, StepStart, decode_events, encode_events
from solidstate.handler.recorder import Recorder, Scope

SCOPE = Scope(run="r", pipeline="p", step="s", attempt=2, execution="arn", state="s", request="q")


def test_every_event_says_who_speaks() -> None:
    """Run, step, attempt, execution, state, request, number and both clocks."""
    seen: list[AnyEvent] = []
    recorder = Recorder(SCOPE, seen.append)
    first, second = recorder.emit(StepStart, solid="s"), recorder.emit(LogMessage, level="info", message="m")
    assert [first, second] == recorder.events == seen
    assert (first.run, first.pipeline, first.step, first.attempt) == ("r", "p", "s", 2)
    assert (first.execution, first.state, first.request) == ("arn", "s", "q")
    assert (first.seq, second.seq, second.elapsed_s >= first.elapsed_s >= 0) == (1, 2, True)


class Odd:
    """Of no kind that JSON knows, and no text of its own."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize(
    "fact", ["\ud800", {"deep": ["\udcff"]}, {"\ud800": 1}, Odd(), [Odd()], 2**80, float("nan"), {1, 2}, b"\xff", 1j]
)
def test_every_event_can_be_written_and_read_back(fact: Any) -> None:
    """One that cannot would cost the step its result, or the run its end."""
    recorder = Recorder(SCOPE)
    recorder.emit(StepMaterialization, label="\udc80 label", metadata={"fact": fact})
    (back,) = decode_events(recorder.encoded())
    assert isinstance(back, StepMaterialization)
    assert back.label == "\\udc80 label"
    assert decode_events(encode_events(recorder.events)) == [back]


def test_who_looks_on_sees_what_will_be_read_back() -> None:
    """A page or a terminal could not write the rest either."""
    seen: list[AnyEvent] = []
    recorder = Recorder(SCOPE, seen.append)
    recorder.emit(StepMaterialization, label="\udc80 label", metadata={"fact": Odd()})
    assert seen == recorder.events == decode_events(recorder.encoded())


def test_threads_of_a_solid_may_log() -> None:
    """Numbers stay unique and in order."""
    recorder = Recorder(SCOPE)

    def slowly(*who: Any, **facts: Any) -> LogMessage:
        time.sleep(0.0001)  # another thread gets its turn between the number and the list
        return LogMessage(*who, **facts)

    def log() -> None:
        for _ in range(20):
            recorder.emit(slowly, level="info", message="m")

    threads = [threading.Thread(target=log) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in recorder.events] == list(range(1, 161))
