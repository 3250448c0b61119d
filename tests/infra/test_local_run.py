"""Runs on this machine, on either engine: what they refuse, reuse, limit and keep."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from solidstate import Compute, RetryPolicy, pipeline, solid
from solidstate.errors import EngineError, RequestErrors, SolidstateError
from solidstate.events import ErrorInfo, StepStart
from solidstate.infra.home import Home
from solidstate.infra.local_run import ENGINES, Engine, run_local
from solidstate.pipeline import PipelineDefinition
from solidstate.storage import keys
from solidstate.storage.commits import decode_commit
from solidstate.storage.history import list_runs, record_of, summary_of
from solidstate.storage.records import RunSummary
from solidstate.storage.sink import INLINE_LIMIT

CALLS: list[str] = []
both_engines = pytest.mark.parametrize("engine", ENGINES)


@solid
def load(size: int = 3) -> bytes:
    CALLS.append("load")
    return b"x" * size


@solid
def measure(data: bytes) -> int:
    CALLS.append("measure")
    return len(data)


@solid
def write(context: Any, n: int) -> str:
    context.fs.pipe_file("solidstate-local/files/n.txt", str(n).encode())
    return str(context.fs.cat_file("solidstate-local/files/n.txt").decode())


@pipeline
def flow() -> None:
    write(measure(load()))


@pytest.fixture(autouse=True)
def _clean() -> None:
    CALLS.clear()


def run(
    engine: Engine, folder: Path, run_id: str = "r-1", definition: PipelineDefinition = flow, **document: Any
) -> RunSummary:
    """One run."""
    return run_local(definition, document, engine=engine, home=Home(folder), run_id=run_id)


def value(folder: Path, step: str, run_id: str) -> bytes:
    """A step's stored result."""
    key = keys.commit("flow", step, run_id)
    return decode_commit(Home(folder).store.get(key), key).outputs[0].inline or b""


@both_engines
def test_a_subset_reuses_the_results_of_an_earlier_run(engine: Engine, tmp_path: Path) -> None:
    """Large ones too, whichever engine made them; files go through `context.fs` on both."""
    large = {"load": {"inputs": {"size": INLINE_LIMIT + 5}}}
    assert run("inline", tmp_path, "first", solids=large).status == "success"
    CALLS.clear()
    summary = run(engine, tmp_path, "second", steps="measure*", from_run="first")
    assert {s.step: s.status for s in summary.steps} == {
        "load": "not selected",
        "measure": "success",
        "write": "success",
    }
    assert CALLS == ["measure"]
    assert value(tmp_path, "write", "second").endswith(str(INLINE_LIMIT + 5).encode())
    assert [found.run for found in list_runs(Home(tmp_path).store)] == ["second", "first"]


@both_engines
def test_what_cannot_be_reused_is_refused_before_anything_starts(engine: Engine, tmp_path: Path) -> None:
    """In the words of a wrong request, on both engines."""
    run("inline", tmp_path, "first", steps="load")
    CALLS.clear()
    with pytest.raises(RequestErrors, match="There is no run `none` of pipeline `flow` to take outputs from"):
        run(engine, tmp_path, "second", steps="write", from_run="none")
    with pytest.raises(RequestErrors, match="Run `first` has no result of `measure`, which the selected steps read"):
        run(engine, tmp_path, "second", steps="write", from_run="first")
    assert (CALLS, [found.run for found in list_runs(Home(tmp_path).store)]) == ([], ["first"])


@both_engines
def test_a_run_id_that_is_taken_is_refused_and_the_earlier_run_kept(engine: Engine, tmp_path: Path) -> None:
    """Its summary above all."""
    before = run("inline", tmp_path)
    with pytest.raises(SolidstateError) as caught:
        run(engine, tmp_path)
    assert str(caught.value) == (
        "There is already a run `r-1` of pipeline `flow`.\n  fix: choose another name for this run"
    )
    assert summary_of(Home(tmp_path).store, "flow", "r-1") == before


@both_engines
@pytest.mark.parametrize("run_id", ["../../escaped", "", "a/b", "x" * 81, "-x", "a b", "a\n"])
def test_a_run_id_that_is_no_name_is_refused_before_anything_is_written(
    engine: Engine, tmp_path: Path, run_id: str
) -> None:
    """It would be part of paths."""
    with pytest.raises(EngineError, match=r"^The run id .* cannot be used: expected a letter or digit, then letters"):
        run(engine, tmp_path / "home", run_id)
    assert list(tmp_path.iterdir()) == []


