"""Steps that meet, in every order and with crashes at every moment: no body runs twice, nobody stays asleep or is woken
early; and every mistake in the protocol that was thought of is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from solidstate import pipeline, solid
from solidstate.errors import MissingObject
from solidstate.handler.rendezvous import Meeting, Parked, arrive
from solidstate.handler.runtime import Runtime
from solidstate.handler.step import run_step
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.contract import StepDigest, StepPayload
from solidstate.storage import keys
from tests.handler.rendezvous_model import ASLEEP, EARLY, TWICE, Model, Role


@solid
def p1() -> int:
    return 1


@solid
def p2() -> int:
    return 2


@solid
def p3() -> int:
    return 3


@solid
def failing() -> int:
    raise ValueError("no")


@solid
def after(x: int) -> int:
    return x


@solid
def of_one(x: int) -> int:
    return x


@solid
def of_two(x: int, y: int) -> int:
    return x + y


@solid
def of_three(x: int, y: int, z: int) -> int:
    return x + y + z


@pipeline
def one() -> None:
    of_one(p1())


@pipeline
def two() -> None:
    of_two(p1(), p2())


@pipeline
def three() -> None:
    of_three(p1(), p2(), p3())


@pipeline
def one_fails() -> None:
    of_two(p1(), failing())


@pipeline
def one_is_skipped() -> None:
    of_two(p1(), after(failing()))


@pipeline
def in_a_row() -> None:
    after(of_one(p1()))


def meeting(consumer: str, *producers: str) -> list[Role]:
    """One step waits for all others."""
    return [Role(name, wakes=(consumer,)) for name in producers] + [Role(consumer, waits=producers)]


ROW = [
    Role("p1", wakes=("of_one",)),
    Role("of_one", waits=("p1",), wakes=("after",)),
    Role("after", waits=("of_one",)),
]
SPACES: list[Any] = [
    pytest.param(one, meeting("of_one", "p1"), 2, True, 5_000, id="one producer, two are believed to be dead"),
    pytest.param(two, meeting("of_two", "p1", "p2"), 2, False, 10_000, id="two producers, two crashes"),
    pytest.param(two, meeting("of_two", "p1", "p2"), 1, True, 8_000, id="two producers, one is believed to be dead"),
    pytest.param(three, meeting("of_three", "p1", "p2", "p3"), 0, True, 2_000, id="three producers"),
    pytest.param(one_fails, meeting("of_two", "p1", "failing"), 1, True, 4_000, id="one fails"),
    pytest.param(one_is_skipped, meeting("of_two", "p1", "after"), 1, True, 7_000, id="one is skipped"),
    pytest.param(
        *(three, meeting("of_three", "p1", "p2", "p3"), 1, False, 40_000),
        id="three producers, a crash",
        marks=pytest.mark.slow,
    ),
    pytest.param(in_a_row, ROW, 1, True, 500, id="in a row, one is believed to be dead"),
    pytest.param(
        *(three, meeting("of_three", "p1", "p2", "p3"), 2, False, 400_000),
        id="three producers, two crashes",
        marks=pytest.mark.slow,
    ),
    pytest.param(
        *(two, meeting("of_two", "p1", "p2"), 2, True, 300_000),
        id="two producers, two are believed to be dead",
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(("definition", "roles", "crashes", "lost", "at_least"), SPACES)
def test_nothing_goes_wrong_in_any_order(
    definition: PipelineDefinition, roles: Sequence[Role], crashes: int, *, lost: bool, at_least: int
) -> None:
    """Whatever the order of operations, whenever somebody dies; and the space is as large as it should be."""
    size, problems = Model(definition, roles, crashes=crashes, lost=lost).explore()
    assert problems == []
    assert size >= at_least


# -- planted mistakes

Plant = Callable[[pytest.MonkeyPatch], None]
_park = Meeting.park


def no_second_look(patch: pytest.MonkeyPatch) -> None:
    """Parks without looking again."""

    def park(self: Any, step: str, token: str, missing: Sequence[str]) -> None:
        self.first_missing = lambda names: names[0]
        _park(self, step, token, missing)

    patch.setattr(Meeting, "park", park)


def second_look_first(patch: pytest.MonkeyPatch) -> None:
    """Looks again before the token is there for others to find."""

    def park(self: Any, step: str, token: str, missing: Sequence[str]) -> None:
        found = self.first_missing(missing)
        self.first_missing = lambda names: found
        _park(self, step, token, missing)

    patch.setattr(Meeting, "park", park)


def wakes_before_its_result_is_there(patch: pytest.MonkeyPatch) -> None:
    """Looks for the tokens of others before it commits."""

    def run(runtime: Runtime, payload: StepPayload, invocation: Any) -> StepDigest:
        if payload.wakes and not payload.waits:
            Meeting(runtime, payload.run).wake(payload.step, payload.wakes)
            payload = msgspec.structs.replace(payload, wakes=[])
        return run_step(runtime, payload, invocation)

    patch.setattr("solidstate.handler.entry.run_step", run)


def wakes_before_its_end_is_on_record(patch: pytest.MonkeyPatch) -> None:
    """After a failure looks for the tokens of others first."""

    def record(runtime: Runtime, payload: Any) -> dict[str, Any]:
        found = Meeting(runtime, payload.run)
        found.wake(payload.step, payload.wakes)
        found.end(payload.step)
        return {}

    patch.setattr("solidstate.handler.rendezvous.record_end", record)


def runs_with_a_published_token(patch: pytest.MonkeyPatch) -> None:
    """Goes on itself when the second look finds all there, instead of waking itself."""

    def run_on(runtime: Runtime, payload: StepPayload, *rest: Any) -> Any:
        parked, upstream = arrive(runtime, payload, *rest)
        looked = Meeting(runtime, payload.run).first_missing(payload.waits) if parked is not None else ""
        return (None, None) if looked is None else (parked, upstream)

    patch.setattr("solidstate.handler.step.arrive", run_on)
    no_second_look(patch)


def overwrites_another_token(patch: pytest.MonkeyPatch) -> None:
    """Puts its token where that of another attempt may be."""

    def park(self: Any, step: str, token: str, missing: Sequence[str]) -> None:
        body = msgspec.json.encode(Parked(str(token), list(missing)))
        self._store.put(self._key(step, 0), body)
        if self.first_missing(missing) is None:
            self._wake(token)

    patch.setattr(Meeting, "park", park)


def stops_at_a_token_that_is_closed(patch: pytest.MonkeyPatch) -> None:
    """Does not look for a second token after the first was refused."""
    wake = Meeting._wake

    def wake_and_stop(self: Any, token: str) -> bool:
        wake(self, token)
        return True

    patch.setattr(Meeting, "_wake", wake_and_stop)


def wakes_without_looking(patch: pytest.MonkeyPatch) -> None:
    """Wakes who waits for it, whomever else that waits for."""

    def wake_step(self: Any, ended: str, step: str) -> bool:
        try:
            token = msgspec.json.decode(self._store.get(self._key(step, 0)))["token"]
        except MissingObject:
            return False
        return bool(self._wake(token))

    patch.setattr(Meeting, "_wake_step", wake_step)


def knows_results_only(patch: pytest.MonkeyPatch) -> None:
    """Takes what ended without a commit for what has not ended."""

    def has_ended(self: Any, name: str) -> bool:
        return bool(self._store.exists(keys.commit(self._run.pipeline, name, self._run.id)))

    patch.setattr(Meeting, "_has_ended", has_ended)


def tells_nobody_that_it_is_skipped(patch: pytest.MonkeyPatch) -> None:
    """Leaves no marker when it returns without a commit."""
    patch.setattr(Meeting, "end", lambda self, step: None)


def answers_before_it_wakes(patch: pytest.MonkeyPatch) -> None:
    """Lets its own state go on before those who wait for it are woken: dying in between is then nobody's business."""

    def conclude(runtime: Runtime, payload: StepPayload, digest: StepDigest) -> None:
        found = Meeting(runtime, payload.run)
        if digest.status == "parked":
            return
        if payload.token is not None:
            found.answer(payload.token, digest)
        if payload.wakes:
            found.wake(payload.step, payload.wakes)

    patch.setattr("solidstate.handler.step.conclude", conclude)


