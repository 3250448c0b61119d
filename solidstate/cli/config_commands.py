"""``solidstate config scaffold``, ``check`` and ``schema``: write, validate and describe run requests."""

from __future__ import annotations

import argparse
import shlex

import msgspec

from solidstate.cli.documents import read_source
from solidstate.cli.exit_codes import SUCCESS
from solidstate.cli.request_schema import request_schema
from solidstate.cli.scaffold import document_of, request_entries, yaml_of
from solidstate.cli.terminal import Terminal
from solidstate.cli.text import Span, line
from solidstate.errors import RequestErrors
from solidstate.load import load_pipeline
from solidstate.pipeline import PipelineDefinition
from solidstate.request import resolve_request
from solidstate.resources import Mode


class ConfigOptions(msgspec.Struct, frozen=True):
    """What was typed after ``config scaffold``, ``config check`` or ``config schema``."""

    target: str
    json: bool = False
    full: bool = False
    mode: str | None = None
    file: str = ""


def scaffold(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), ConfigOptions)
    pipeline = load_pipeline(options.target)
    entries = request_entries(pipeline, _mode(pipeline, options.mode))
    if options.json:
        terminal.show_json(document_of(entries, full=options.full))
        return SUCCESS
    about = f": {pipeline.description}" if pipeline.description else ""
    title = [
        f"Run request for pipeline `{pipeline.name}`{about}",
        f"Validate it: solidstate config check {shlex.quote(options.target)} FILE",
    ]
    terminal.show_bytes(yaml_of(entries, title, full=options.full).encode("utf-8", "backslashreplace"))
    return SUCCESS


def _mode(pipeline: PipelineDefinition, name: str | None) -> Mode:
    """The mode asked for, else the first. Raises RequestErrors, worded as for a run, for one that is not there."""
    if name is None:
        return pipeline.modes[0]
    for mode in pipeline.modes:
        if mode.name == name:
            return mode
    try:
        resolve_request(pipeline, {"mode": name})
    except RequestErrors as errors:
        mine = [item for item in errors.items if item.path == "mode"]
        raise RequestErrors(errors.title, mine) from None
    raise AssertionError(f"mode {name!r} is unknown here and known to the request")


def check(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), ConfigOptions)
    source = read_source(options.file)
    document = source.parse()
    pipeline = load_pipeline(options.target)
    with source.blamed():
        request = resolve_request(pipeline, document)
    if options.json:
        terminal.show_json(request)
        return SUCCESS
    facts = f" is a valid run request for pipeline `{pipeline.name}` in mode `{request.mode}`"
    preset = f", preset `{request.preset}`" if request.preset else ""
    name = "standard input" if options.file == "-" else options.file
    terminal.show([line(Span("ok  ", "green"), f"{name}{facts}{preset}")])
    return SUCCESS


def schema(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), ConfigOptions)
    terminal.show_json(request_schema(load_pipeline(options.target)))
    return SUCCESS
