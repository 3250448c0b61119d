"""Where the runs are that a command is about: on this machine, or where its options say a pipeline is deployed."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from solidstate.errors import SolidstateError
from solidstate.infra.deployed import Deployed, Place, find_deployed
from solidstate.infra.deployed_runs import DeployedHistory
from solidstate.infra.executions import parse_execution_arn
from solidstate.infra.home import home_from
from solidstate.infra.run_history import LocalHistory, RunHistory

_HOW = ("profile", "region", "endpoint_url")


def place_of(arguments: argparse.Namespace) -> tuple[Place, str]:
    """What was typed of a place, and of a run. An execution's ARN, as the console shows it, says both."""
    place = msgspec.convert(vars(arguments), Place)
    run = str(getattr(arguments, "run", ""))
    found = parse_execution_arn(run)
    if found is not None and not place.machine:
        machine, run = found
        place = msgspec.structs.replace(place, machine=machine.bare, stack=None, deployed=False)
    return place, run


def deployed_at(place: Place) -> Deployed:
    """Raises SolidstateError for a place that is not there, AwsUnavailable when AWS cannot be asked."""
    return find_deployed(place, Path.cwd())


def history_at(place: Place, home: str | None) -> RunHistory:
    """The runs of a place; without one those of this machine, in ``home``."""
    if not place.given:
        useless = [name for name in _HOW if getattr(place, name)]
        if useless:
            flag = f"--{useless[0].replace('_', '-')}"
            raise SolidstateError(
                f"`{flag}` is of use for a deployed pipeline only, and none is named.",
                subject=flag,
                hint="add `--stack NAME`, or `--deployed` for the stack that samconfig.toml names",
            )
        return LocalHistory(home_from(home), home)
    if home is not None:
        raise SolidstateError(
            "`--home` is where runs of this machine are, and a deployed pipeline is named, too.",
            subject="--home",
            hint="leave the one or the other out",
        )
    return DeployedHistory(deployed_at(place))
