"""Target: whatever stands where runs leave their records, read and shown by the commands that read runs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from solidstate.cli.history_commands import _run_row, summary_document
from solidstate.cli.render_events import event_lines
from solidstate.cli.render_run import request_lines, run_lines, why_lines
from solidstate.cli.terminal import json_bytes
from solidstate.cli.text import Line, plain, table
from solidstate.errors import SolidstateError
from solidstate.events import decode_events
from solidstate.infra.home import Home
from solidstate.infra.local_run import run_local
from solidstate.infra.run_history import LocalHistory
from solidstate.storage import keys
from solidstate.storage.durations import durations_of
from solidstate.storage.memory import MemoryStore
from tests.fuzz.draws import Draws
from tests.fuzz.pipelines import REQUEST, WORDS, shop

RUN = "r1"


def _run_once() -> dict[str, bytes]:
    """The objects that a real run leaves."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        document = {**REQUEST, "steps": None, "resources": {}}
        run_local(shop, document, home=home, run_id=RUN, engine="inline")
        return {info.key: home.store.get(info.key) for info in home.store.list("")}


OBJECTS = _run_once()
_OF_A_RUN = sorted(key for key in OBJECTS if key.startswith(("v1/runs/", "v1/plans/")))
_NAMES = (*WORDS, "run", "pipeline", "kind", "status", "steps", "started_at", "time", "log", "metadata", "message", RUN)


def store_of(data: bytes) -> MemoryStore:
    """The run's objects, some of them replaced, one of them added."""
    draws = Draws(data)
    store = MemoryStore()
    for key, body in OBJECTS.items():
        store.put(key, body)
    for key in _OF_A_RUN:
        what = draws.number(8)
        if what == 1:
            store.delete(key)
        elif what == 2:
            store.put(key, draws.take(draws.number(256)))
        elif what > 3:
            store.put(key, b"\n".join(_changed(draws, line) for line in OBJECTS[key].splitlines()))
    if draws.number(2):
        store.delete(keys.run_events("shop", RUN))
    if draws.number(2):
        try:
            store.put(f"v1/runs/{draws.text(WORDS)}/{draws.text(WORDS)}/run.json", OBJECTS[_OF_A_RUN[-2]])
        except SolidstateError:
            pass
    return store


def _changed(draws: Draws, line: bytes) -> bytes:
    try:
        return msgspec.json.encode(draws.changed(msgspec.json.decode(line), _NAMES, json=True))
    except (UnicodeEncodeError, RecursionError, OverflowError, ValueError):
        return b"{}"


def check(data: bytes) -> None:
    store = store_of(data)
    history = LocalHistory(cast("Home", SimpleNamespace(store=store, root=Path("home"), is_running=len)))
    _shown(table([_run_row(run) for run in history.latest(None, 20).runs]))
    for wanted in (RUN, "last", "r", "\x1b[2J"):
        try:
            _show(history, wanted)
        except SolidstateError:
            continue
    try:
        durations_of(store, "shop", RUN)
    except SolidstateError:
        pass


def _show(history: LocalHistory, wanted: str) -> None:
    found = history.find(wanted)
    facts = history.facts(found)
    request = history.request(found)
    history.steps(found)
    run = facts.summary
    _shown([*run_lines(run, facts.events, all_steps=True, tracebacks=True), *request_lines(run), *why_lines(facts.why)])
    _shown(event_lines(facts.events))
    document: dict[str, Any] = {**summary_document(run, facts.events), "request": request}
    text = json_bytes(document).decode()
    assert all(char.isprintable() or char == "\n" for char in text)
    decode_events(b"".join(msgspec.json.encode(event) + b"\n" for event in facts.events))


def _shown(lines: list[Line]) -> None:
    assert all(char.isprintable() or char == "\n" for char in plain(lines))
