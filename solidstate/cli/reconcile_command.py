"""``solidstate reconcile``: put on record how runs ended that could not say it themselves."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from solidstate.cli.exit_codes import SUCCESS
from solidstate.cli.render_run import STYLES
from solidstate.cli.run_place import history_at, place_of
from solidstate.cli.terminal import Terminal
from solidstate.cli.text import BLANK, Line, Span, line, plural, table
from solidstate.errors import IntermediateError, MissingObject, name_list
from solidstate.events import AnyEvent, EngineEvent, RunStart, StepStart, kind_of, step_label
from solidstate.infra.reconciling import Repair

MAX_NAMED = 3
"""Ends named in the row of a run; the others are counted, and `events` has them all."""


class ReconcileOptions(msgspec.Struct, frozen=True):
    """What was typed after ``solidstate reconcile``."""

    home: str | None
    pipeline: str | None
    dry_run: bool
    json: bool
    run: str = ""


def reconcile(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), ReconcileOptions)
    place, wanted = place_of(arguments)
    history = history_at(place, options.home)
    candidates = iter([history.find(wanted)]) if wanted else history.lacking(options.pipeline)
    going, repairs, unread = 0, list[Repair](), list[str]()
    for run in candidates:
        try:
            done = history.repair(run, dry_run=options.dry_run)
        except (IntermediateError, MissingObject):  # one that is damaged must not hold the others up
            unread.append(run.run)
            continue
        if done is not None:
            repairs.append(done)
        elif run.status == "running":
            going += 1
    if options.json:
        terminal.show_json([_document(one) for one in repairs])
        return SUCCESS
    if repairs:
        terminal.show(table([_row(one) for one in repairs], header=("status", "run", "pipeline", "was not on record")))
    terminal.note(_said(repairs, going, options, closer=f"solidstate show RUN{history.options}"))
    if unread:
        terminal.note([line(f"left alone, as what is recorded of them cannot be read: {name_list(unread)}")])
    return SUCCESS


def _row(done: Repair) -> list[Span]:
    ends = [_named(event) for event in done.events if not isinstance(event, (RunStart, StepStart, EngineEvent))]
    more = f", and {len(ends) - MAX_NAMED} more" if len(ends) > MAX_NAMED else ""
    run = done.summary
    told = ", ".join(ends[:MAX_NAMED]) + more or "the summary"
    return [Span(run.status, STYLES[run.status]), Span(run.run), Span(run.pipeline), Span(told)]


def _named(event: AnyEvent) -> str:
    return f"{kind_of(event)} of {step_label(event)}" if event.step else kind_of(event)


def _said(repairs: list[Repair], going: int, options: ReconcileOptions, *, closer: str) -> list[Line]:
    still = f"; {plural(going, 'run')} {'goes' if going == 1 else 'go'} on" if going else ""
    if not repairs:
        return [line(f"every run that has ended has its end on record{still}")]
    if options.dry_run:
        return [
            BLANK,
            line(f"{plural(len(repairs), 'run')} to repair{still}; nothing was written: leave out `--dry-run`"),
        ]
    written = sum(one.written for one in repairs)
    lines = [BLANK, line(f"repaired {plural(written, 'run')}{still}")]
    if written < len(repairs):
        lines.append(line(f"of {plural(len(repairs) - written, 'run')} the end was recorded by others meanwhile"))
    return [*lines, line(Span("look closer: ", "dim"), closer)]


def _document(done: Repair) -> dict[str, Any]:
    return {
        "run": done.summary.run,
        "pipeline": done.summary.pipeline,
        "status": done.summary.status,
        "written": done.written,
        "events": [{"kind": kind_of(event), "step": event.step, "item": event.item} for event in done.events],
    }
