"""The history of this machine, asked as every history is."""

from __future__ import annotations

from pathlib import Path

from solidstate import pipeline, solid
from solidstate.infra.home import Home
from solidstate.infra.local_run import run_local
from solidstate.infra.run_history import Listing, LocalHistory
from solidstate.storage import keys


@solid
def one(n: int = 1) -> int:
    return n


@pipeline
def first() -> None:
    one()


@pipeline
def second() -> None:
    one()


def test_the_newest_runs_are_listed(tmp_path: Path) -> None:
    """With how many are older, and which pipelines there are."""
    home = Home(tmp_path)
    history = LocalHistory(home)
    assert history.latest(None, 5) == Listing([], 0, [])
    for run, definition in (("a", first), ("b", second), ("c", first)):
        run_local(definition, {}, engine="inline", home=home, run_id=run)
    found = history.latest(None, 2)
    assert ([run.run for run in found.runs], found.older, found.pipelines) == (["c", "b"], 1, ["first", "second"])
    assert [run.run for run in history.latest("second", 2).runs] == ["b"]


def test_a_run_without_a_summary_is_told_from_its_events(tmp_path: Path) -> None:
    """As far as they go; also when its plan is of another version."""
    home = Home(tmp_path)
    run_local(
        first, {"tags": {"a": "b"}, "solids": {"one": {"inputs": {"n": 3}}}}, engine="inline", home=home, run_id="r"
    )
    home.store.delete(keys.run_summary("first", "r"))
    home.store.delete(keys.run_events("first", "r"))
    history = LocalHistory(home)
    run = history.find("r")
    assert run.status == "interrupted"
    assert [(step.step, step.status) for step in history.facts(run).summary.steps] == [("one", "success")]
    assert (history.steps(run), history.request(run)) == (["one"], {"solids": {"one": {"inputs": {"n": 3}}}})
    home.store.put(keys.plan("first", run.plan), b'{"steps": [{"name": "one"}]}')
    assert history.facts(run).summary == run
