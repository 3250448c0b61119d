"""``solidstate run``: put the run request together, run it here, say how it went."""

from __future__ import annotations

import argparse
import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec

from solidstate.cli.documents import read_source
from solidstate.cli.exit_codes import FAILED, INTERRUPTED, SUCCESS, WRONG_INPUT
from solidstate.cli.history_commands import summary_document
from solidstate.cli.progress import watching
from solidstate.cli.render_reuse import reuse_lines
from solidstate.cli.render_run import run_lines
from solidstate.cli.request_options import over_failed, request_document
from solidstate.cli.terminal import Terminal
from solidstate.cli.text import BLANK, Line, Span, line
from solidstate.errors import EngineError, SolidstateError
from solidstate.handler.outcome import OutputNotStorable
from solidstate.handler.reuse import check_from_run, reuse_of
from solidstate.handler.runtime import LoadedPipeline
from solidstate.infra.again import request_from_failure
from solidstate.infra.home import Home, home_from, new_run_id
from solidstate.infra.local_run import Engine, run_local
from solidstate.load import load_pipeline
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.request import RUN_ID, resolve_request
from solidstate.storage import keys
from solidstate.storage.history import events_of, find_run
from solidstate.storage.records import RunSummary


class RunOptions(msgspec.Struct, frozen=True):
    """What was typed after ``solidstate run``."""

    target: str
    engine: Engine
    functions: str
    bundle: str | None
    config: str | None
    assignments: list[str]
    mode: str | None
    preset: str | None
    steps: str | None
    from_run: str | None
    from_failure: str | None
    tags: list[str]
    run_id: str | None
    home: str | None
    enforce_iam: bool
    json: bool
    debug: bool


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), RunOptions)
    source = read_source(options.config) if options.config is not None else None
    document = request_document(options, source)
    _check_enforceable(options)
    pipeline = load_pipeline(options.target)
    home = home_from(options.home)
    loaded = LoadedPipeline(pipeline, build_plan(pipeline))
    document = _with_known_run(loaded, document, home, options.from_failure)
    with source.blamed(options.assignments) if source is not None else nullcontext():
        request = resolve_request(pipeline, document)
        check_from_run(home.store, loaded, request)
    run_id = _run_id(pipeline, options.run_id, home)
    bundle = _bundle(options, home, terminal)
    terminal.note(reuse_lines(reuse_of(loaded, request.steps, request.from_run)))
    denials: list[Any] = []
    names = request.steps if request.steps is not None else [node.name for node in pipeline.nodes]
    try:
        with watching(terminal, names, pipeline.name) as progress:
            summary = run_local(
                pipeline,
                document,
                engine=options.engine,
                home=home,
                run_id=run_id,
                observer=progress,
                enforce_iam=denials.extend if options.enforce_iam else None,
                bundle=bundle,
            )
    except KeyboardInterrupt:
        terminal.note([BLANK, _stopped(home, pipeline, run_id, options)])
        return INTERRUPTED
    events = list(events_of(home.store, summary))
    if options.json:
        terminal.show_json(summary_document(summary, events))
    else:
        shown = run_lines(summary, events, width=terminal.width, tracebacks=options.debug)
        terminal.show([BLANK, *shown, *_further(summary, options)])
    terminal.note(_denied(denials))
    return _exit_code(summary)


def _check_enforceable(options: RunOptions) -> None:
    if options.enforce_iam and options.engine != "moto":
        raise SolidstateError(
            "`--enforce-iam` needs an AWS whose requests it can judge, and the engine `inline` has none.",
            subject="--enforce-iam",
            hint="leave `--engine` out",
        )


def _denied(denials: list[Any]) -> list[Line]:
    """What was denied, with the lines that would allow it."""
    if not denials:
        return []
    from solidstate.infra.iam_denials import told

    rows = [row for one in told(denials) for row in one.splitlines()]
    return [BLANK, *(line(Span("" if row.startswith(" ") else "denied  ", "red"), row) for row in rows)]


