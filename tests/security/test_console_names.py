"""Hostile names in what somebody types into the Step Functions console: the name of an execution, and its input."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from solidstate.cli.render_events import event_lines
from solidstate.cli.text import plain
from solidstate.handler.entry import make_handler
from solidstate.handler.logs import StepLogger
from solidstate.handler.outcome import RunRefused
from solidstate.infra.inline import InlineInvocation
from solidstate.storage import keys
from solidstate.storage.history import events_of, find_run
from solidstate.storage.memory import MemoryStore
from tests.fuzz.pipelines import runtime
from tests.security.hostile import EVERY, NAMES, assert_harmless

READ = {"config": {"path": "p"}}
SOLIDS = {"read": READ, "again": READ}


def start(store: MemoryStore, name: str, document: Any) -> Any:
    """Start run, as a machine calls it; payload and answer go through JSON."""
    used = runtime(store)
    event = {"kind": "start", "pipeline": "shop", "plan": used.pipelines["shop"].hash, "execution": "arn:1"}
    event = json.loads(json.dumps({**event, "name": name, "input": document}))
    return json.loads(json.dumps(make_handler(used)(event, InlineInvocation(60))))


@EVERY
def test_any_execution_name_gives_a_harmless_run_id(name: str) -> None:
    """Step Functions allows nearly all of Unicode, and 80 characters; the run is found under an id of plain letters."""
    store = MemoryStore()
    if name == NAMES["surrogate"]:
        with pytest.raises(Exception, match="no state machine of solidstate sends"):
            start(store, name, {"mode": "local", "solids": SOLIDS})
        return
    run = start(store, name, {"mode": "local", "solids": SOLIDS})["run"]
    assert run["id"].isascii()
    assert run["id"].startswith("x-")
    assert len(run["id"]) <= 80
    written = [info.key for info in store.list("")]
    assert keys.run_record("shop", run["id"]) in written
    assert all(".." not in key.split("/") and key.isprintable() for key in written)
    assert find_run(store, run["id"]).run == run["id"]


@EVERY
@pytest.mark.parametrize(
    "place",
    ["mode", "preset", "steps", "from_run", "solid", "field", "resource", "section", "choice", "input", "secret"],
)
def test_hostile_input_is_refused_in_words(place: str, name: str) -> None:
    """The cause of the failed execution is short and steers nothing, wherever it is read; nothing is recorded."""
    base: dict[str, Any] = {"mode": "local", "solids": SOLIDS}
    documents: dict[str, Any] = {
        "mode": {**base, "mode": name},
        "preset": {**base, "preset": name},
        "steps": {**base, "steps": name},
        "from_run": {**base, "from_run": name},
        "solid": {**base, "solids": {name: {}}},
        "field": {**base, "solids": {**SOLIDS, "read": {"config": {"path": "p", name: name}}}},
        "resource": {**base, "resources": {name: {}}},
        "section": {**base, name: name},
        "choice": {**base, "solids": {**SOLIDS, "read": {"config": {"path": "p", "colour": name}}}},
        "input": {**base, "solids": {**SOLIDS, "add": {"inputs": {name: name}}}},
        "secret": {**base, "resources": {"database": {"config": {"password": {"env": name}}}}},
    }
    store = MemoryStore()
    with pytest.raises(RunRefused if name != NAMES["surrogate"] else Exception) as caught:
        start(store, "r1", documents[place])
    assert_harmless(str(caught.value))
    assert len(str(caught.value)) < 6_000
    assert list(store.list("")) == []


@EVERY
def test_values_stay_values(name: str) -> None:
    """A text in config, a tag and its key may be anything: they are recorded as they are, and shown escaped."""
    store = MemoryStore()
    document = {"mode": "local", "tags": {name: name}, "solids": {**SOLIDS, "read": {"config": {"path": name}}}}
    if name == NAMES["surrogate"]:
        with pytest.raises(Exception, match="no state machine of solidstate sends"):
            start(store, "r1", document)
        return
    run = start(store, "r1", document)["run"]
    assert run["request"]["solids"]["read"]["config"]["path"] == name
    assert find_run(store, "r1").tags[name] == name
    assert_harmless(plain(event_lines(list(events_of(store, find_run(store, "r1"))))))


@EVERY
def test_a_log_line_is_one_line(name: str) -> None:
    """Whatever message, fact or name of a fact: one JSON object, one line, in ASCII or escaped by JSON."""
    stream = io.StringIO()
    logger = StepLogger("solidstate", stream)
    try:
        logger.sink({"run": "r", "step": "s", "attempt": 1})("info", name, {name: [name], "k": {name: name}})
    finally:
        logger.close()
    text = stream.getvalue()
    assert text.endswith("}\n")
    assert len(text.splitlines()) == 1
    assert json.loads(text)["message"] == name
    text.encode()
