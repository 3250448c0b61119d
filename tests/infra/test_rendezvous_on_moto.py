"""Steps that meet although the state machine does not order them, on moto: the definitions' form, the real handler."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from solidstate import Out, Output, RetryPolicy, pipeline, solid
from solidstate.storage import keys
from tests.infra.machines_by_hand import Meetings, Pieces, chain, meetings, nested, parallel, until
from tests.infra.steps_that_meet import CALLS, a, b, c, d, n, shape_n, when_committed, when_parked


@pytest.fixture(scope="module")
def aws() -> Iterator[Meetings]:
    """One local AWS for all tests."""
    with meetings() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _clean() -> None:
    CALLS.clear()


def test_a_step_parks_until_the_last_has_ended(aws: Meetings) -> None:
    """Woken, it goes on in a state of its own; nothing runs twice."""
    pieces = aws.load(shape_n)
    CALLS.first["b"] = when_parked(aws, "slow")
    ran = aws.run(pieces, n(pieces), run="slow")
    assert ran.statuses() == {"a": "success", "b": "success", "c": "success", "d": "success"}
    assert sorted(CALLS.made) == ["a", "b", "c", "d"]
    assert (ran.parked("d"), ran.failures()) == (1, ["Ready"])
    assert "d (after wait)" in ran.entered()


def test_a_step_whose_others_have_ended_does_not_park(aws: Meetings) -> None:
    """It runs in its first invocation and answers its own token."""
    pieces = aws.load(shape_n)
    CALLS.first["a"] = when_committed(aws, "fast", "b")
    ran = aws.run(pieces, n(pieces), run="fast")
    assert set(ran.statuses().values()) == {"success"}
    assert sorted(CALLS.made) == ["a", "b", "c", "d"]
    assert (ran.parked("d"), ran.failures()) == (0, [])
    assert "d (after wait)" not in ran.entered()
    (succeeded,) = [e for e in aws.aws.history(ran.described["executionArn"]) if e["type"] == "TaskSucceeded"]
    digest = json.loads(succeeded["taskSucceededEventDetails"]["output"])
    assert (digest["step"], digest["status"], digest["outputs"]) == ("d", "success", {"result": "int, 1 bytes"})


@pytest.mark.parametrize("parked", [True, False])
def test_a_step_that_failed_has_ended_too(aws: Meetings, *, parked: bool) -> None:
    """Its failure is seen in the console, and who waited for it is skipped, as any step after it is."""
    run = f"failed-{parked}"

    def fail() -> None:
        if parked:
            when_parked(aws, run)()
        raise ValueError("no")

    pieces = aws.load(shape_n)
    CALLS.first["b"] = fail
    if not parked:
        ended = keys.ended("shape_n", "b", run)
        CALLS.first["a"] = lambda: until(lambda: aws.store.exists(ended))
    ran = aws.run(pieces, n(pieces), run=run)
    assert ran.statuses() == {"a": "success", "b": "failed", "c": "success", "d": "skipped"}
    assert sorted(CALLS.made) == ["a", "b", "c"]
    assert sorted(ran.failures()) == ["Ready"] * parked + ["RunFailed", "StepFailed"]
    assert (ran.parked("d"), "b failed" in ran.entered()) == (int(parked), True)
    assert ran.summary.steps[3].reason == "upstream `b` did not succeed"


class Broken:
    """S3, but the first attempt of one step dies when it commits, before or after it had its effect."""

    def __init__(self, aws: Meetings, step: str, *, after: bool) -> None:
        self._store = aws.store
        self._mark, self._after, self._left = f"/{step}/", after, 1
        self.meanwhile: Any = lambda: None

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        if not key.startswith("v1/commits/") or self._mark not in key or self._left == 0:
            return self._store.put(key, body, if_absent=if_absent)
        self._left -= 1
        self.meanwhile()
        if self._after:
            self._store.put(key, body, if_absent=if_absent)
        raise SystemExit(137)

    def attended(self, *_: Any) -> Broken:
        """Not the store inside by itself."""
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_a_step_that_crashed_has_ended_too(aws: Meetings) -> None:
    """No code of the step's own had the last word; the state machine records its end."""
    store = Broken(aws, "b", after=False)
    store.meanwhile = when_parked(aws, "crashed")
    pieces = aws.load(shape_n, store)
    ran = aws.run(pieces, n(pieces), run="crashed")
    assert ran.statuses() == {"a": "success", "b": "not reached", "c": "success", "d": "skipped"}
    assert sorted(CALLS.made) == ["a", "b", "c"]
    assert "Runtime.ExitError" in ran.failures()
    assert ran.parked("d") == 1


