"""Pickles that run code when they are read, at every place where something is read from a bucket or a folder."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from solidstate import Out, SolidType, pipeline, solid
from solidstate.errors import IntermediateError, SolidstateError
from solidstate.handler.outcome import AttemptFailed
from solidstate.infra.home import Home
from solidstate.infra.local_run import run_local
from solidstate.storage import keys
from solidstate.storage.codecs import codec_named
from solidstate.storage.commits import decode_commit, decode_commit_events, encode_commit
from solidstate.storage.memory import MemoryStore
from solidstate.storage.store import ObjectStore
from solidstate.testing import replay_step
from tests.cli.project import Project
from tests.handler.conftest import Bench
from tests.security.hostile import DAMAGED

Blob = SolidType("Blob", python=bytes, codec="pickle")


class Payload:
    """What is unpickled creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """Where the file would be. It is not there, unless the test says that it has to be."""
    path = tmp_path / "owned"
    yield path
    assert not path.exists() or path.with_name("expected").exists()


@solid
def number() -> int:
    return 1


@solid(outs={"result": Out(Blob)})
def blob() -> bytes:
    return b"1"


@solid
def reads(value: int) -> int:
    return value


@solid
def reads_blob(value: bytes) -> int:
    return len(value)


@pipeline
def typed() -> None:
    reads(number())


@pipeline
def opted_in() -> None:
    reads_blob(blob())


def forge(store: ObjectStore, name: str, step: str, body: bytes, codec: str, *, honest: bool = True) -> None:
    """The result of a step as a bucket writer can make it: any bytes, in any format, with or without their hash."""
    key = keys.commit(name, step, "run-1")
    old = store.get(key)
    commit = decode_commit(old, key)
    digest = hashlib.sha256(body).hexdigest() if honest else commit.outputs[0].sha256
    output = msgspec.structs.replace(
        commit.outputs[0], codec=codec, inline=body, size=len(body), sha256=digest, key=None
    )
    events = decode_commit_events(old, key)
    store.put(key, encode_commit(msgspec.structs.replace(commit, outputs=[output]), events))


def test_the_payload_works(mark: Path) -> None:
    """Whoever unpickles it runs it: the other tests can fail."""
    pickle.loads(pickle.dumps(Payload(mark)))  # noqa: S301 - that is the point
    assert mark.exists()
    mark.with_name("expected").touch()


@pytest.mark.parametrize("codec", ["pickle", "plain", "msgpack", "npy", "arrow/pandas", "parquet/pandas", "bytes"])
def test_a_type_that_did_not_ask_for_it_is_never_unpickled(mark: Path, codec: str) -> None:
    """Whatever the commit says of the format, and although the hash is right: the step refuses its input."""
    run = Bench(typed)
    run.step("number")
    forge(run.store, "typed", "number", pickle.dumps(Payload(mark)), codec)
    failed = run.fails("reads")
    assert failed.error.type in {*DAMAGED, "Refused"}


def test_the_hash_comes_first(mark: Path) -> None:
    """Where a type asks for pickle, bytes that are not those of the commit are not read."""
    run = Bench(opted_in)
    run.step("blob")
    forge(run.store, "opted_in", "blob", pickle.dumps(Payload(mark)), "pickle", honest=False)
    another = Bench(opted_in, store=run.store, run="other")  # a process that has not written the commit itself
    another.run = run.run
    assert "is damaged" in another.fails("reads_blob").error.message


def test_whoever_can_write_both_runs_code_where_a_type_asks_for_pickle(mark: Path) -> None:
    """What opting in means, and SECURITY.md says: a bucket writer who makes the hash fit, too, is believed."""
    run = Bench(opted_in)
    run.step("blob")
    forge(run.store, "opted_in", "blob", pickle.dumps(Payload(mark)), "pickle")
    with pytest.raises(AttemptFailed):
        run.step("reads_blob")
    assert mark.exists()
    mark.with_name("expected").touch()


