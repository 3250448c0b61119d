"""``solidstate runs``, ``show`` and ``events``: readers of what runs on this machine have left behind."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from solidstate.cli.arguments import LEVELS
from solidstate.cli.exit_codes import SUCCESS
from solidstate.cli.render_events import event_lines
from solidstate.cli.render_run import STYLES, request_lines, run_lines
from solidstate.cli.terminal import Terminal
from solidstate.cli.text import BLANK, Line, Span, human_duration, human_time, line, table
from solidstate.errors import MissingObject, SolidstateError, closest, name_list
from solidstate.events import (
    AnyEvent,
    LogMessage,
    StepExpectation,
    StepMaterialization,
    encode_events,
    final_events,
    kind_of,
)
from solidstate.handler.end import summarise_step
from solidstate.infra.home import Home, home_from
from solidstate.planner.plan import decode_plan
from solidstate.storage import keys
from solidstate.storage.history import events_of, find_run, list_runs, record_of, step_names
from solidstate.storage.records import RunSummary


class HistoryOptions(msgspec.Struct, frozen=True):
    """What was typed after ``runs``, ``show`` or ``events``."""

    home: str | None
    json: bool
    debug: bool
    run: str = "last"
    pipeline: str | None = None
    limit: int = 20
    step: str | None = None
    kind: str | None = None
    level: str | None = None


def runs(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), HistoryOptions)
    home = home_from(options.home)
    every = list_runs(home.store)
    found = [run for run in every if options.pipeline in (None, run.pipeline)]
    shown = found[: options.limit]
    if options.json:
        terminal.show_json([_plain(run) for run in shown])
        return SUCCESS
    if shown:
        rows = [_run_row(run) for run in shown]
        terminal.show(table(rows, header=("status", "run", "pipeline", "started", "time", "steps", "engine", "tags")))
    if len(shown) < len(found):
        terminal.note([line(Span(f"and {len(found) - len(shown)} older; `--limit N` shows more", "dim"))])
    if not found:
        terminal.note([_none(options.pipeline, every, home)])
    return SUCCESS


def _none(pipeline: str | None, every: list[RunSummary], home: Home) -> Line:
    if pipeline is None or not every:
        return line(f"No runs in `{home.root}`; start one with `solidstate run TARGET`.")
    names = list(dict.fromkeys(run.pipeline for run in every))
    near = closest(pipeline, names)
    hint = f"did you mean `{near}`?" if near else f"there are runs of {name_list(names)}."
    return line(f"No runs of pipeline `{pipeline}`; {hint}")


def _run_row(run: RunSummary) -> list[Span]:
    done = sum(step.status == "success" for step in run.steps)
    wanted = sum(step.status != "not selected" for step in run.steps)
    return [
        Span(run.status, STYLES[run.status]),
        Span(run.run),
        Span(run.pipeline),
        Span(human_time(run.started_at) if run.started_at else "", "dim"),
        Span("" if run.status in ("running", "interrupted") else human_duration(run.duration_s)),
        Span(f"{done}/{wanted}" if run.steps else ""),
        Span(run.engine, "dim"),
        Span(", ".join(f"{key}={value}" for key, value in run.tags.items()), "dim"),
    ]


def show(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), HistoryOptions)
    home = home_from(options.home)
    run = find_run(home.store, options.run)
    events = list(events_of(home.store, run))
    if run.status == "running":
        run = _so_far(home, run, events)
    request = record_of(home.store, run.pipeline, run.run).request
    if options.json:
        terminal.show_json({**summary_document(run, events), "request": request})
        return SUCCESS
    lines = run_lines(run, events, width=terminal.width, all_steps=True, tracebacks=options.debug)
    head, *rest = lines
    lines = [head, *request_lines(run), *rest]
    if request:
        text = msgspec.json.format(msgspec.json.encode(request), indent=2).decode()
        lines += [BLANK, line(Span("request", "bold")), *(line(f"  {one}") for one in text.splitlines())]
    terminal.show(lines)
    return SUCCESS


def _so_far(home: Home, run: RunSummary, events: list[AnyEvent]) -> RunSummary:
    """A run that has no summary yet, or never will: its steps as far as their events tell."""
    try:
        plan = decode_plan(home.store.get(keys.plan(run.pipeline, run.plan)))
    except (MissingObject, msgspec.MsgspecError):  # a plan of another version; the events still say something
        return run
    by_step: dict[str, list[AnyEvent]] = {}
    for event in events:
        by_step.setdefault(event.step, []).append(event)
    steps = [summarise_step(step, by_step.get(step.name, [])) for step in plan.steps]
    return msgspec.structs.replace(run, steps=steps)


def events(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), HistoryOptions)
    home = home_from(options.home)
    run = find_run(home.store, options.run)
    if options.step is not None:
        _check_step(options.step, step_names(home.store, run.pipeline, run.plan), run)
    found = [event for event in events_of(home.store, run) if _wanted(event, options)]
    if options.json:
        terminal.show_bytes(encode_events(found))
    else:
        terminal.show(event_lines(found, width=terminal.width))
    return SUCCESS


def _check_step(step: str, names: list[str], run: RunSummary) -> None:
    if step not in names:
        near = closest(step, names)
        raise SolidstateError(
            f"Run `{run.run}` of pipeline `{run.pipeline}` has no step `{step}`.",
            subject=step,
            hint=f"did you mean `{near}`?" if near else f"its steps: {name_list(names)}",
        )


def _wanted(event: AnyEvent, options: HistoryOptions) -> bool:
    if options.step is not None and event.step != options.step:
        return False
    if options.kind is not None and kind_of(event) != options.kind:
        return False
    if options.level is not None:
        return isinstance(event, LogMessage) and LEVELS.index(event.level) >= LEVELS.index(options.level)
    return True


def summary_document(run: RunSummary, events: list[AnyEvent]) -> dict[str, Any]:
    """A run as JSON data, every field present, with what it materialized and which expectations it tested."""
    final = final_events(events)
    return {
        **_plain(run),
        "materializations": [
            {"step": event.step, "label": event.label, "path": event.path, **_said(event)}
            for event in final
            if isinstance(event, StepMaterialization)
        ],
        "expectations": [
            {"step": event.step, "label": event.label, "success": event.success, **_said(event)}
            for event in final
            if isinstance(event, StepExpectation)
        ],
    }


def _said(event: StepMaterialization | StepExpectation) -> dict[str, Any]:
    return {"description": event.description, "metadata": event.metadata}


def _plain(run: RunSummary) -> dict[str, Any]:
    """Defaults included: who reads the JSON should not need to know them."""
    document = msgspec.structs.asdict(run)
    document["steps"] = [msgspec.structs.asdict(step) for step in run.steps]
    return document
