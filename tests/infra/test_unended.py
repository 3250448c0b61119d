"""Runs without an end on this machine: going on, or broken off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solidstate import DynamicOut, DynamicOutput, pipeline, solid
from solidstate.events import AnyEvent, RunFailure, StepStart, encode_events, kind_of
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.handler.start import begin
from solidstate.handler.step import run_step
from solidstate.infra.home import Home
from solidstate.infra.inline import InlineInvocation
from solidstate.infra.run_history import LocalHistory
from solidstate.infra.unended import BROKEN_OFF, NEVER_BEGUN, follow_local
from solidstate.planner.build import build_plan
from solidstate.planner.contract import RunHandle, StepPayload
from solidstate.storage import keys
from solidstate.storage.files import open_memory


@solid
def first() -> int:
    return 1


@solid
def second(n: int) -> int:
    return n


@solid
def third(n: int) -> int:
    return n


@pipeline
def chain() -> None:
    third(second(first()))


@solid(outs={"result": DynamicOut(int, max_items=10)})
def few() -> Any:
    for n in range(3):
        yield DynamicOutput(n, f"k{n}")


@solid
def each(n: int) -> int:
    return n


@pipeline
def mapped() -> None:
    few().map(each)


class Begun:
    """A run that has begun, and of which the first step has ended."""

    def __init__(self, definition: Any, home: Home, request: dict[str, Any] | None = None) -> None:
        self.home = home
        self.loaded = LoadedPipeline(definition, build_plan(definition))
        self.runtime = Runtime([self.loaded], home.store, engine="inline", open_fs=open_memory)
        self.run: RunHandle = begin(self.runtime, self.loaded, request or {}, "r", "")
        self.step(self.loaded.plan.steps[0].name)

    def step(self, name: str) -> None:
        run_step(self.runtime, StepPayload(name, self.run), InlineInvocation(60))

    def breaks_in(self, step: str) -> None:
        """What a killed attempt leaves after its first second."""
        event = StepStart("r", self.loaded.definition.name, 1, 5.0, 0.0, step, 1, request="q", solid=step)
        key = keys.attempt_part(self.loaded.definition.name, step, "r", "001-q", 1)
        self.home.store.put(key, encode_events([event]))

    def told(self) -> tuple[str, list[tuple[str, ...]], list[AnyEvent]]:
        history = LocalHistory(self.home)
        facts = history.facts(history.find("r"))
        steps: list[tuple[str, ...]] = [(one.step, one.status, one.reason) for one in facts.summary.steps]
        return facts.summary.status, steps, facts.events


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.prepare()
    return made


def test_a_run_that_goes_on_says_what_it_does(home: Home) -> None:
    """A step whose parts are there is running; what follows has not begun; no end is invented."""
    begun = Begun(chain, home)
    begun.breaks_in("second")
    with home.running("r"):
        status, steps, events = begun.told()
    assert (status, steps) == (
        "running",
        [("first", "success", ""), ("second", "running", ""), ("third", "not reached", "not begun yet")],
    )
    assert [kind_of(event) for event in events] == [
        "run_start",
        "step_start",
        "step_output",
        "step_success",
        "step_start",
    ]


def test_a_run_that_was_broken_off_says_so(home: Home) -> None:
    """With what was being computed, and an end in the words of the summary."""
    begun = Begun(chain, home)
    begun.breaks_in("second")
    status, steps, events = begun.told()
    lost = "the attempt began and left no end: it ran out of time or memory, or was stopped"
    assert (status, steps) == (
        "interrupted",
        [("first", "success", ""), ("second", "failed", lost), ("third", "not reached", NEVER_BEGUN)],
    )
    end = events[-1]
    assert isinstance(end, RunFailure)
    assert end.failed == ["second"]
    assert end.message.startswith(f"{BROKEN_OFF}\n")


def test_items_that_are_missing_are_counted(home: Home) -> None:
    """The step that yields them has said which there are."""
    _, steps, _ = Begun(mapped, home).told()
    assert [step[:2] for step in steps] == [("few", "success"), ("each", "not reached")]
    history = LocalHistory(home)
    assert history.facts(history.find("r")).summary.steps[1].items == {"not reached": 3}


def test_steps_that_were_not_selected_are_not_missed(home: Home) -> None:
    """They are no failure of the run."""
    status, steps, _ = Begun(chain, home, {"steps": "first"}).told()
    assert (status, [step[1] for step in steps]) == ("interrupted", ["success", "not selected", "not selected"])


def test_a_run_is_followed_until_it_ends(home: Home) -> None:
    """Each event once; it ends when the process of the run does."""
    begun = Begun(chain, home)
    seen: list[AnyEvent] = []
    held = home.running("r")
    held.__enter__()
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            begun.breaks_in("second")
        else:
            held.__exit__(None, None, None)

    history = LocalHistory(home)
    follow_local(lambda: history.facts(history.find("r")), seen.append, sleep)
    assert [(event.step, kind_of(event)) for event in seen] == [
        ("", "run_start"),
        ("first", "step_start"),
        ("first", "step_output"),
        ("first", "step_success"),
        ("second", "step_start"),
        ("", "run_failure"),
    ]
    assert len(pauses) == 2
    assert min(pauses) >= 0.5