ONE, TWO = meeting("of_one", "p1"), meeting("of_two", "p1", "p2")
FAILS, SKIPPED = meeting("of_two", "p1", "failing"), meeting("of_two", "p1", "after")
MISTAKES: list[tuple[Plant, PipelineDefinition, list[Role], int, str]] = [
    (no_second_look, one, ONE, 0, ASLEEP),
    (second_look_first, one, ONE, 0, ASLEEP),
    (wakes_before_its_result_is_there, two, TWO, 0, EARLY),
    (wakes_before_its_end_is_on_record, one_fails, FAILS, 0, ASLEEP),
    (runs_with_a_published_token, one, ONE, 0, TWICE),
    (overwrites_another_token, one, ONE, 1, ASLEEP),
    (stops_at_a_token_that_is_closed, one, ONE, 1, ASLEEP),
    (wakes_without_looking, two, TWO, 0, EARLY),
    (knows_results_only, one_fails, FAILS, 0, ASLEEP),
    (tells_nobody_that_it_is_skipped, one_is_skipped, SKIPPED, 0, ASLEEP),
    (answers_before_it_wakes, in_a_row, ROW, 1, ASLEEP),
]


@pytest.mark.parametrize(("plant", "definition", "roles", "crashes", "problem"), MISTAKES)
def test_a_mistake_is_found(
    monkeypatch: pytest.MonkeyPatch,
    plant: Plant,
    definition: PipelineDefinition,
    roles: Sequence[Role],
    crashes: int,
    problem: str,
) -> None:
    """With as few crashes as it takes."""
    plant(monkeypatch)
    assert Model(definition, roles, crashes=crashes).explore()[1] == [problem]