def _bundle(options: RunOptions, home: Home, terminal: Terminal) -> Path | None:
    """The bundle that is to run, for `--lambda runtime`; None for steps in this process."""
    wanted = options.functions == "runtime"
    surplus = "--lambda runtime" if wanted and options.engine != "moto" else "--bundle" if options.bundle else ""
    if surplus and (options.engine != "moto" or not wanted):
        needed = "--engine moto" if wanted else "--lambda runtime"
        raise SolidstateError(
            f"`{surplus}` goes with `{needed}`.", subject=surplus, hint=f"add `{needed}`, or leave `{surplus}` out"
        )
    if not wanted:
        return None
    try:
        from solidstate.infra.local_bundle import local_bundle
    except ModuleNotFoundError as error:
        raise EngineError(
            f"`--lambda runtime` needs `{error.name}`, which is not installed.",
            subject="--lambda",
            hint="`pip install 'solidstate[local]'`",
        ) from error
    given = Path(options.bundle) if options.bundle is not None else None
    return local_bundle(options.target, home, given, lambda text: terminal.note([line(Span(text, "dim"))]))


def _exit_code(summary: RunSummary) -> int:
    """A run that failed only because outputs have no storage format says that the module is wrong, not the run."""
    if summary.status == "success":
        return SUCCESS
    failed = [step for step in summary.steps if step.status in ("failed", "not reached")]
    unstorable = [step for step in failed if step.error is not None and step.error.type == OutputNotStorable.__name__]
    return WRONG_INPUT if failed and unstorable == failed else FAILED


def _with_known_run(loaded: LoadedPipeline, document: Any, home: Home, failed: str | None) -> Any:
    """``from_run`` may be the beginning of an id, or ``last``; here it becomes the id. So may the run to start again
    ``from_failure``, whose request comes below ``document``. Raises RunNotFound."""
    if not isinstance(document, dict):
        return document
    pipeline = loaded.definition.name
    wanted = document.get("from_run")
    if failed is not None:
        earlier = find_run(home.store, failed, pipeline).run
        return over_failed(request_from_failure(home.store, loaded, earlier), document)
    if not isinstance(wanted, str) or not RUN_ID.fullmatch(wanted):
        return document
    return {**document, "from_run": find_run(home.store, wanted, pipeline).run}


def _run_id(pipeline: PipelineDefinition, wanted: str | None, home: Home) -> str:
    if wanted is None:
        return new_run_id()
    if not RUN_ID.fullmatch(wanted):
        raise SolidstateError(
            f"`{wanted}` cannot be the id of a run: expected letters, digits, `_`, `.` and `-`, at most 80, the first "
            "a letter or digit.",
            subject=wanted,
            hint="choose an id like `nightly-2013-01-31`, or leave `--run-id` out",
        )
    if home.store.exists(keys.run_record(pipeline.name, wanted)):
        raise SolidstateError(
            f"There is already a run `{wanted}` of pipeline `{pipeline.name}`.",
            subject=wanted,
            hint="choose another `--run-id`, or leave it out",
        )
    return wanted


def _further(summary: RunSummary, options: RunOptions) -> list[Line]:
    """Where to look next."""
    commands = [f"solidstate show {summary.run}"]
    failed = [step.step for step in summary.steps if step.status == "failed"]
    commands += [f"solidstate events {summary.run} --step {failed[0]}"] if failed else []
    return [line(Span("look closer: ", "dim"), command + _home_option(options)) for command in commands]


def _stopped(home: Home, pipeline: PipelineDefinition, run_id: str, options: RunOptions) -> Line:
    if not home.store.exists(keys.run_record(pipeline.name, run_id)):
        return line(Span("cancelled", "yellow"), " before the run began; nothing was recorded")
    return line(
        Span("cancelled", "yellow"),
        f"; what was done is kept: solidstate show {run_id}{_home_option(options)}",
    )


def _home_option(options: RunOptions) -> str:
    return f" --home {shlex.quote(options.home)}" if options.home else ""
