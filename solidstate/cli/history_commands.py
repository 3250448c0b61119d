"""``solidstate runs``, ``show`` and ``events``: readers of what runs have left behind, here or deployed."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from solidstate.cli.choices import LEVELS
from solidstate.cli.exit_codes import SUCCESS
from solidstate.cli.follow_events import follow_events
from solidstate.cli.render_events import event_lines
from solidstate.cli.render_run import STYLES, request_lines, run_lines, why_lines
from solidstate.cli.run_place import history_at, place_of
from solidstate.cli.terminal import Terminal, steerless
from solidstate.cli.text import BLANK, Line, Span, human_duration, human_time, line, table
from solidstate.errors import SolidstateError, closest, name_list
from solidstate.events import (
    AnyEvent,
    LogMessage,
    StepExpectation,
    StepMaterialization,
    encode_events,
    final_events,
    kind_of,
)
from solidstate.infra.run_history import Listing, RunHistory
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
    follow: bool = False


def runs(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), HistoryOptions)
    history = history_at(place_of(arguments)[0], options.home)
    found = history.latest(options.pipeline, options.limit)
    if options.json:
        terminal.show_json([_plain(run) for run in found.runs])
        return SUCCESS
    if found.runs:
        rows = [_run_row(run) for run in found.runs]
        terminal.show(table(rows, header=("status", "run", "pipeline", "started", "time", "steps", "engine", "tags")))
    if found.older != 0:
        older = "there are older ones" if found.older is None else f"and {found.older} older"
        terminal.note([line(Span(f"{older}; `--limit N` shows more", "dim"))])
    if not found.runs:
        terminal.note([_none(options.pipeline, found, history)])
    return SUCCESS


def _none(pipeline: str | None, found: Listing, history: RunHistory) -> Line:
    if pipeline is None or not found.pipelines:
        start = "run TARGET" if history.local else f"start{history.options}"
        return line(f"No runs in `{history.place}`; start one with `solidstate {start}`.")
    near = closest(pipeline, found.pipelines)
    hint = f"did you mean `{near}`?" if near else f"there are runs of {name_list(found.pipelines)}."
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
    place, wanted = place_of(arguments)
    history = history_at(place, options.home)
    found = history.find(wanted)
    facts = history.facts(found)
    run, request = facts.summary, history.request(found)
    if options.json:
        terminal.show_json({**summary_document(run, facts.events), "request": request})
        return SUCCESS
    lines = run_lines(run, facts.events, width=terminal.width, all_steps=True, tracebacks=options.debug)
    head, *rest = lines
    lines = [head, *request_lines(run), *rest, *why_lines(facts.why)]
    if request:
        text = msgspec.json.format(msgspec.json.encode(request), indent=2).decode()
        lines += [BLANK, line(Span("request", "bold")), *(line(f"  {one}") for one in text.splitlines())]
    terminal.show(lines)
    return SUCCESS


def events(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), HistoryOptions)
    place, wanted = place_of(arguments)
    history = history_at(place, options.home)
    run = history.find(wanted)
    if options.step is not None:
        _check_step(options.step, history.steps(run), run)
    if options.follow:
        follow_events(history, run, lambda event: _wanted(event, options), terminal, as_json=options.json)
        return SUCCESS
    found = [event for event in history.facts(run).events if _wanted(event, options)]
    if options.json:
        terminal.show_bytes(steerless(encode_events(found)))
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
