"""Where the runs are that a command is about, as it was typed."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from solidstate.cli.run_place import history_at, place_of
from solidstate.errors import SolidstateError
from solidstate.infra.deployed import Place
from solidstate.infra.run_history import LocalHistory
from tests.cli.project import Project

PREFIX = "arn:aws:states:eu-west-1:123456789012"


def typed(**arguments: object) -> argparse.Namespace:
    return argparse.Namespace(**arguments)


def test_an_executions_arn_says_everything() -> None:
    """Machine, region and run; unless another machine is named on purpose."""
    arn = f"{PREFIX}:execution:flights:run-1"
    place, run = place_of(typed(run=arn, deployed=True, profile="prod"))
    assert (place, run) == (Place(machine=f"{PREFIX}:stateMachine:flights", profile="prod"), "run-1")
    place, run = place_of(typed(run=arn, machine=f"{PREFIX}:stateMachine:other"))
    assert (place.machine, run) == (f"{PREFIX}:stateMachine:other", arn)
    assert place_of(typed(run="last", stack="s")) == (Place(stack="s"), "last")


def test_this_machine_is_meant_when_nothing_is_named(home: Path) -> None:
    """With the home that was asked for."""
    found = history_at(Place(), None)
    assert isinstance(found, LocalHistory)
    assert (found.local, found.place, found.options) == (True, str(home), "")
    assert history_at(Place(), "a b").options == " --home 'a b'"


def test_options_that_do_nothing_are_refused(project: Project) -> None:
    """They would be thought to have done something."""
    with pytest.raises(SolidstateError) as caught:
        history_at(Place(endpoint_url="http://x"), None)
    assert str(caught.value) == (
        "`--endpoint-url` is of use for a deployed pipeline only, and none is named.\n"
        "  fix: add `--stack NAME`, or `--deployed` for the stack that samconfig.toml names"
    )
    assert project.run("runs", "--stack", "s", "--home", "h") == (
        2,
        "",
        "error: `--home` is where runs of this machine are, and a deployed pipeline is named, too.\n"
        "  fix: leave the one or the other out\n",
    )