def test_a_crash_between_result_and_wake_up_leaves_nobody_asleep(aws: Meetings) -> None:
    """The result stands; without a policy that repeats the step, the state after its failure wakes who waits."""
    store = Broken(aws, "b", after=True)
    store.meanwhile = when_parked(aws, "late")
    pieces = aws.load(shape_n, store)
    ran = aws.run(pieces, n(pieces), run="late")
    assert set(ran.statuses().values()) == {"success"}
    assert sorted(CALLS.made) == ["a", "b", "c", "d"]
    # Who has just parked looks once more, and may find the result before the state after the failure tells of it.
    entered = sorted(name for name in ran.entered() if name.startswith(("b", "d")))
    assert entered == ["b", "b failed", "d", "d (after wait)"]


@solid(retry=RetryPolicy(max_attempts=3))
def e() -> int:
    CALLS.note("e")
    return 2


@pipeline
def repeated() -> None:
    made = a()
    c(made)
    d(made, e())


def n_with_e(pieces: Pieces) -> Any:
    """The N with `e` in the place of `b`."""
    under_a = parallel("2 branches after a", pieces.step("c"), pieces.step("d", waits=["e"]))
    return parallel("2 branches", chain(pieces.step("a"), under_a), pieces.step("e", wakes=["d"]))


def test_a_repeated_crash_after_the_result_wakes_again(aws: Meetings) -> None:
    """The next attempt finds the result, runs nothing, and wakes who waits."""
    store = Broken(aws, "e", after=True)
    store.meanwhile = when_parked(aws, "again", pipeline="repeated")
    pieces = aws.load(repeated, store)
    ran = aws.run(pieces, n_with_e(pieces), run="again")
    assert set(ran.statuses().values()) == {"success"}
    assert sorted(CALLS.made) == ["a", "c", "d", "e"]
    assert sorted(ran.failures()) == ["Ready", "Runtime.ExitError"]


def test_a_failed_attempt_that_is_repeated_wakes_nobody(aws: Meetings) -> None:
    """Only the last one's end counts."""

    def fail_once() -> None:
        when_parked(aws, "policy", pipeline="repeated")()
        if CALLS.made.count("e") == 1:
            raise ValueError("once")

    pieces = aws.load(repeated)
    CALLS.first["e"] = fail_once
    ran = aws.run(pieces, n_with_e(pieces), run="policy")
    assert set(ran.statuses().values()) == {"success"}
    assert sorted(CALLS.made) == ["a", "c", "d", "e", "e"]
    assert (ran.failures(), ran.parked("d")) == (["StepFailed", "Ready"], 1)


@solid(retry=RetryPolicy(max_attempts=2))
def f(x: int, y: int) -> int:
    CALLS.note("f")
    return x + y


@pipeline
def fragile() -> None:
    made = a()
    c(made)
    f(made, b())


@pytest.mark.parametrize("parked", [True, False])
def test_the_failure_of_a_step_that_waits_is_its_own(aws: Meetings, *, parked: bool) -> None:
    """Parked or not: seen as StepFailed, and repeated as its policy says, with a token of its own each time."""
    run = f"fragile-{parked}"

    def fail_once() -> None:
        if CALLS.made.count("f") == 1:
            raise ValueError("once")

    pieces = aws.load(fragile)
    CALLS.first["f"] = fail_once
    if parked:
        CALLS.first["b"] = when_parked(aws, run, "f", "fragile")
    else:
        CALLS.first["a"] = when_committed(aws, run, "b", "fragile")
    under_a = parallel("2 branches after a", pieces.step("c"), pieces.step("f", waits=["b"]))
    body = parallel("2 branches", chain(pieces.step("a"), under_a), pieces.step("b", wakes=["f"]))
    ran = aws.run(pieces, body, run=run)
    assert set(ran.statuses().values()) == {"success"}
    assert sorted(CALLS.made) == ["a", "b", "c", "f", "f"]
    assert ran.failures() == ["Ready"] * parked + ["StepFailed"]
    tokens = [event.get("token") for event in ran.invoked if event.get("step") == "f"]
    assert len(set(tokens)) == 2


@solid(outs={"y": Out(int, optional=True)})
def maybe() -> Iterator[Output[int]]:
    CALLS.note("maybe")
    yield from ()


@pipeline
def skipping() -> None:
    made = a()
    c(made)
    d(made, c.alias("g")(maybe()))


@pytest.mark.parametrize("failing", [False, True], ids=["for good", "because something failed"])
def test_a_step_that_was_skipped_has_ended_too(aws: Meetings, *, failing: bool) -> None:
    """Whether that is its result, or only what is known so far."""
    run = f"skipped-{failing}"

    def wait_and_fail() -> None:
        when_parked(aws, run, pipeline="skipping")()
        if failing:
            raise ValueError("no")

    pieces = aws.load(skipping)
    CALLS.first["maybe"] = wait_and_fail
    under_a = parallel("2 branches after a", pieces.step("c"), pieces.step("d", waits=["g"]))
    body = parallel(
        "2 branches",
        chain(pieces.step("a"), under_a),
        chain(pieces.step("maybe"), pieces.step("g", wakes=["d"])),
    )
    ran = aws.run(pieces, body, run=run)
    first = "failed" if failing else "success"
    assert ran.statuses() == {"a": "success", "c": "success", "d": "skipped", "g": "skipped", "maybe": first}
    assert sorted(CALLS.made) == ["a", "c", "maybe"]
    assert ran.parked("d") == 1
    assert aws.store.exists(keys.ended("skipping", "g", run)) is failing


