"""Target: documents as files, and what is laid over them on the command line."""

from __future__ import annotations

import datetime as dt
from typing import Any

from solidstate.cli.document_errors import DocumentError
from solidstate.cli.documents import Source, overlay, tags_from
from solidstate.errors import RequestErrors
from solidstate.request import resolve_request
from tests.fuzz.draws import Draws
from tests.fuzz.pipelines import shop

_PIECES = (
    *("mode", "local", "solids", "read", "config", "path", "tags", "<<", "a", "b", "1", "0x1f", "0o17", ".inf", ".nan"),
    *(": ", ":", "- ", "-", "\n", "\n  ", "\n    ", " ", "\t", "[", "]", "{", "}", ",", "? ", "'", '"', "|", ">", "%"),
    *("&a ", "*a", "!!python/object/apply:os.system ", "!!binary ", "!x ", "---\n", "...\n", "#", "~", "null", "true"),
    *("2026-01-01", "1e999", "9" * 5_000, "\\u202e", "\\x1b", "\0", "\ufeff", "\x85", "\u2028", "[" * 100, "{a: " * 80),
)


def text_of(data: bytes) -> tuple[str, bool]:
    """Text as it comes, or pieces of YAML and JSON in any order; and whether it is to be JSON."""
    draws = Draws(data)
    how = draws.number(8)
    if how & 1:
        return draws.rest().decode("utf-8", "replace"), bool(how & 2)
    pieces: list[str] = []
    while not draws.over:
        pieces.append(draws.text(_PIECES) if draws.number(16) == 1 else draws.pick(_PIECES))
    return "".join(pieces), bool(how & 2)


def check(data: bytes) -> None:
    text, as_json = text_of(data)
    source = Source("request.yaml", text, as_json)
    try:
        document = source.parse()
    except DocumentError:
        document = {}
    else:
        _plain(document)
        _judge(source, document)
    for assignment in (text[:2_000], f"solids.read.config.{text[:80]}", f"mode={text[:200]}"):
        try:
            overlay(document if isinstance(document, dict) else {}, [assignment])
            tags_from([assignment])
        except DocumentError:
            continue


def _judge(source: Source, document: Any) -> None:
    try:
        with source.blamed():
            resolve_request(shop, document)
    except RequestErrors:
        pass


def _plain(document: Any) -> None:
    """Nothing but what JSON has, and no part of it twice."""
    todo, seen = [document], set[int]()
    while todo:
        one = todo.pop()
        assert type(one) in (dict, list, str, int, float, bool, type(None)), type(one)
        assert not isinstance(one, dt.date)
        if isinstance(one, (dict, list)) and one:
            assert id(one) not in seen, "an alias came through"
            seen.add(id(one))
            todo += [*one.values()] if isinstance(one, dict) else one
