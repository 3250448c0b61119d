"""Progress of steps in other processes, told from what they have left in the store."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate import pipeline, solid
from solidstate.errors import StorageUnavailable
from solidstate.events import AnyEvent, kind_of
from solidstate.handler.entry import make_handler
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.local_lambda import LambdaContext
from solidstate.infra.local_narration import Narration
from solidstate.planner.build import build_plan
from solidstate.storage.memory import MemoryStore
from tests.infra.functions import context


@solid
def one() -> int:
    return 1


@solid
def broken(n: int) -> int:
    raise ValueError("no")


@pipeline
def flow() -> None:
    broken(one())


class Told:
    """A run whose invocations are made by hand, and what was told of it."""

    def __init__(self) -> None:
        self.loaded = LoadedPipeline(flow, build_plan(flow))
        self.store: Any = MemoryStore()
        runtime = Runtime([self.loaded], self.store, engine="test", open_fs=lambda: None)
        self._handler = make_handler(runtime)
        self.seen: list[AnyEvent] = []
        self.narration = Narration(self.store, self.loaded, "r", self.seen.append)

    def invoke(self, event: dict[str, Any]) -> Any:
        """As an invocation of another process, which this one does not see."""
        self.seen.clear()
        self.narration.before(event)
        invocation: LambdaContext = context()
        try:
            return self._handler(event, invocation)
        except Exception as error:
            return error
        finally:
            self.narration.after(event)

    def start(self) -> dict[str, Any]:
        found: dict[str, Any] = self.invoke(
            {
                "kind": "start",
                "pipeline": "flow",
                "plan": self.loaded.hash,
                "execution": "arn",
                "name": "r",
                "input": {},
            }
        )
        return dict(found["run"])

    def kinds(self) -> list[tuple[str, str, int]]:
        return [(kind_of(event), event.step, event.attempt) for event in self.seen]


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_run_s_beginning_is_told_once_it_is_on_record(told: Told) -> None:
    """With the number of steps, which progress is measured by."""
    told.start()
    (event,) = told.seen
    assert (kind_of(event), getattr(event, "steps", 0), event.run) == ("run_start", 2, "r")


def test_a_step_s_beginning_is_told_before_it_runs_and_its_end_after(told: Told) -> None:
    """Each event once, whoever else has run meanwhile."""
    run = told.start()
    step = {"kind": "step", "step": "one", "run": run}
    told.invoke(step)
    assert told.kinds() == [("step_start", "one", 1), ("step_output", "one", 1), ("step_success", "one", 1)]
    told.invoke(step)
    assert told.kinds() == [("step_start", "one", 1), ("engine", "one", 1)]  # that it adopted the result


def test_failed_attempts_are_told_too(told: Told) -> None:
    """They have left their events beside the commit that they do not have."""
    run = told.start()
    told.invoke({"kind": "step", "step": "one", "run": run})
    told.invoke({"kind": "step", "step": "broken", "run": run, "retry": 0})
    assert told.kinds()[0] == ("step_start", "broken", 1)
    assert told.kinds()[-1] == ("step_failure", "broken", 1)


def test_what_is_no_step_is_passed_over(told: Told) -> None:
    """And a store that does not answer fails nobody's invocation."""
    told.invoke({"kind": "unheard of"})
    told.narration.before("text")
    told.narration.after({"kind": "step", "step": "one", "run": {"id": "r", "mode": "default"}})
    assert told.seen == []

    class Silent:
        def get(self, key: str) -> bytes:
            raise StorageUnavailable("no answer")

    silent: Any = Silent()
    Narration(silent, told.loaded, "r", told.seen.append).after(
        {"kind": "start", "pipeline": "flow", "plan": "p", "execution": "arn", "name": "r"}
    )
    assert told.seen == []
