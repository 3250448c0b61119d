"""Target: a run request, as a document, and as the execution input that Start run is given.

What is taken can be written down and read again; what is refused is refused by our own errors, in text that steers no
terminal.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from solidstate.cli.render_errors import error_document, error_lines
from solidstate.cli.text import plain
from solidstate.errors import RequestErrors
from solidstate.handler.entry import make_handler
from solidstate.handler.outcome import RunRefused
from solidstate.infra.inline import InlineInvocation
from solidstate.request import RunRequest, resolve_request
from tests.fuzz.draws import Draws
from tests.fuzz.pipelines import REQUEST, WORDS, runtime, shop

_RUNTIME = runtime()
_HASH = _RUNTIME.pipelines["shop"].hash


def document_of(data: bytes) -> Any:
    """Text where it is JSON, else decisions."""
    draws = Draws(data)
    kind = draws.number(4)
    if kind == 0:
        try:
            return json.loads(draws.rest())
        except (ValueError, RecursionError):
            return {}
    return draws.value(WORDS) if kind == 1 else draws.changed(REQUEST, WORDS)


def check(data: bytes) -> None:
    document = document_of(data)
    try:
        request = resolve_request(shop, document)
    except RequestErrors as errors:
        text = plain(error_lines(errors))
        assert all(char.isprintable() or char == "\n" for char in text)
        error_document(errors, 2).decode("ascii")
    else:
        assert msgspec.json.decode(msgspec.json.encode(request), type=RunRequest) == request
        _started(document)


def _started(document: Any) -> None:
    store = _RUNTIME.store = runtime().store
    event = {"kind": "start", "pipeline": "shop", "plan": _HASH, "execution": "arn", "name": "..", "input": document}
    try:
        answer = make_handler(_RUNTIME)(event, InlineInvocation(60))
    except RunRefused:  # what `from_run` names is not there
        return
    json.dumps(answer, allow_nan=False)
    assert all(info.key.startswith("v1/") for info in store.list(""))
