"""Subsets and re-execution as in 2019, and the retries it had not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from solidstate import RequestErrors, RetryPolicy, composite_solid, execute_pipeline, solid
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.again import request_from_failure
from solidstate.infra.inline import run_inline
from solidstate.planner.build import build_plan
from solidstate.planner.plan import ExecutionPlan
from solidstate.storage.memory import MemoryStore
from solidstate.storage.records import RunSummary
from tests.parity.running import built, rejected, run, statuses

calls: list[str] = []
healthy: list[bool] = []


class Factor(msgspec.Struct):
    factor: int = 1


@solid(tags={"team": "a"})
def one() -> int:
    """The first."""
    calls.append("one")
    return 1


@solid
def scale(config: Factor, number: int) -> int:
    calls.append("scale")
    return number * config.factor


@solid
def show(number: int) -> int:
    calls.append("show")
    return number


@solid
def fragile(number: int) -> int:
    if not healthy:
        raise ConnectionError("not yet")
    return number


def chain() -> None:
    show(scale(one()))


def plan_of(body: Any) -> ExecutionPlan:
    return build_plan(built(body))


class Runs:
    """Runs of one pipeline in one store."""

    def __init__(self, body: Any) -> None:
        self.loaded = LoadedPipeline(built(body), plan_of(body))
        self.store = MemoryStore()

    def run(self, run_id: str, request: Any = None) -> RunSummary:
        calls.clear()
        runtime = Runtime([self.loaded], self.store, engine="inline", open_fs=lambda: None)
        return run_inline(runtime, self.loaded, request, run_id)


def ended(summary: RunSummary) -> dict[str, str]:
    return {step.step: step.status for step in summary.steps}


def test_a_subset() -> None:
    """`step_keys_to_execute` is `steps` in the request."""
    assert statuses(run(chain, {"steps": "one, scale"})) == {
        "one": "success",
        "scale": "success",
        "show": "not selected",
    }


def test_a_subset_with_what_it_needs() -> None:
    """`*name` is a step and all that it waits for, `name*` and all that waits for it; 2019 wanted a list of keys."""
    result = run(chain, {"steps": "*scale"})
    assert [step for step, status in statuses(result).items() if status == "success"] == ["one", "scale"]


def test_a_subset_that_lacks_values() -> None:
    """2019 raised `DagsterStepOutputNotFoundError` while running; here the request is refused."""
    assert rejected(chain, {"steps": "show"}) == (
        "`show` reads from `scale`, which is not selected.\n"
        "  at: steps\n"
        "  fix: select it too (`*show`), or name a run to reuse: `from_run`"
    )


def test_an_unknown_step() -> None:
    """`DagsterExecutionStepNotFoundError`, with the nearest name."""
    assert rejected(chain, {"steps": "shwo"}) == "There is no step `shwo`.\n  at: steps\n  fix: did you mean `show`?"


def test_a_composite_is_a_subset() -> None:
    """Its name stands for all steps inside."""

    @composite_solid
    def outer() -> Any:
        return show(one())

    def body() -> None:
        outer()
        one()

    assert statuses(run(body, {"steps": "outer"})) == {
        "outer.one": "success",
        "outer.show": "success",
        "one": "not selected",
    }


def test_config_of_what_does_not_run_is_not_needed() -> None:
    """Neither is an input."""
    assert run(lambda: (one(), show()), {"steps": "one"}).success


def test_reexecution_takes_earlier_outputs() -> None:
    """`ReexecutionConfig(previous_run_id)`: what is not run again is read from the earlier run."""
    runs = Runs(chain)
    runs.run("r1", {"solids": {"scale": {"config": {"factor": 3}}}})
    summary = runs.run("r2", {"steps": "show", "from_run": "r1"})
    assert (summary.status, calls) == ("success", ["show"])


def test_reexecution_copies_nothing() -> None:
    """2019 copied intermediates (and could not on S3); here they are read where they are."""
    runs = Runs(chain)
    runs.run("r1")
    before = {info.key for info in runs.store.list("v1/")}
    runs.run("r2", {"steps": "show", "from_run": "r1"})
    new = [info.key for info in runs.store.list("v1/") if info.key not in before]
    assert [key for key in new if "/one/" in key or "/scale/" in key] == []


def test_reexecution_of_a_step_and_what_follows() -> None:
    """With other config than before."""
    runs = Runs(chain)
    runs.run("r1")
    summary = runs.run("r2", {"steps": "scale*", "from_run": "r1", "solids": {"scale": {"config": {"factor": 4}}}})
    assert ended(summary) == {"one": "not selected", "scale": "success", "show": "success"}


def test_reexecution_of_an_unknown_run() -> None:
    """Is refused before anything runs."""
    runs = Runs(chain)
    with pytest.raises(RequestErrors) as caught:
        runs.run("r2", {"steps": "show", "from_run": "gone"})
    assert calls == []
    assert str(caught.value) == (
        "Run request for pipeline `p`: There is no run `gone` of pipeline `p` to take outputs from.\n"
        "  at: from_run\n"
        "  fix: `solidstate runs` lists them"
    )


def test_reexecution_of_what_an_earlier_run_lacks() -> None:
    """An output that run did not make is missed before anything runs."""
    runs = Runs(chain)
    runs.run("r1", {"steps": "one"})
    with pytest.raises(RequestErrors) as caught:
        runs.run("r2", {"steps": "show", "from_run": "r1"})
    assert calls == []
    assert str(caught.value) == (
        "Run request for pipeline `p`: Run `r1` has no result of `scale`, which the selected steps read.\n"
        "  at: from_run\n"
        "  fix: select `scale` too, or reuse a run in which it ran"
    )


def test_from_failure() -> None:
    """0.6's retry button: what has no result is run, what has one is read."""
    healthy.clear()
    runs = Runs(lambda: show(fragile(one())))
    assert ended(runs.run("r1")) == {"one": "success", "fragile": "failed", "show": "skipped"}
    healthy.append(True)
    request = request_from_failure(runs.store, runs.loaded, "r1")
    assert ended(runs.run("r2", request)) == {"one": "not selected", "fragile": "success", "show": "success"}


def test_nothing_is_retried_by_itself() -> None:
    """2019 had no automatic retries; without a policy there is one attempt."""
    healthy.clear()
    assert run(lambda: fragile(one())).result_for_solid("fragile").summary.attempts == 1


def test_a_policy_retries() -> None:
    """New: `RetryPolicy`, the same inline and on Step Functions."""
    healthy.clear()
    slept: list[float] = []
    patient: Any = solid(name="patient", retry=RetryPolicy(max_attempts=3, delay_s=7, backoff=2.0))(fragile.fn)
    result = execute_pipeline(built(lambda: patient(one())), raise_on_error=False, sleep=slept.append)
    assert (result.result_for_solid("patient").summary.attempts, slept) == (3, [7.0, 14.0])
