"""One attempt of one step, and the protocol that decides its result once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from solidstate import (
    HookContext,
    Out,
    Output,
    RetryPolicy,
    RetryRequested,
    failure_hook,
    pipeline,
    pipeline_from_dependencies,
    solid,
)
from solidstate.events import EngineEvent, StepRetry, StepSuccess
from solidstate.handler.pauses import delay_after
from solidstate.planner.contract import StepDigest
from solidstate.planner.plan import Retry
from solidstate.storage.folder import FolderStore
from solidstate.storage.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.handler.conftest import Bench

MEET = threading.Barrier(2, timeout=10)


@solid
def race() -> bytes:
    """A value no other attempt has."""
    MEET.wait()
    return os.urandom(8)


@solid
def read(value: bytes) -> bytes:
    return value


@pipeline
def racing() -> None:
    read(race())


@pytest.mark.parametrize("retry", [0, 1], ids=["two first attempts", "an attempt and its repetition"])
@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_of_two_attempts_at_a_time_one_decides(bench: type[Bench], tmp_path: Path, kind: str, retry: int) -> None:
    """There is one commit, and both attempts answer with it."""
    run = bench(racing, store=MemoryStore() if kind == "memory" else FolderStore(tmp_path))
    answers: list[StepDigest] = []
    attempts = [threading.Thread(target=lambda number=n: answers.append(run.step("race", number))) for n in (0, retry)]
    for attempt in attempts:
        attempt.start()
    for attempt in attempts:
        attempt.join()
    assert len(answers) == 2
    assert answers[0] == answers[1]
    commit = run.commit("race")
    assert answers[0].attempt == commit.attempt
    adopted = [event for event in run.events("race") if isinstance(event, EngineEvent)]
    assert [event.message for event in adopted] == ["adopted the commit of another attempt"]
    assert adopted[0].fields == {"attempt": commit.attempt_id}
    assert run.kinds("race")[-1] in ("step_success", "engine")
    run.step("read")
    assert run.commit("read").outputs[0].inline == commit.outputs[0].inline
    assert run.close().status == "success"


@solid(outs={"a": Out(bytes), "b": Out(bytes)})
def produce() -> Iterator[Output[bytes]]:
    yield Output(os.urandom(300_000), "a")
    yield Output(os.urandom(8), "b")


@solid
def consume(a: bytes, b: bytes) -> int:
    return len(a) + len(b)


@pipeline
def protocol() -> None:
    made = produce()
    consume(made.a, made.b)


class Crash(KeyboardInterrupt):
    """The process is gone. Of the kind that no code of ours or the user's holds up."""


class Crashing(MemoryStore):
    """Dies at one call, before or after it had its effect; nothing gets through until it is `revived`."""

    def __init__(self) -> None:
        super().__init__()
        self.left = -1
        self.after = False
        self.dead = False

    def revived(self) -> None:
        """Let another process use it."""
        self.left, self.dead = -1, False

    def _call(self, effect: Any) -> Any:
        self.left -= 1
        if self.dead:
            raise Crash
        self.dead = self.left == 0
        if self.dead and not self.after:
            raise Crash
        result = effect()
        if self.dead:
            raise Crash
        return result

    def get(self, key: str) -> bytes:
        return self._call(lambda: super(Crashing, self).get(key))  # type: ignore[no-any-return]  # what it was given

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        return self._call(  # type: ignore[no-any-return]  # what it was given
            lambda: super(Crashing, self).put(key, body, if_absent=if_absent)
        )


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["produce", "consume"])
@pytest.mark.parametrize("call", range(1, 6))
def test_a_crash_at_any_call_loses_and_doubles_nothing(
    bench: type[Bench], step: str, call: int, *, after: bool
) -> None:
    """Whatever was visible when the process died is what every later attempt answers with."""
    store = Crashing()
    run = bench(protocol, store=store)
    if step == "consume":
        run.step("produce")
    store.left, store.after = call, after
    try:
        first: StepDigest | None = run.step(step)
    except Crash:
        first = None
    else:
        assert store.left > 0  # the step makes fewer calls: nothing crashed
    store.revived()
    decided = store._objects.get(run.key(step))
    second, third = run.step(step, retry=1), run.step(step, retry=2)
    assert second == third
    assert first in (None, second)
    assert decided in (None, store._objects[run.key(step)])
    if step == "produce":
        run.step("consume")
    assert run.close().status == "success"