def test_replay_reads_none_unless_told(mark: Path, tmp_path: Path) -> None:
    """A tool on a developer's machine: the bucket's writers are not its user."""
    home = Home(tmp_path / "home")
    run_local(opted_in, {}, home=home, run_id="run-1", engine="inline")
    assert replay_step(opted_in, "reads_blob", "run-1", home=home, allow_pickle=True).output() == 1
    forge(home.store, "opted_in", "blob", pickle.dumps(Payload(mark)), "pickle")
    with pytest.raises(SolidstateError) as caught:
        replay_step(opted_in, "reads_blob", "run-1", home=home)
    assert str(caught.value.__cause__) == (
        "Output `result` of `blob` is stored as a pickle, which is not read here, because reading it could run any "
        "code.\n  fix: pass `allow_pickle=True`, if you trust all who can write where it is stored"
    )


READERS = [
    ["runs"],
    ["runs", "--json"],
    ["show", "run-1"],
    ["show", "run-1", "--json"],
    ["events", "run-1"],
    ["plan", "words.py", "--durations", "run-1"],
    ["run", "words.py", "--engine", "inline", "--preset", "sample", "--from-run", "run-1", "--steps", "count"],
]


@pytest.mark.parametrize("pattern", ["run.json", "summary.json", "events.ndjson", "v1/plans/", "v1/commits/", "v1/"])
def test_no_command_unpickles(words: Project, mark: Path, pattern: str) -> None:
    """With pickles in the place of records, plans, commits, or of all there is, commands answer in words."""
    assert words.run("run", "words.py", "--engine", "inline", "--preset", "sample", "--run-id", "run-1").code == 0
    store = Home(Path(os.environ["SOLIDSTATE_HOME"])).store
    replaced = [info.key for info in store.list("") if pattern in info.key]
    assert replaced
    for key in replaced:
        store.put(key, pickle.dumps(Payload(mark)))
    for command in READERS:
        ran = words.run(*command)
        assert "broke down" not in ran.err
        assert ran.code in (0, 1, 2)


@pytest.mark.parametrize("pattern", ["run.json", "v1/plans/", "v1/commits/"])
def test_end_run_does_not_unpickle(mark: Path, pattern: str) -> None:
    """Nor does what follows the steps of a run; what it cannot read it refuses, or reports."""
    run = Bench(typed).all()
    for info in list(run.store.list("")):
        if pattern in info.key:
            run.store.put(info.key, pickle.dumps(Payload(mark)))
    said = "is not a"
    try:
        run.close()
    except IntermediateError as error:
        said = error.problem
    assert "is not a" in said


def test_arrays_of_objects_are_refused(mark: Path) -> None:
    """The format of numpy holds pickles where the dtype is object: refused by its header, before a byte is read."""
    body = io.BytesIO()
    np.save(body, np.array([Payload(mark)], dtype=object), allow_pickle=True)
    with pytest.raises(IntermediateError) as caught:
        codec_named("npy").decode(body.getvalue())
    assert caught.value.problem.startswith("The stored bytes are not `npy`: ")


@pytest.mark.parametrize("codec", ["arrow/pyarrow", "arrow/pandas", "arrow/polars"])
def test_metadata_of_frames_is_not_unpickled(mark: Path, codec: str) -> None:
    """Old releases of pyarrow named types of Python in a field's metadata, by a pickle."""
    metadata = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": pickle.dumps(Payload(mark)),
    }
    schema = pa.schema([pa.field("x", pa.int64(), metadata=metadata)], metadata={"pandas": "{}"})
    body = io.BytesIO()
    with pa.ipc.new_stream(body, schema) as writer:
        writer.write_table(pa.table({"x": [1]}, schema=schema))
    try:
        codec_named(codec).decode(body.getvalue())
    except IntermediateError:
        pass


def test_a_store_of_pickles_only(mark: Path) -> None:
    """Start run, over a bucket that somebody has filled before: the records that are there are refused."""
    store = MemoryStore()
    store.put(keys.run_record("typed", "run-1"), pickle.dumps(Payload(mark)))
    with pytest.raises(IntermediateError, match="is not a run record"):
        Bench(typed, store=store)
