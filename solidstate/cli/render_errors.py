"""Errors as lines for people and as a document for programs."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from solidstate.cli.text import Line, Span, indented, line, paragraphs
from solidstate.config_errors import ConfigError
from solidstate.errors import Errors, SolidstateError, shown

MAX_TEXT = 4_000
"""Characters of one part of an error; what installers say of a conflict takes half of it."""


class Quoted(SolidstateError):
    """An error that was put into words elsewhere, by the same code: its lines are shown as they are."""


def error_lines(error: SolidstateError, usage: str = "") -> list[Line]:
    """``error: ...`` with place and fix; several of a kind are numbered. What the command line should have looked like
    comes first."""
    lines = paragraphs(usage, "dim", mark="") if usage else []
    head = Span("error: ", "bold red")
    if isinstance(error, Errors) and len(error.items) > 1:
        lines.append(line(head, Span(f"{error.title}: {len(error.items)} errors", "bold")))
        for number, item in enumerate(error.items, 1):
            first, *rest = _one(item)
            lines += [(Span(f"  {number}. "), *first), *indented(rest)]
        return lines
    title = f"{error.title}: " if isinstance(error, Errors) else ""
    first, *rest = _one(error.items[0] if isinstance(error, Errors) and error.items else error, title)
    return [*lines, (head, *first), *rest]


def _one(error: SolidstateError, title: str = "") -> list[Line]:
    if isinstance(error, Quoted):
        return [line(Span(one)) for one in error.problem.splitlines()]
    lines = paragraphs(title + _bounded(error.problem), "bold")
    if error.path:
        lines.append(line(Span("  at: ", "dim"), _bounded(error.path) + _in_file(error)))
    if error.hint:
        lines.append(line(Span("  fix: ", "green"), _bounded(error.hint)))
    return lines


def _bounded(text: str) -> str:
    """A text that somebody's input has made too long to be read, without its middle."""
    if len(text) <= MAX_TEXT:
        return text
    left = len(text) - MAX_TEXT
    return f"{text[: MAX_TEXT // 2]} [{left:,} characters left out] {text[-MAX_TEXT // 2 :]}"


def _in_file(error: SolidstateError) -> str:
    place = error.place if isinstance(error, ConfigError) else None
    return f" (line {place[0]}, column {place[1]})" if place is not None else ""


def error_document(error: SolidstateError, exit_code: int) -> bytes:
    """``{"error": {...}}`` in ASCII: what a program needs to act on it."""
    items = error.items if isinstance(error, Errors) else (error,)
    document = {
        "error": {
            "type": type(error).__name__,
            "problem": error.problem,
            "exit_code": exit_code,
            "errors": [error_record(item) for item in items],
        }
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def error_record(error: SolidstateError) -> dict[str, Any]:
    """One error. ``reason``, ``given``, ``expected`` and ``suggestion`` are there for errors of a run request."""
    record: dict[str, Any] = {"problem": error.problem, "path": error.path, "hint": error.hint}
    if not isinstance(error, ConfigError):
        return record
    record = {"reason": error.reason, **record, "expected": error.expected, "suggestion": error.suggestion}
    if error.place is not None:
        record["line"], record["column"] = error.place
    if error.given is not msgspec.UNSET:
        record["given"] = _plain(error.given)
    return record


def _plain(value: Any) -> Any:
    try:
        plain = msgspec.to_builtins(value, str_keys=True, enc_hook=str)
        json.dumps(plain, allow_nan=False)
    except (TypeError, ValueError, RecursionError):  # NaN, or data that contains itself
        return shown(value)
    return plain