def test_our_own_commit_is_recognised(bench: type[Bench]) -> None:
    """The PUT was applied, its answer was lost, and its repetition hears that something is there: it is ours."""

    class Lossy(MemoryStore):
        """Repeats each conditional write, as botocore does when the answer does not come."""

        def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
            written = super().put(key, body, if_absent=if_absent)
            return written and not (if_absent and key.startswith("v1/commits/"))

    run = bench(racing, store=Lossy())
    MEET.reset()
    other = threading.Thread(target=MEET.wait)
    other.start()
    digest = run.step("race")
    other.join()
    assert (digest.status, digest.attempt) == ("success", 1)
    assert run.kinds("race") == ["step_start", "step_output", "step_success"]
    assert list(run.store.list("v1/attempts/")) == []


LATE: list[Callable[[], Any]] = []
ALARMS: list[int] = []


@failure_hook
def alarm(context: HookContext) -> None:
    ALARMS.append(context.attempt)


@solid(retry=RetryPolicy(max_attempts=2), hooks=[alarm])
def slow(context: Any) -> int:
    if context.attempt == 2:
        LATE.pop()()
        raise RuntimeError("the order exists already")
    return 1


def test_a_failure_beside_a_result_is_none(bench: type[Bench]) -> None:
    """An attempt believed to be dead commits while its repetition runs into what it has done: the result stands."""
    run = bench(pipeline_from_dependencies("late", [slow], {}))
    LATE.append(lambda: run.step("slow"))
    assert (run.step("slow", retry=1).status, run.commit("slow").attempt) == ("success", 1)
    assert run.kinds("slow") == ["step_start", "engine", "step_start", "step_output", "step_success"]
    assert ALARMS == []
    summary = run.close()
    assert (summary.status, summary.steps[0].status) == ("success", "success")


@solid(retry=RetryPolicy(max_attempts=3, delay_s=2, backoff=3.0, max_delay_s=5))
def patient(context: Any) -> None:
    raise OSError("no")


@solid
def asking() -> None:
    raise RetryRequested("busy")


def test_each_failed_attempt_says_what_follows(bench: type[Bench]) -> None:
    """A retry with its delay while the policy allows one, a failure after it; asking for one gives three attempts."""
    run = bench(pipeline_from_dependencies("tries", [patient, asking], {}))
    for number in range(3):
        run.fails("patient", number)
        run.fails("asking", number)
    delays = {name: [e.delay_s for e in run.events(name) if isinstance(e, StepRetry)] for name in ("patient", "asking")}
    assert delays == {"patient": [2.0, 5.0], "asking": [1.0, 2.0]}
    assert (run.kinds("patient")[-1], run.kinds("asking")[-1]) == ("step_failure", "step_failure")
    assert delay_after(Retry(delay_s=1, backoff=2.0), 4) == 8.0


def test_a_damaged_commit_of_an_earlier_attempt_is_refused(bench: type[Bench]) -> None:
    """Recorded as any failure is, so that the run goes on and ends."""
    run = bench(pipeline_from_dependencies("damage", [patient], {}))
    run.store.put(run.key("patient"), b"{}")
    failed = run.fails("patient", retry=1)
    assert type(failed).__name__ == "StepRefused"
    assert failed.error.type == "UnreadableCommit"


def test_a_failure_that_cannot_be_recorded_is_still_raised(bench: type[Bench]) -> None:
    """The disk is full: the cause in the console is the step's own error, and the log tells of both."""

    class Full(MemoryStore):
        """Takes no events."""

        def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
            if key.startswith("v1/attempts/"):
                from solidstate.errors import StorageError

                raise StorageError("Could not write: no space left.")
            return super().put(key, body, if_absent=if_absent)

    run = bench(pipeline_from_dependencies("full", [patient], {}), store=Full())
    assert run.fails("patient").error.message == "no"
    assert run.lines[-1] == (
        "error",
        "events of the attempt could not be stored",
        {"reason": "Could not write: no space left."},
    )


@solid
def interrupted(context: Any) -> None:
    context.log.info("here we are")
    raise KeyboardInterrupt


def test_ctrl_c_keeps_the_events_of_the_attempt(bench: type[Bench]) -> None:
    """And goes on up."""
    run = bench(pipeline_from_dependencies("stop", [interrupted], {}))
    with pytest.raises(KeyboardInterrupt):
        run.step("interrupted")
    assert run.kinds("interrupted") == ["step_start", "log"]
    step = run.close().steps[0]
    assert step.status == "failed"
    assert step.reason == "the attempt began and left no end: it ran out of time or memory, or was stopped"


@solid
def chatty() -> int:
    print("to standard output")
    thread = threading.Thread(target=print, args=("from a thread",))
    thread.start()
    thread.join()
    return 1


def test_printing_and_threads_are_the_users_business(bench: type[Bench], capsys: pytest.CaptureFixture[str]) -> None:
    """Neither gets into the way of the step."""
    run = bench(pipeline_from_dependencies("chat", [chatty], {}))
    assert run.step("chatty").status == "success"
    assert "from a thread" in capsys.readouterr().out
    assert isinstance(run.events("chatty")[-1], StepSuccess)
