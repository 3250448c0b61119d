"""``solidstate template``: render the SAM template's generated parts, or say what rendering would change."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import msgspec

from solidstate.cli.exit_codes import FAILED, SUCCESS
from solidstate.cli.terminal import Terminal
from solidstate.cli.text import BLANK, Line, Span, line, plural
from solidstate.errors import EngineError, SolidstateError

STDOUT = "-"


class TemplateOptions(msgspec.Struct, frozen=True):
    """What was typed after ``solidstate template``."""

    targets: list[str]
    output: str
    check: bool
    runtime: str | None
    arch: str | None
    json: bool


def template(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), TemplateOptions)
    path = Path(options.output)
    written = "" if options.output == STDOUT else _read(path)
    rendered = _rendered(options, written)
    findings = [str(finding) for finding in _findings(rendered, options.output)]
    if options.check:
        return _check(written, rendered, findings, options, terminal)
    if options.output == STDOUT:
        terminal.show_bytes(rendered.encode())
    elif rendered != written:
        _write(path, rendered)
    if options.json and options.output != STDOUT:
        terminal.show_json({"template": options.output, "changed": rendered != written, "findings": findings})
    elif options.output != STDOUT:
        told = ("changed" if written else "wrote") if rendered != written else "unchanged:"
        terminal.note([line(f"{told} {options.output}")])
    terminal.note(_told(findings))
    return SUCCESS


def _rendered(options: TemplateOptions, written: str) -> str:
    try:
        from solidstate.infra.stack import stack_of
        from solidstate.infra.targets import deployable
        from solidstate.infra.template_file import Options, new_template, renewed_template, targets_in
    except ModuleNotFoundError as error:
        raise EngineError(
            f"Rendering a template needs `{error.name}`, which is not installed.",
            subject="template",
            hint="`pip install 'solidstate[local]'`",
        ) from error
    targets = options.targets or (targets_in(written, options.output) if written else [])
    if not targets:
        found = "has no function of a pipeline" if written else "is not there"
        raise SolidstateError(
            f"There is nothing to render: no TARGET was given, and `{options.output}` {found}.",
            subject="TARGET",
            hint="name what is to be deployed: `solidstate template package.module:pipeline`",
        )
    stack = stack_of(deployable(targets))
    if written:
        return renewed_template(written, stack, options.output)
    chosen = {"runtime": options.runtime, "architecture": options.arch}
    return new_template(stack, msgspec.convert({k: v for k, v in chosen.items() if v is not None}, Options))


def _findings(rendered: str, path: str) -> list[object]:
    from solidstate.infra.cloudformation_yaml import load_template
    from solidstate.infra.template_rules import check_template

    return list(check_template(load_template(rendered, path)))


def _check(written: str, rendered: str, findings: list[str], options: TemplateOptions, terminal: Terminal) -> int:
    from solidstate.infra.template_file import difference

    changes = difference(written, rendered, options.output)
    right = not changes and not findings
    if options.json:
        terminal.show_json({"template": options.output, "ok": right, "difference": changes, "findings": findings})
        return SUCCESS if right else FAILED
    if changes:
        terminal.show([_painted(change) for change in changes])
        count = sum(change[0] in "+-" and not change.startswith(("+++", "---")) for change in changes)
        terminal.note(
            [BLANK, line(f"{options.output} is not what the definitions say: {plural(count, 'line')} differ")]
        )
        terminal.note([line("  fix: run `solidstate template` and commit what it changes")])
    terminal.note(_told(findings))
    if right:
        terminal.show([line(Span("ok  ", "green"), options.output)])
    return SUCCESS if right else FAILED


def _painted(change: str) -> Line:
    style = "green" if change.startswith("+") else "red" if change.startswith("-") else ""
    return line(Span(change, style))


def _told(findings: list[str]) -> list[Line]:
    return [
        line(Span("unsafe: " if not row.startswith(" ") else "", "yellow"), row)
        for one in findings
        for row in one.splitlines()
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SolidstateError(
            f"`{path}` cannot be read: {getattr(error, 'strerror', None) or error}.",
            subject=str(path),
            hint="name another file with `-o`",
        ) from error


def _write(path: Path, text: str) -> None:
    """In one move: a template is whole or as it was."""
    unfinished = ""
    try:
        handle, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(unfinished).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(unfinished).replace(path)
    except OSError as error:
        if unfinished:
            Path(unfinished).unlink(missing_ok=True)
        raise SolidstateError(
            f"`{path}` cannot be written: {error.strerror or error}.",
            subject=str(path),
            hint="name a file in a folder that exists and is yours",
        ) from error
