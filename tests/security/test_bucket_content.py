"""What somebody else has written into the bucket, forged, damaged or hostile: refused in words, or shown escaped."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from solidstate import pipeline, solid
from solidstate.cli.history_commands import _run_row
from solidstate.cli.text import plain, table
from solidstate.errors import IntermediateError, RunNotFound, SolidstateError, StorageError
from solidstate.infra.home import Home
from solidstate.infra.run_history import LocalHistory
from solidstate.storage import keys
from solidstate.storage.commits import Commit, CommittedOutput, decode_commit, encode_commit
from solidstate.storage.folder import FolderStore
from solidstate.storage.history import events_of, find_run, list_runs, record_of, run_ids
from solidstate.storage.memory import MemoryStore
from solidstate.storage.store import ObjectStore
from tests.cli.project import Project
from tests.fuzz.run_records import OBJECTS
from tests.handler.conftest import Bench
from tests.security.hostile import DAMAGED, EVERY, NAMES, assert_harmless

RECORD, SUMMARY = keys.run_record("shop", "r1"), keys.run_summary("shop", "r1")
EVENTS = keys.run_events("shop", "r1")


@solid
def number() -> int:
    return 1


@solid
def reads(value: int) -> int:
    return value


@pipeline
def pair() -> None:
    reads(number())


def filled(store: ObjectStore) -> ObjectStore:
    """The objects of one real run."""
    for key, body in OBJECTS.items():
        store.put(key, body)
    return store


def everywhere(document: Any, name: str) -> Any:
    """A document with ``name`` in the place of every text that is free, as key and as value."""
    kept = {"status", "kind", "run", "pipeline", "plan", "level", "severity", "on"}
    if isinstance(document, dict):
        return {key: value if key in kept else everywhere(value, name) for key, value in document.items()} | (
            {name: name} if "metadata" not in document and set(document) <= {"owner", "team"} else {}
        )
    if isinstance(document, list):
        return [everywhere(one, name) for one in document]
    return name if isinstance(document, str) else document


@EVERY
def test_hostile_text_in_records_and_events_is_shown_escaped(project: Project, home: Path, name: str) -> None:
    """By every command that reads runs, as text and as JSON."""
    store = filled(Home(home).store)
    if name == NAMES["surrogate"]:
        store.put(EVENTS, b'{"kind":"engine","message":"\\ud800"}\n')  # as JSON can spell it
        ran = project.run("events", "r1")
        assert ran.code == 1
        assert_harmless(ran.err)
        return
    for key in (RECORD, SUMMARY, EVENTS):
        lines = [msgspec.json.encode(everywhere(msgspec.json.decode(one), name)) for one in OBJECTS[key].splitlines()]
        store.put(key, b"\n".join(lines) + b"\n")
    for command in (["runs"], ["show", "r1"], ["events", "r1"]):
        for arguments in (command, [*command, "--json"]):
            ran = project.run(*arguments)
            assert "broke down" not in ran.err
            assert (arguments, ran.code) == (arguments, 1 if command == ["show", "r1"] and ran.code else 0)
            assert_harmless(ran.out)
            assert_harmless(ran.err)


@EVERY
@pytest.mark.parametrize("field", ["run", "pipeline"])
@pytest.mark.parametrize("key", [RECORD, SUMMARY], ids=["run.json", "summary.json"])
def test_a_record_of_another_run_is_refused(key: str, field: str, name: str) -> None:
    """Folders and further keys are made of what records say, so they must say what their key says."""
    store = filled(MemoryStore())
    if name == NAMES["surrogate"]:
        pytest.skip("no object can hold it")
    if key == RECORD:
        store.delete(SUMMARY)
    store.put(key, msgspec.json.encode({**msgspec.json.decode(OBJECTS[key]), field: name}))
    with pytest.raises(IntermediateError) as caught:
        find_run(store, "r1")
    assert_harmless(str(caught.value))
    assert len(str(caught.value)) < 500
    (run,) = list_runs(store)
    assert (run.status, run.run, run.pipeline) == ("interrupted", "r1", "shop")
    assert_harmless(plain(table([_run_row(run)])))


def test_the_refusal_in_full() -> None:
    """It says which object, what it tells, and what to do."""
    store = filled(MemoryStore())
    store.put(SUMMARY, OBJECTS[SUMMARY].replace(b'"run":"r1"', b'"run":"../r2"'))
    with pytest.raises(IntermediateError) as caught:
        find_run(store, "r1")
    assert str(caught.value) == (
        "The object `v1/runs/shop/r1/summary.json` tells of run `../r2` of pipeline `shop`.\n"
        "  fix: something else wrote there; restore the object's earlier version"
    )


@EVERY
def test_keys_that_others_chose_hide_no_run(tmp_path: Path, name: str) -> None:
    """Where a store holds such a key at all, it is no run; the runs beside it are found as before."""
    for store in (MemoryStore(), FolderStore(tmp_path / "store")):
        filled(store)
        for key in (f"v1/runs/{name}/r1/run.json", f"v1/runs/shop/{name}/run.json", f"v1/runs/{name}/run.json"):
            try:
                store.put(key, OBJECTS[RECORD])
            except StorageError:
                continue
        assert [run.run for run in list_runs(store)] == ["r1"]
        assert run_ids(store) == [("shop", "r1")]
        assert find_run(store, "last").run == "r1"
        with pytest.raises(RunNotFound) as caught:
            find_run(store, f"no-{name}")
        assert caught.value.subject == f"no-{name}"
    assert not (tmp_path / "etc").exists()


@pytest.mark.parametrize(
    "request_",
    [
        {"steps": "all"},
        {"steps": [1]},
        {"from_run": ["r0"]},
        {"solids": []},
        {"solids": {"read": []}},
        {"resources": {"database": 1}},
    ],
    ids=str,
)
def test_a_recorded_request_of_another_shape_is_refused(request_: Any) -> None:
    """Steps and End run read it from there when it is too large to travel."""
    store = filled(MemoryStore())
    store.put(RECORD, msgspec.json.encode({**msgspec.json.decode(OBJECTS[RECORD]), "request": request_}))
    with pytest.raises(IntermediateError, match="is not a run record: "):
        record_of(store, "shop", "r1")


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", DEEP, b'{"steps":' + DEEP + b"}", b"null", b"1" * 5_000])
def test_damaged_records_are_errors_in_words(body: bytes) -> None:
    """Nothing, no UTF-8, nesting without end, a number without end."""
    for key in OBJECTS:
        store = filled(MemoryStore())
        store.put(key, body)
        store.put("v1/commits/shop/read/r1.ndjson", OBJECTS["v1/commits/shop/read/r1.ndjson"] + body)
        if key == EVENTS:
            store.delete(EVENTS)
        history = LocalHistory(_home(store))
        said = "is not a"
        try:
            run = history.find("r1")
            history.facts(run)
            history.request(run)
            history.steps(run)
            list(events_of(store, run))
        except SolidstateError as error:
            said = str(error)
        assert any(words in said for words in ("cannot be read", "is not a", "does not hold"))


def _home(store: ObjectStore) -> Any:
    class Fake:
        root = Path("home")

    Fake.store = store  # type: ignore[attr-defined]  # as Home has it
    return Fake


def _commit(**changes: Any) -> bytes:
    body = msgspec.msgpack.encode(1)
    made = CommittedOutput("result", "int", "msgpack", len(body), hashlib.sha256(body).hexdigest(), inline=body)
    fields: dict[str, Any] = {"run": "run-1", "pipeline": "pair", "step": "number", "attempt": 1, "attempt_id": "001-a"}
    fields |= {"fingerprint": "f", "status": "success", "outputs": [made]} | changes
    return encode_commit(Commit(**fields), [])


@EVERY
def test_a_commit_that_names_hostile_things_is_refused(tmp_path: Path, name: str) -> None:
    """Another step, run or item; an unknown format; a value under a key that leads elsewhere."""
    if name == NAMES["surrogate"]:
        pytest.skip("no object can hold it")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_bytes(b"\x01")
    elsewhere = CommittedOutput("result", "int", "msgpack", 1, hashlib.sha256(b"\x01").hexdigest(), key=name)
    unknown = CommittedOutput("result", "int", name, 1, hashlib.sha256(b"\x01").hexdigest(), inline=b"\x01")
    for forged in (
        _commit(step=name),
        _commit(run=name),
        _commit(item=name),
        _commit(outputs=[elsewhere]),
        _commit(outputs=[unknown]),
    ):
        run = Bench(pair, store=FolderStore(tmp_path / "store" / "inner"))
        run.store.put(run.key("number"), forged)
        failed = run.fails("reads")
        assert failed.error.type in DAMAGED or "cannot be used" in failed.error.message
        run.store.delete(run.key("number"))
        run.store.delete(keys.run_record("pair", "run-1"))
        run.store.delete(keys.commit("pair", "reads", "run-1"))


def test_items_are_where_they_should_be() -> None:
    """A commit whose items stand in its header, or whose lines are none, is none: what reads an item alone, and what
    reads them all, must find the same."""
    item = CommittedOutput("found", "int", "msgpack", 1, "0" * 64, inline=b"\x01", item="a")
    whole = _commit(outputs=[item])
    assert [out.item for out in decode_commit(whole, "k").outputs] == ["a"]
    header, line = whole.splitlines()
    inside = msgspec.json.encode({**msgspec.json.decode(header), "outputs": [msgspec.json.decode(line)]})
    split = line.replace(b",", b",\n")
    nameless = msgspec.json.encode({**msgspec.json.decode(line), "item": ""})
    for body in (inside, header + b"\n" + split, header + b"\n" + nameless, header + b"\n\n" + line, header + b"\n{}"):
        with pytest.raises(IntermediateError, match="is not a commit: "):
            decode_commit(body + b"\n", "k")
