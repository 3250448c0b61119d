"""``solidstate start``: start a deployed pipeline with the request that ``run`` takes, watch it, say how it went."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from typing import Any

import msgspec

from solidstate.cli.documents import MAX_BYTES, Source, read_source
from solidstate.cli.exit_codes import FAILED, INTERRUPTED, SUCCESS
from solidstate.cli.history_commands import summary_document
from solidstate.cli.progress import watching
from solidstate.cli.render_errors import Quoted
from solidstate.cli.render_run import run_lines, why_lines
from solidstate.cli.request_options import over_failed, request_document
from solidstate.cli.run_place import deployed_at, place_of
from solidstate.cli.terminal import Terminal
from solidstate.cli.text import BLANK, Line, Span, line
from solidstate.errors import SolidstateError
from solidstate.handler.runtime import LoadedPipeline
from solidstate.infra.again import request_from_failure
from solidstate.infra.deployed import Deployed, DeployedMachine
from solidstate.infra.deployed_runs import DeployedHistory
from solidstate.infra.executions import Execution, check_execution_name
from solidstate.infra.following import Follower
from solidstate.infra.home import new_run_id
from solidstate.load import load_pipeline
from solidstate.planner.build import build_plan
from solidstate.planner.contract import RUN_REFUSED
from solidstate.request import RUN_ID, resolve_request
from solidstate.storage import keys


class StartOptions(msgspec.Struct, frozen=True):
    """What was typed after ``solidstate start``."""

    target: str | None
    pipeline: str | None
    config: str | None
    assignments: list[str]
    mode: str | None
    preset: str | None
    steps: str | None
    from_run: str | None
    from_failure: str | None
    tags: list[str]
    name: str | None
    follow: bool
    json: bool
    debug: bool


def start(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), StartOptions)
    source = read_source(options.config) if options.config is not None else None
    document = request_document(options, source)
    loaded = _loaded(options)
    name = check_execution_name(options.name if options.name is not None else new_run_id())
    if loaded is not None and options.from_failure is None:  # wrong requests need no AWS to be found out
        _validate(loaded, document, source, options)
    deployed = deployed_at(place_of(arguments)[0])
    machine = deployed.machine_of(loaded.definition.name if loaded is not None else options.pipeline)
    history = DeployedHistory(deployed)
    document = _with_known_run(document, options, loaded, deployed, history)
    text = _encoded(document)
    if loaded is not None:
        terminal.note(_plan_note(loaded, machine))
    arn = deployed.executions.start(machine.arn, name, text)
    run = keys.run_id_from(name)
    if not options.follow:
        _say_started(terminal, options, machine, run, arn, history)
        return SUCCESS
    try:
        execution = _follow(terminal, deployed, machine, run, arn)
    except KeyboardInterrupt:
        terminal.note([BLANK, *_left_alone(run, history)])
        return INTERRUPTED
    return _report(terminal, options, history, machine, run, execution)


def _loaded(options: StartOptions) -> LoadedPipeline | None:
    if options.target is None:
        if options.from_failure is not None:
            raise SolidstateError(
                "`--from-failure` needs to know the pipeline's steps.",
                subject="--from-failure",
                hint="add the TARGET, as in `solidstate start package.module:pipeline --from-failure last`",
            )
        return None
    pipeline = load_pipeline(options.target)
    return LoadedPipeline(pipeline, build_plan(pipeline))


def _validate(loaded: LoadedPipeline, document: Any, source: Source | None, options: StartOptions) -> None:
    with source.blamed(options.assignments) if source is not None else nullcontext():
        resolve_request(loaded.definition, document)


def _with_known_run(
    document: Any,
    options: StartOptions,
    loaded: LoadedPipeline | None,
    deployed: Deployed,
    history: DeployedHistory,
) -> Any:
    """The request with whole run ids: ``from_run`` and ``--from-failure`` may be ``last``, or the beginning of one."""
    if not isinstance(document, dict):
        return document
    if options.from_failure is not None and loaded is not None:
        failed = history.find(options.from_failure)
        request = request_from_failure(deployed.store, loaded, failed.run, history.facts(failed).summary)
        document = over_failed(request, document)
        resolve_request(loaded.definition, document)
        return document
    wanted = document.get("from_run")
    if not isinstance(wanted, str) or not RUN_ID.fullmatch(wanted):
        return document
    return {**document, "from_run": history.find(wanted).run}


def _encoded(document: Any) -> str:
    text = msgspec.json.encode(document, enc_hook=str)
    if len(text) > MAX_BYTES:
        raise SolidstateError(
            f"The run request has {len(text):,} bytes; Step Functions takes {MAX_BYTES:,} as an execution's input.",
            subject="run request",
            hint="put large values in S3 and pass their address",
        )
    return text.decode()


def _plan_note(loaded: LoadedPipeline, machine: DeployedMachine) -> list[Line]:
    if loaded.hash == machine.plan:
        return []
    text = (
        f"what is deployed follows another plan ({machine.plan}) than the code here ({loaded.hash}); it was checked "
        "against the code here, and is judged again there"
    )
    return [line(Span("note: ", "yellow"), text)]


def _follow(terminal: Terminal, deployed: Deployed, machine: DeployedMachine, run: str, arn: str) -> Execution:
    terminal.note([line(Span("started ", "green"), f"run {run} of pipeline {machine.pipeline}")])
    with watching(terminal, machine.steps, machine.pipeline) as progress:
        follower = Follower(deployed.executions, deployed.store, machine.pipeline, run, arn, progress)
        return follower.follow()


def _left_alone(run: str, history: DeployedHistory) -> list[Line]:
    return [
        line("no longer watching; the run goes on"),
        line(Span("look again: ", "dim"), f"solidstate show {run}{history.options}"),
        line(Span("stop it: ", "dim"), f"solidstate cancel {run}{history.options}"),
    ]


def _say_started(
    terminal: Terminal, options: StartOptions, machine: DeployedMachine, run: str, arn: str, history: DeployedHistory
) -> None:
    if options.json:
        terminal.show_json({"run": run, "pipeline": machine.pipeline, "execution": arn, "machine": machine.arn.whole})
        return
    terminal.show(
        [
            line(Span("started ", "green"), f"run {run} of pipeline {machine.pipeline}"),
            line(Span("execution: ", "dim"), arn),
            line(Span("look closer: ", "dim"), f"solidstate show {run}{history.options}"),
        ]
    )


def _report(
    terminal: Terminal,
    options: StartOptions,
    history: DeployedHistory,
    machine: DeployedMachine,
    run: str,
    execution: Execution,
) -> int:
    if execution.error == RUN_REFUSED:
        raise Quoted(execution.cause, subject=machine.pipeline)
    found = history.facts(history.of_execution(machine, execution))
    if options.json:
        terminal.show_json(summary_document(found.summary, found.events))
    else:
        shown = run_lines(found.summary, found.events, width=terminal.width, tracebacks=options.debug)
        closer = line(Span("look closer: ", "dim"), f"solidstate show {run}{history.options}")
        terminal.show([BLANK, *shown, *why_lines(found.why), closer])
    return SUCCESS if found.summary.status == "success" else FAILED