def test_nobody_waits_for_what_is_not_selected(aws: Meetings) -> None:
    """It is read from the run that is reused; and a step that is not selected holds its own place only."""
    pieces = aws.load(shape_n)
    assert aws.run(pieces, n(pieces), run="whole").summary.status == "success"
    CALLS.clear()
    ran = aws.run(pieces, n(pieces), {"steps": "a,d", "from_run": "whole"}, run="part")
    assert ran.statuses() == {"a": "success", "b": "not selected", "c": "not selected", "d": "success"}
    assert (sorted(CALLS.made), ran.parked("d")) == (["a", "d"], 0)
    CALLS.clear()
    CALLS.first["b"] = lambda: time.sleep(0.2)
    ran = aws.run(pieces, n(pieces), {"steps": "b"}, run="other")
    assert (ran.statuses()["b"], CALLS.made, ran.parked("d")) == ("success", ["b"], 1)


@pytest.mark.parametrize("inner", ["d", "b"])
def test_steps_of_nested_executions_meet(aws: Meetings, inner: str) -> None:
    """Whichever of the two is in it: markers and tokens do not care which execution a step is in."""
    run = f"nested-{inner}"
    pieces = aws.load(shape_n)
    CALLS.first["b"] = when_parked(aws, run)
    steps = {"d": pieces.step("d", waits=["b"]), "b": pieces.step("b", wakes=["d"])}
    entry, states = steps[inner](None)
    machine = aws.machine({"StartAt": entry, "States": states})
    steps[inner] = nested("part", machine)
    under_a = parallel("2 branches after a", pieces.step("c"), steps["d"])
    began = time.monotonic()
    ran = aws.run(pieces, parallel("2 branches", chain(pieces.step("a"), under_a), steps["b"]), run=run)
    assert set(ran.statuses().values()) == {"success"}
    assert sorted(CALLS.made) == ["a", "b", "c", "d"]
    assert time.monotonic() - began < 10


def test_a_lost_wake_up_is_healed_by_the_time_out(aws: Meetings) -> None:
    """The state is entered again with another token, and the step finds all there. What it waits for ends when it has
    parked for good: until then it may find that out by its own second look."""
    pieces = aws.load(shape_n)
    CALLS.first["b"] = lambda: until(lambda: any(event.get("step") == "d" for event in aws.answered))
    under_a = parallel("2 branches after a", pieces.step("c"), pieces.step("d", waits=["b"], timeout_s=1))
    ran = aws.run(pieces, parallel("2 branches", chain(pieces.step("a"), under_a), pieces.step("b")), run="lost")
    assert set(ran.statuses().values()) == {"success"}
    assert (sorted(CALLS.made), ran.parked("d"), ran.failures()) == (["a", "b", "c", "d"], 1, [])
    assert [event.get("retry") for event in ran.invoked if event.get("step") == "d"] == [0, 1]


def test_the_token_of_an_attempt_that_is_over_wakes_nobody_and_hides_none(aws: Meetings) -> None:
    """A step that parks a second time leaves its second token beside the first."""
    pieces = aws.load(shape_n)
    CALLS.first["b"] = lambda: until(lambda: aws.has_parked("shape_n", "d", "twice", number=1))
    ran = aws.run(pieces, n(pieces, timeout_s=1), run="twice")
    assert set(ran.statuses().values()) == {"success"}
    assert (sorted(CALLS.made), ran.parked("d"), ran.failures()) == (["a", "b", "c", "d"], 2, ["Ready"])


def test_a_stopped_execution_leaves_nothing_parked(aws: Meetings) -> None:
    """A step that ends later finds the token closed, and that is no error."""
    pieces = aws.load(shape_n)
    gone: list[str] = []
    CALLS.first["b"] = lambda: until(lambda: bool(gone))
    execution = aws.start(pieces, n(pieces), run="stopped")
    until(lambda: aws.has_parked("shape_n", "d", "stopped"))
    aws.aws.stop(execution, "Cancelled", "enough")
    described = aws.aws.wait(execution, timeout_s=5)
    assert (described["status"], described["error"]) == ("ABORTED", "Cancelled")
    gone.append("execution")
    until(lambda: aws.store.exists(keys.commit("shape_n", "b", "stopped")))
    until(lambda: [event["type"] for event in aws.aws.history(execution)][-1] == "ExecutionAborted")
    assert "d" not in CALLS.made
