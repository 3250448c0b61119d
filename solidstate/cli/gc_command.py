"""``solidstate gc``: list, and with ``--delete`` remove, what runs have left that is of no use any more."""

from __future__ import annotations

import argparse
import time

import msgspec

from solidstate.cli.exit_codes import SUCCESS
from solidstate.cli.run_place import history_at, place_of
from solidstate.cli.terminal import Terminal
from solidstate.cli.text import BLANK, Line, Span, human_size, human_time, line, plural, table
from solidstate.errors import name_list
from solidstate.infra.garbage import Garbage, Swept, sweep


class GcOptions(msgspec.Struct, frozen=True):
    """What was typed after ``solidstate gc``; ``older_than`` in seconds."""

    home: str | None
    pipeline: str | None
    older_than: float | None
    delete: bool
    json: bool


def gc(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), GcOptions)
    history = history_at(place_of(arguments)[0], options.home)
    swept = sweep(
        history, time.time(), pipeline=options.pipeline, older_than_s=options.older_than, delete=options.delete
    )
    if options.json:
        removed = {"removed": options.delete, "kept_for": swept.kept_for, "unread": swept.unread}
        terminal.show_json({"found": [msgspec.structs.asdict(one) for one in swept.found], **removed})
        return SUCCESS
    if swept.found:
        header = ("what", "run", "pipeline", "ended", "objects", "size")
        terminal.show(table([_row(one) for one in swept.found], header=header))
    terminal.note(_said(swept, delete=options.delete))
    return SUCCESS


def _row(one: Garbage) -> list[Span]:
    return [
        Span(one.kind, "yellow" if one.kind == "expired run" else ""),
        Span(one.run),
        Span(one.pipeline),
        Span(human_time(one.ended_at), "dim"),
        Span(f"{one.objects:,}"),
        Span(human_size(one.size)),
    ]


def _said(swept: Swept, *, delete: bool) -> list[Line]:
    lines: list[Line] = []
    if swept.found:
        objects, size = sum(one.objects for one in swept.found), sum(one.size for one in swept.found)
        told = f"{plural(objects, 'object')}, {human_size(size)}"
        lines += [BLANK, line(f"removed {told}" if delete else f"{told}; nothing was removed: add `--delete`")]
    else:
        lines.append(line("there is nothing to remove"))
    lines += [line(f"kept `{run}`, which `{by}` takes results from") for run, by in swept.kept_for.items()]
    if swept.unread:
        lines.append(line(f"left alone, as what is recorded of them cannot be read: {name_list(swept.unread)}"))
    return lines
