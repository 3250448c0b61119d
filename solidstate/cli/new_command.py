"""``solidstate new``: write a project to start from."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

import msgspec

from solidstate.cli.choices import RUNTIMES
from solidstate.cli.exit_codes import SUCCESS
from solidstate.cli.terminal import Terminal
from solidstate.cli.text import BLANK, Span, line
from solidstate.errors import EngineError


class NewOptions(msgspec.Struct, frozen=True):
    """What was typed after ``solidstate new``."""

    folder: str
    runtime: str | None
    arch: str
    json: bool


def new(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), NewOptions)
    try:
        from solidstate.infra.new_project import names_for, write_project
        from solidstate.infra.template_file import Options
    except ModuleNotFoundError as error:
        raise EngineError(
            f"A new project needs `{error.name}`, which is not installed.",
            subject="new",
            hint="`pip install 'solidstate[local]'`",
        ) from error
    folder = Path(options.folder)
    names = names_for(folder.absolute())
    chosen = Options(options.runtime or _own_runtime(), options.arch)
    written = sorted(path.as_posix() for path in write_project(folder.absolute(), names, chosen))
    if options.json:
        terminal.show_json({"folder": options.folder, "name": names.name, "package": names.package, "files": written})
        return SUCCESS
    terminal.show([line(Span("wrote  ", "green"), f"{options.folder}/{path}") for path in written])
    target = f"{names.package}.pipeline:{names.package}"
    steps = [
        f"cd {shlex.quote(options.folder)}",
        f"solidstate run {target}",
        "sam build && sam deploy --guided",
    ]
    terminal.show([BLANK, line(Span("go on: ", "dim"), steps[0]), *(line(f"       {step}") for step in steps[1:])])
    return SUCCESS


def _own_runtime() -> str:
    """Lambda's runtime of this interpreter's version, so that what is tested is what runs; else one that is there."""
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return own if own in RUNTIMES else RUNTIMES[1]
