"""Start run: the gate between a raw document and a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from solidstate import pipeline, solid
from solidstate.errors import RequestErrors, SolidstateError, StorageUnavailable
from solidstate.handler.outcome import MAX_CAUSE, RunRefused
from solidstate.handler.start import begin, start_run
from solidstate.planner.contract import MAX_INLINE_REQUEST_BYTES, StartPayload
from solidstate.request import resolve_request
from solidstate.storage import keys
from solidstate.storage.history import record_of
from solidstate.storage.memory import MemoryStore

if TYPE_CHECKING:
    from tests.handler.conftest import Bench


class LoadConfig(msgspec.Struct):
    text: str = ""


@solid
def load(config: LoadConfig) -> int:
    return len(config.text)


@solid
def double(n: int) -> int:
    return 2 * n


@pipeline(tags={"team": "ops"})
def flow() -> None:
    double(load())


def payload(run: Bench, document: Any, name: str = "run-2", execution: str = "arn:2") -> StartPayload:
    """What the machine sends first."""
    return StartPayload("flow", run.loaded.hash, execution, name, document)


def test_the_record_says_who_started_what(bench: type[Bench]) -> None:
    """Written once, with the validated request; the plan is kept beside it."""
    run = bench(flow, {"solids": {"load": {"config": {"text": "abc"}}}, "tags": {"owner": "me"}})
    record = record_of(run.store, "flow", "run-1")
    assert (record.mode, record.plan, record.execution, record.engine) == (
        "default",
        run.loaded.hash,
        "arn:run-1",
        "test",
    )
    assert record.request == {"solids": {"load": {"config": {"text": "abc"}}}}
    assert record.tags == {"team": "ops", "owner": "me"}
    assert run.store.exists(keys.plan("flow", run.loaded.hash))
    assert [event.run for event in run.seen] == ["run-1"]


def test_a_repeated_start_of_one_execution_finds_its_own_record(bench: type[Bench]) -> None:
    """Lambda may be asked twice; the answer is the same."""
    run = bench(flow)
    assert start_run(run.runtime, payload(run, {})) == start_run(run.runtime, payload(run, {}))


@pytest.mark.parametrize("execution", ["arn:other", ""])
def test_a_name_that_is_taken_is_refused(bench: type[Bench], execution: str) -> None:
    """By another execution, or by a run that has none; the earlier record stays."""
    run = bench(flow)
    with pytest.raises(SolidstateError) as caught:
        begin(run.runtime, run.loaded, {}, "run-1", execution)
    assert str(caught.value) == (
        "There is already a run `run-1` of pipeline `flow`.\n  fix: choose another name for this run"
    )
    assert record_of(run.store, "flow", "run-1").execution == "arn:run-1"


def test_the_refusal_is_the_local_text(bench: type[Bench]) -> None:
    """Byte for byte, with every error; nothing is written."""
    run = bench(flow)
    document = {"solids": {"lod": {}, "load": {"config": {"text": 3}}}, "mode": "prod"}
    with pytest.raises(RequestErrors) as local:
        resolve_request(flow, document)
    with pytest.raises(RunRefused) as deployed:
        start_run(run.runtime, payload(run, document))
    assert str(deployed.value) == str(local.value)
    assert not run.store.exists(keys.run_record("flow", "run-2"))


def test_a_refusal_always_fits_into_a_cause(bench: type[Bench]) -> None:
    """Thousands of errors with characters that JSON writes long."""
    run = bench(flow)
    document: dict[str, Any] = {"solids": {f'"\u00e9\u4e2d{number}"': {} for number in range(3000)}}
    with pytest.raises(RunRefused) as refused:
        start_run(run.runtime, payload(run, document))
    assert MAX_CAUSE - 20 < len(json.dumps(str(refused.value))) <= MAX_CAUSE
    assert str(refused.value).startswith("Run request for pipeline `flow`: 3000 errors")


def test_a_store_that_does_not_answer_is_not_a_wrong_request(bench: type[Bench]) -> None:
    """The state machine repeats it as it repeats service errors."""

    class Down(MemoryStore):
        """Takes nothing any more."""

        down = False

        def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
            if self.down:
                raise StorageUnavailable("`s3` did not answer.")
            return super().put(key, body, if_absent=if_absent)

    store = Down()
    run = bench(flow, store=store)
    store.down = True
    with pytest.raises(StorageUnavailable):
        start_run(run.runtime, payload(run, {}))


def test_a_large_request_stays_in_the_record(bench: type[Bench]) -> None:
    """The handle that travels through the machine stays small; each step reads the rest with one more GET."""
    text = "x" * MAX_INLINE_REQUEST_BYTES
    run = bench(flow, {"solids": {"load": {"config": {"text": text}}}, "steps": "load"})
    assert len(msgspec.json.encode(run.run)) < 500
    assert (run.run.request, run.run.steps) == (None, None)
    run.step("load")
    assert run.commit("load").outputs[0].inline == msgspec.msgpack.encode(len(text))
    assert run.step("double").status == "not selected"
    assert [step.status for step in run.close().steps] == ["success", "not selected"]


def test_a_run_to_reuse_must_be_there_and_have_what_is_read(bench: type[Bench]) -> None:
    """Said before anything starts, in the form of every other error of a request."""
    run = bench(flow)

    def refused(earlier: str) -> str:
        with pytest.raises(RequestErrors) as caught:
            begin(run.runtime, run.loaded, {"steps": "double", "from_run": earlier}, "run-2", "")
        return str(caught.value)

    assert refused("nope") == (
        "Run request for pipeline `flow`: There is no run `nope` of pipeline `flow` to take outputs from.\n"
        "  at: from_run\n  fix: `solidstate runs` lists them"
    )
    assert refused("run-1") == (
        "Run request for pipeline `flow`: Run `run-1` has no result of `load`, which the selected steps read.\n"
        "  at: from_run\n  fix: select `load` too, or reuse a run in which it ran"
    )
    run.step("load")
    assert begin(run.runtime, run.loaded, {"steps": "double", "from_run": "run-1"}, "run-2", "").from_run == "run-1"


def test_selected_steps_read_the_earlier_run(bench: type[Bench]) -> None:
    """And when its result is gone meanwhile, the step is refused instead of skipped."""
    first = bench(flow, {"solids": {"load": {"config": {"text": "abc"}}}})
    first.step("load")
    second = bench(flow, {"steps": "double", "from_run": "run-1"}, store=first.store, run="run-2")
    assert second.step("double").status == "success"
    assert second.commit("double").outputs[0].inline == b"\x06"
    third = bench(flow, {"steps": "double", "from_run": "run-1"}, store=first.store, run="run-3")
    first.store.delete(first.key("load"))
    failed = third.fails("double")
    assert (failed.error.message, failed.error.hint) == (
        "Run `run-1` has no result of `load`, needed by `double`.",
        "select `load` too, or reuse a run in which it succeeded",
    )
    assert third.close().status == "failed"
