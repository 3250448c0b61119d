"""Intermediates, files and the history of runs: 2019's system storage and what stands in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solidstate import Out, Output, PipelineDefinition, execute_pipeline, solid
from solidstate.errors import MissingObject, SolidstateError, TruncatedIntermediate
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.handler.start import begin
from solidstate.handler.step import run_step
from solidstate.infra.home import Home
from solidstate.infra.inline import InlineInvocation, run_inline
from solidstate.infra.local_run import run_local
from solidstate.planner.build import build_plan
from solidstate.planner.contract import StepPayload
from solidstate.storage import keys
from solidstate.storage.commits import decode_commit
from solidstate.storage.folder import FolderStore
from solidstate.storage.history import events_of, list_runs, record_of, summary_of
from solidstate.storage.memory import MemoryStore
from solidstate.storage.store import ObjectStore
from tests.parity.running import built, failed, run

BIG = "x" * 2_000_000


@solid
def one() -> int:
    return 1


@solid
def show(number: int) -> int:
    return number


@solid
def large() -> str:
    return BIG


@solid
def size(text: str) -> int:
    return len(text)


@pytest.fixture(params=["memory", "filesystem"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """The two storages of 2019; S3 is a third (tests/storage/test_store.py)."""
    return MemoryStore() if request.param == "memory" else FolderStore(tmp_path)


def stored(store: ObjectStore, definition: PipelineDefinition, run_id: str = "r1") -> LoadedPipeline:
    """A run that left its objects in the store."""
    loaded = LoadedPipeline(definition, build_plan(definition))
    run_inline(Runtime([loaded], store, engine="inline", open_fs=lambda: None), loaded, {}, run_id)
    return loaded


def pair() -> None:
    show(one())


def test_intermediates_go_through_the_store(store: ObjectStore) -> None:
    """Every output is stored before it is read: in memory and in files alike."""
    stored(store, built(pair))
    summary = summary_of(store, "p", "r1")
    assert [(step.step, step.status) for step in summary.steps] == [("one", "success"), ("show", "success")]
    commit = decode_commit(store.get(keys.commit("p", "one", "r1")), "commit")
    assert [out.name for out in commit.outputs] == ["result"]


def test_intermediates_are_keyed_by_step_and_output(store: ObjectStore) -> None:
    """Run, step and output lead to a value; 2019 put the run first, here the step is, for policies by prefix."""

    def body() -> None:
        size(large())

    stored(store, built(body))
    (data,) = [info.key for info in store.list(keys.data_prefix("p", "large", "r1"))]
    assert (data.split("/")[:5], data.split("/")[6]) == (["v1", "data", "p", "large", "r1"], "result")


def test_an_intermediate_is_never_overwritten(store: ObjectStore) -> None:
    """2019 replaced it with a warning; here the first result of a step in a run stays, however often it is invoked."""
    calls: list[int] = []

    @solid
    def count() -> int:
        calls.append(1)
        return len(calls)

    definition = built(count)
    loaded = LoadedPipeline(definition, build_plan(definition))
    runtime = Runtime([loaded], store, engine="inline", open_fs=lambda: None)
    payload = StepPayload("count", begin(runtime, loaded, {}, "r1", ""), 0, None)
    run_step(runtime, payload, InlineInvocation(900), answer=False)
    first = store.get(keys.commit("p", "count", "r1"))
    run_step(runtime, payload, InlineInvocation(900), answer=False)
    assert store.get(keys.commit("p", "count", "r1")) == first


def test_a_missing_intermediate(store: ObjectStore) -> None:
    """Reading what is not there is an error that names it."""
    with pytest.raises(MissingObject, match=r"v1/commits/p/gone/r1\.ndjson"):
        store.get(keys.commit("p", "gone", "r1"))


def test_has_get_set_and_rm(store: ObjectStore) -> None:
    """The verbs of 2019's `ObjectStore`."""
    assert not store.exists("a/b")
    assert store.put("a/b", b"1")
    assert (store.exists("a/b"), store.get("a/b"), [info.key for info in store.list("a/")]) == (True, b"1", ["a/b"])
    store.delete("a/b")
    assert not store.exists("a/b")


def test_runs_do_not_see_each_other(store: ObjectStore) -> None:
    """Each run has intermediates of its own."""
    definition = built(pair)
    stored(store, definition, "r1")
    stored(store, definition, "r2")
    assert {summary.run for summary in list_runs(store, "p")} == {"r1", "r2"}
    assert store.exists(keys.commit("p", "one", "r1"))
    assert store.exists(keys.commit("p", "one", "r2"))


def test_a_run_is_on_record(store: ObjectStore) -> None:
    """Run id, pipeline, mode, time; beside the intermediates, where 2019 kept it on the local disk only."""
    stored(store, built(pair))
    record = record_of(store, "p", "r1")
    assert (record.run, record.pipeline, record.mode, record.started_at > 0) == ("r1", "p", "default", True)