@both_engines
def test_a_wrong_request_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    """Not even the folder."""
    with pytest.raises(RequestErrors):
        run(engine, tmp_path / "home", mode="none")
    assert not (tmp_path / "home").exists()


@solid(compute=Compute(timeout_s=1), retry=RetryPolicy(max_attempts=3))
def endless(context: Any) -> int:
    assert context.remaining_time_s <= 1
    CALLS.append("endless")
    time.sleep(2.5)
    return 1


@solid(compute=Compute(timeout_s=60))
def patient() -> int:
    time.sleep(1.2)
    return 1


@pipeline
def limits() -> None:
    endless()
    patient()


def test_each_step_has_its_own_time_limit_on_moto(tmp_path: Path) -> None:
    """Reported as Lambda does; repeated once at most, whatever the policy, and only because there is one."""
    summary = run("moto", tmp_path, definition=limits)
    assert {s.step: s.status for s in summary.steps} == {"endless": "failed", "patient": "success"}
    assert summary.steps[0].error == ErrorInfo(
        type="Sandbox.Timedout",
        message="Task timed out after 1.00 seconds",
        hint="raise `Compute(timeout_s=...)` of solid `endless` (now 1), or split its work",
    )
    assert [(s.run, s.steps[0].status) for s in list_runs(Home(tmp_path).store)] == [("r-1", "failed")]
    assert CALLS == ["endless", "endless"]
    history = json.loads((Home(tmp_path).execution("r-1") / "history.json").read_text())
    failed = [e["lambdaFunctionFailedEventDetails"] for e in history if e["type"] == "LambdaFunctionFailed"]
    assert {e["error"] for e in failed[:2]} == {"Sandbox.Timedout"}
    assert json.loads(failed[0]["cause"])["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")


@solid
def interrupts() -> None:
    raise KeyboardInterrupt


@solid
def leaves() -> None:
    raise SystemExit(3)


@pipeline
def wild() -> None:
    interrupts()
    leaves()


def test_steps_that_try_to_end_the_process_fail_on_moto(tmp_path: Path) -> None:
    """A KeyboardInterrupt of user code is no Ctrl-C there: signals reach the main thread, steps run in others."""
    summary = run("moto", tmp_path, definition=wild)
    assert {s.step: (s.status, s.error and s.error.type) for s in summary.steps} == {
        "interrupts": ("failed", "KeyboardInterrupt"),
        "leaves": ("failed", "SystemExit"),
    }


@both_engines
def test_ctrl_c_leaves_a_cancelled_run_with_its_history(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done is kept, on moto with the execution, which was aborted."""
    home = Home(tmp_path)

    def press(event: Any) -> None:
        if engine == "inline" and isinstance(event, StepStart) and event.step == "measure":
            raise KeyboardInterrupt

    if engine == "moto":
        from solidstate.infra.local_aws import LocalAws

        def wait(self: LocalAws, *_: Any, **__: Any) -> Any:
            key = keys.commit("flow", "load", "r-1")
            while not home.store.exists(key):
                time.sleep(0.005)
            raise KeyboardInterrupt

        monkeypatch.setattr(LocalAws, "wait", wait)
    with pytest.raises(KeyboardInterrupt):
        run_local(flow, {}, engine=engine, home=home, run_id="r-1", observer=press)
    (summary,) = list_runs(home.store)
    assert (summary.status, summary.steps[0].status) == ("cancelled", "success")
    assert record_of(home.store, "flow", "r-1").engine == engine
    if engine == "moto":
        execution = json.loads((home.execution("r-1") / "execution.json").read_text())
        assert (execution["status"], execution["error"]) == ("ABORTED", "Cancelled")


def test_a_machine_that_breaks_down_is_told_with_its_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start run could not do its work: there is no run, and the reason is the service's own."""
    from solidstate.infra import local_run

    def refuse(runtime: Any) -> Any:
        def handler(event: Any, context: Any) -> Any:
            raise RuntimeError("no luck")

        return handler

    monkeypatch.setattr(local_run, "make_handler", refuse)
    with pytest.raises(EngineError, match=r"^The execution ended before the run began: RuntimeError: .*no luck"):
        run("moto", tmp_path)
    assert list_runs(Home(tmp_path).store) == []
