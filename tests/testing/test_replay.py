"""A step of a stored run, run once more: with what it read then, as the code is now, and without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solidstate import PipelineFailed, SolidstateError, execute_pipeline, pipeline, solid
from solidstate.errors import RunNotFound
from solidstate.events import StepInput, StepStart
from solidstate.infra.home import Home
from solidstate.infra.local_run import run_local
from solidstate.testing import LocalStack, replay_step
from tests.testing.orders import CALLS, HOOKED, LOCAL, orders, parts


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    CALLS.clear()
    HOOKED.clear()


def stored(folder: Path, document: Any = LOCAL, definition: Any = orders, run_id: str = "r-1") -> Home:
    """A home with one run in it."""
    home = Home(folder)
    run_local(definition, document, engine="inline", home=home, run_id=run_id)
    CALLS.clear()
    HOOKED.clear()
    return home


def objects(home: Home) -> dict[str, bytes]:
    """All there is in it, to see that nothing was added."""
    return {path.as_posix(): path.read_bytes() for path in home.root.rglob("*") if path.is_file()}


def test_a_step_reads_what_it_read_then(tmp_path: Path) -> None:
    """The steps before it are not run, hooks are not called, and the home is as it was."""
    home = stored(tmp_path, {**LOCAL, "solids": {"load": {"inputs": {"count": 5}}}})
    before = objects(home)
    result = replay_step(orders, "total", "r-1", home=tmp_path)
    assert result.success
    assert result.output_value() == "15 at the corner"
    assert CALLS == ["total 1"]
    assert HOOKED == []
    assert [event.name for event in result.events_of_kind(StepInput)] == ["amounts"]
    assert len(result.events_of_kind(StepStart)) == 1
    assert [one.label for one in result.expectations] == ["not_empty"]
    assert objects(home) == before


def test_the_config_of_that_run_holds_and_stubs_replace_resources(tmp_path: Path) -> None:
    """Any other resource for the time of the replay."""
    home = stored(tmp_path, {"preset": "prod"})
    assert replay_step(orders, "total", home=home).output() == "6 at the shop in Bonn"
    assert replay_step(orders, "total", home=home, resources={"shop": "a stub"}).output() == "6 at a stub"


def test_the_first_step_is_given_its_inputs_from_the_request(tmp_path: Path) -> None:
    """They stand in the run's record."""
    stored(tmp_path, {**LOCAL, "solids": {"load": {"inputs": {"count": 2}}}})
    assert replay_step(orders, "load", "r-1", home=str(tmp_path)).output() == [1, 2]


def test_the_home_is_that_of_the_environment(home: Path) -> None:
    """As for every command; ``last`` is the newest run."""
    stored(home)
    assert replay_step(orders, "load").output() == [1, 2, 3]


FAULT = {"on": True}


@solid
def half(n: int = 3) -> float:
    """Fails until it is corrected."""
    if FAULT["on"]:
        raise ValueError("odd")
    return n / 2


@solid
def after(x: float) -> float:
    """Never reached."""
    return x


@pipeline
def halves() -> None:
    """Two steps."""
    after(half())


def test_a_failed_step_fails_again_until_the_code_is_corrected(tmp_path: Path) -> None:
    """Its own exception is the cause, so that a debugger stops in it; what it never got is told."""
    FAULT["on"] = True
    stored(tmp_path, {}, halves)
    with pytest.raises(PipelineFailed) as raised:
        replay_step(halves, "half", home=tmp_path)
    assert repr(raised.value.__cause__) == "ValueError('odd')"
    assert str(raised.value) == "Step `half` failed: ValueError: odd"
    result = replay_step(halves, "half", home=tmp_path, raise_on_error=False)
    assert result.failure is not None
    assert result.failure.message == "odd"
    FAULT["on"] = False
    assert replay_step(halves, "half", home=tmp_path).output() == 1.5
    skipped = replay_step(halves, "after", home=tmp_path)
    assert skipped.skipped
    assert skipped.summary.reason == "upstream `half` did not succeed"


def test_one_item_of_a_mapped_step(tmp_path: Path) -> None:
    """And whoever collects all of them."""
    stored(tmp_path, {}, parts)
    assert replay_step(parts, "double", home=tmp_path, item="n1").output() == {"n1": 2}
    assert replay_step(parts, "add", home=tmp_path).output() == 2
    with pytest.raises(SolidstateError) as unnamed:
        replay_step(parts, "double", home=tmp_path)
    assert str(unnamed.value) == (
        "Step `double` is run for one item at a time, got none; items of run `r-1`: `n0`, `n1`.\n"
        '  fix: say which: `item="..."`'
    )
    with pytest.raises(SolidstateError) as wrong:
        replay_step(parts, "double", home=tmp_path, item="n11")
    assert str(wrong.value) == (
        "Step `double` is run for one item at a time, got `double[n11]`; items of run `r-1`: `n0`, `n1`.\n"
        "  fix: did you mean `n1`?"
    )
    with pytest.raises(SolidstateError) as single:
        replay_step(parts, "add", home=tmp_path, item="n1")
    assert str(single.value) == "Step `add` is not run for items, got `n1`.\n  fix: leave `item` out"


def test_what_is_not_on_record_is_told(tmp_path: Path) -> None:
    """Runs, steps, and steps that the run had not selected."""
    home = stored(tmp_path)
    run_local(orders, {**LOCAL, "steps": "total", "from_run": "r-1"}, engine="inline", home=home, run_id="r-2")
    with pytest.raises(RunNotFound, match="There is no run `r-9`"):
        replay_step(orders, "total", "r-9", home=home)
    with pytest.raises(SolidstateError) as step:
        replay_step(orders, "totl", "r-1", home=home)
    assert str(step.value) == (
        "Pipeline `orders` has no step `totl`; steps: `load`, `total`.\n  fix: did you mean `total`?"
    )
    with pytest.raises(SolidstateError) as unselected:
        replay_step(orders, "load", "r-2", home=home)
    assert str(unselected.value) == (
        "Step `load` was not selected in run `r-2`.\n  fix: replay it from run `r-1`, whose result was used"
    )
    assert replay_step(orders, "total", "r-2", home=home).output() == "6 at the corner"


def test_a_run_of_the_stack_is_replayed(local_stack: LocalStack) -> None:
    """By its result or its id, or from its bucket as one on AWS is."""
    run = local_stack.run(orders, LOCAL)
    CALLS.clear()
    before = {info.key for info in local_stack.store.list("")}
    assert local_stack.replay(orders, "total", run).output() == "6 at the corner"
    assert local_stack.replay(orders, "total", run.run_id, resources={"shop": "a stub"}).output() == "6 at a stub"
    assert replay_step(orders, "total", run.run_id, bucket=local_stack.bucket).output() == "6 at the corner"
    assert CALLS == ["total 1"] * 3
    assert {info.key for info in local_stack.store.list("")} == before


def test_stubs_in_process() -> None:
    """``execute_pipeline`` takes the same ones."""
    assert execute_pipeline(orders, LOCAL, resources={"shop": "a stub"}).output("total") == "6 at a stub"