def test_events_of_a_run_are_kept(store: ObjectStore) -> None:
    """All of them can be read when it has ended."""
    stored(store, built(pair))
    assert len(list(events_of(store, summary_of(store, "p", "r1")))) == 9


def test_a_run_id_is_used_once(tmp_path: Path) -> None:
    """A second run of the same id is refused before anything is written."""
    home = Home(tmp_path)
    run_local(built(pair), {}, engine="inline", home=home, run_id="r1")
    with pytest.raises(SolidstateError) as caught:
        run_local(built(pair), {}, engine="inline", home=home, run_id="r1")
    assert str(caught.value) == (
        "There is already a run `r1` of pipeline `p`.\n  fix: choose another name for this run"
    )


def test_in_memory_is_the_default() -> None:
    """`execute_pipeline` leaves nothing behind and needs no configuration."""
    assert run(pair).output("show") == 1


def test_a_value_is_a_copy() -> None:
    """As between processes: who changes an input changes nobody else's."""

    @solid
    def rows() -> list[int]:
        return [1]

    @solid
    def spoil(rows: list[int]) -> list[int]:
        rows.append(2)
        return rows

    def body() -> None:
        made = rows()
        spoil.alias("first")(made)
        spoil.alias("second")(made)

    result = run(body)
    assert (result.output("first"), result.output("second"), result.output("rows")) == ([1, 2], [1, 2], [1])


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 2.5, "text", b"bytes", [1, "a"], {"a": [1]}, (1, 2), {1, 2}],
    ids=lambda value: type(value).__name__,
)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    """Without pickle, which was 2019's default."""
    made: Any = solid(name="make")(lambda: value)
    found = run(made).output("make")
    assert (type(found), found) == (type(value), value)


def test_what_cannot_be_stored_fails_the_step() -> None:
    """Also in memory, where 2019 let it pass until somebody used another storage."""
    made: Any = solid(name="make")(lambda: lambda: 1)
    assert failed(run(made), "make") == (
        "Output `result` of `make` cannot be stored: `function` has no self-describing storage format."
    )


def test_an_intermediate_that_was_damaged(store: ObjectStore) -> None:
    """Is told apart from one that is there: 2019 would unpickle whatever it found."""

    def body() -> None:
        size(large())

    loaded = stored(store, built(body))
    (data,) = [info.key for info in store.list(keys.data_prefix("p", "large", "r1"))]
    store.delete(data)
    store.put(data, b"y" * len(BIG))
    runtime = Runtime([loaded], store, engine="inline", open_fs=lambda: None)
    summary = run_inline(runtime, loaded, {"steps": "size", "from_run": "r1"}, "r2")
    error = next(step.error for step in summary.steps if step.step == "size")
    assert error is not None
    assert error.type == TruncatedIntermediate.__name__


def test_files_are_shared_by_the_steps_of_a_run() -> None:
    """`context.file_manager` is a file system: what one step writes another reads by its path."""

    @solid
    def write(context: Any) -> str:
        context.fs.pipe("bucket/report.txt", b"lines")
        return "bucket/report.txt"

    @solid
    def read(context: Any, path: str) -> bytes:
        found: bytes = context.fs.cat(path)
        return found

    assert run(lambda: read(write())).output("read") == b"lines"


def test_a_shared_file_is_copied_to_a_local_one(tmp_path: Path) -> None:
    """`copy_handle_to_local_temp`: for libraries that want a path."""
    local = tmp_path / "copy.txt"

    @solid
    def copy(context: Any) -> None:
        context.fs.pipe("bucket/lines.txt", b"lines")
        context.fs.get("bucket/lines.txt", str(local))

    assert run(copy).success
    assert local.read_bytes() == b"lines"


def test_a_file_is_streamed() -> None:
    """`FileHandle` opened for reading and writing."""

    @solid
    def copy(context: Any) -> list[str]:
        with context.fs.open("bucket/a", "wb") as file:
            file.write(b"one\ntwo\n")
        with context.fs.open("bucket/a", "rb") as file:
            return [line.decode().strip() for line in file]

    assert run(copy).output("copy") == ["one", "two"]


def test_an_output_that_was_not_yielded_is_not_stored() -> None:
    """And asking for it says so."""

    def body() -> Any:
        yield Output(1, "there")

    made: Any = solid(name="make", outs={"there": Out(int), "gone": Out(int, optional=True)})(body)
    result = execute_pipeline(built(made))
    assert result.output("make", "there") == 1
    with pytest.raises(SolidstateError, match=r"^`make` has no output `gone` in this run\.$"):
        result.output("make", "gone")
