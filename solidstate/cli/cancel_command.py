"""``solidstate cancel``: stop a run of a deployed pipeline, and say what was still going on."""

from __future__ import annotations

import argparse

import msgspec

from solidstate.cli.exit_codes import SUCCESS
from solidstate.cli.run_place import deployed_at, place_of
from solidstate.cli.terminal import Terminal
from solidstate.cli.text import Line, Span, line
from solidstate.errors import name_list
from solidstate.handler.committed import label
from solidstate.infra.cancelling import Cancelled, cancel_run
from solidstate.infra.deployed_runs import DeployedHistory

REASON = "stopped by `solidstate cancel`"


class CancelOptions(msgspec.Struct, frozen=True):
    """What was typed after ``solidstate cancel``."""

    reason: str | None
    json: bool


def cancel(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), CancelOptions)
    place, wanted = place_of(arguments)
    deployed = deployed_at(place)
    history = DeployedHistory(deployed)
    run = history.find(wanted)
    done = cancel_run(deployed.executions, run, options.reason or REASON)
    if options.json:
        terminal.show_json(
            {
                "run": run.run,
                "pipeline": run.pipeline,
                "execution": run.execution,
                "status": done.status,
                "cancelled": done.now,
                "was_running": [label(*unit) for unit in done.running],
            }
        )
    else:
        terminal.show([*_said(run.run, run.pipeline, done), _closer(run.run, history)])
    return SUCCESS


def _said(run: str, pipeline: str, done: Cancelled) -> list[Line]:
    if not done.now:
        ended = "was cancelled before" if done.status == "cancelled" else f"had already ended: {done.status}"
        return [line(f"run {run} of pipeline {pipeline} {ended}; nothing was stopped")]
    lines = [line(Span("cancelled ", "yellow"), f"run {run} of pipeline {pipeline}")]
    if done.running:
        lines += [
            line("was running: ", name_list([label(*unit) for unit in done.running])),
            line("a function that runs goes on to its end, and a result that it commits is kept"),
        ]
    return lines


def _closer(run: str, history: DeployedHistory) -> Line:
    return line(Span("look closer: ", "dim"), f"solidstate show {run}{history.options}")
