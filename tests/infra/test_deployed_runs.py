"""Runs of a deployed pipeline: listed, found, and how they stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.errors import RunNotFound
from solidstate.infra.deployed import Place, find_deployed
from solidstate.infra.deployed_runs import DeployedHistory
from solidstate.storage import keys
from tests.infra import histories
from tests.stacks import Stack, deployed

PLACE = Place(stack="history")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Five runs: two that ended, one refused, one that goes on, one that was stopped."""
    with deployed("history", [histories.killed, histories.mapped]) as found:
        found.run("mapped", {}, "mapped-good")
        found.run("killed", {"tags": {"owner": "me"}}, "killed-bad")
        found.run("killed", {"solid": {}}, "killed-refused")
        found.invoker.hold("greedy")
        found.begin("killed", {}, "killed-going", "greedy")
        found.aws.stop(found.begin("killed", {}, "stopped \u00e9".replace(" ", "-"), "greedy"), "Cancelled", "enough")
        yield found


@pytest.fixture(scope="module")
def history(stack: Stack) -> DeployedHistory:
    return DeployedHistory(find_deployed(PLACE, Path()))


STOPPED = keys.run_id_from("stopped-\u00e9")
ALL = [
    (STOPPED, "killed", "cancelled"),
    ("killed-going", "killed", "running"),
    ("killed-refused", "killed", "failed"),
    ("killed-bad", "killed", "failed"),
    ("mapped-good", "mapped", "success"),
]


def test_a_stack_lists_its_executions(history: DeployedHistory) -> None:
    """Newest first, those of all machines together, as they stand; a refused one too, of which there is no record."""
    found = history.latest(None, 20)
    assert [(run.run, run.pipeline, run.status) for run in found.runs] == ALL
    assert (found.older, found.pipelines) == (0, ["killed", "mapped"])
    bad = found.runs[3]
    assert (bad.tags, bad.engine, len(bad.steps)) == ({"owner": "me"}, "aws", 6)
    assert all(run.duration_s < 60 and run.started_at > 1.7e9 for run in found.runs)


def test_a_list_may_be_cut(history: DeployedHistory) -> None:
    """By number, by pipeline; that there is more is said, not how much."""
    assert [run.run for run in history.latest(None, 2).runs] == [STOPPED, "killed-going"]
    assert history.latest(None, 2).older is None
    assert [run.run for run in history.latest("mapped", 20).runs] == ["mapped-good"]
    assert history.latest("maped", 20).runs == []


def test_a_bucket_lists_its_records(stack: Stack) -> None:
    """Without the runs that were refused; what has no summary stands as its execution does."""
    found = DeployedHistory(find_deployed(Place(bucket=stack.bucket), Path())).latest(None, 3)
    assert [(run.run, run.pipeline, run.status) for run in found.runs] == [ALL[0], ALL[1], ALL[3]]
    assert found.older == 1


@pytest.mark.parametrize(
    ("wanted", "run"),
    [
        ("last", STOPPED),
        ("killed-bad", "killed-bad"),
        ("killed-b", "killed-bad"),
        ("mapped", "mapped-good"),
        ("killed-refused", "killed-refused"),
        ("stopped-\u00e9", STOPPED),
        (STOPPED, STOPPED),
    ],
)
def test_a_run_is_found(history: DeployedHistory, wanted: str, run: str) -> None:
    """By id, its beginning, the execution's name, or as the last."""
    found = history.find(wanted)
    assert (found.run, found.pipeline, found.status) == next(one for one in ALL if one[0] == run)


def test_a_run_is_found_in_a_bucket(stack: Stack) -> None:
    """In the same ways, but for refused ones."""
    history = DeployedHistory(find_deployed(Place(bucket=stack.bucket), Path()))
    assert (history.find("killed-g").status, history.find("last").run) == ("running", STOPPED)


def test_what_is_not_there_is_said(history: DeployedHistory) -> None:
    """With the nearest, or with how to list them."""
    with pytest.raises(RunNotFound) as caught:
        history.find("killed-bed")
    assert str(caught.value) == "There is no run `killed-bed` in `history`.\n  fix: did you mean `killed-bad`?"
    with pytest.raises(RunNotFound) as caught:
        history.find("?")
    assert str(caught.value) == (
        "There is no run `?` in `history`.\n  fix: list the runs with `solidstate runs --stack history`"
    )
    with pytest.raises(RunNotFound, match=r"^2 runs begin with `killed-`: "):
        history.find("killed-")


def test_what_was_damaged_hides_nothing(stack: Stack, history: DeployedHistory) -> None:
    """It is listed as interrupted."""
    key = keys.run_summary("mapped", "mapped-good")
    body = stack.store.get(key)
    stack.store.put(key, b"{")
    try:
        found = history.latest(None, 20).runs
    finally:
        stack.store.put(key, body)
    assert [run.status for run in found] == ["cancelled", "running", "failed", "failed", "interrupted"]


def test_requests_and_steps(history: DeployedHistory) -> None:
    """Of a run that was refused there are none."""
    good, refused = history.find("mapped-good"), history.find("killed-refused")
    assert (history.steps(good), history.steps(refused)) == (["few", "each"], [])
    assert (history.request(good), history.request(refused)) == ({}, {})


def test_an_empty_stack_has_no_last_run(stack: Stack) -> None:
    """And says how to start one."""
    machine = stack.aws.create_machine(
        "history-idle",
        stack.aws.client("stepfunctions").describe_state_machine(stateMachineArn=stack.machines["mapped"])[
            "definition"
        ],
    )
    history = DeployedHistory(find_deployed(Place(machine=machine), Path()))
    assert history.latest(None, 20).runs == []
    with pytest.raises(RunNotFound) as caught:
        history.find("last")
    assert str(caught.value) == (
        f"No run of `history-idle` is on record.\n  fix: start one with `solidstate start --machine {machine}`"
    )
