"""Runs in processes of their own: at the same time, interrupted, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from solidstate.events import kind_of
from solidstate.infra.home import Home
from solidstate.infra.local_run import ENGINES
from solidstate.storage.history import events_of, list_runs

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from pathlib import Path
from solidstate.infra.home import Home
from solidstate.infra.local_run import run_local
from tests.e2e.everything import REQUEST, everything, slow

name, engine, folder, run_id = sys.argv[1:]
pipeline, request = (everything, REQUEST) if name == "everything" else (slow, {})
try:
    summary = run_local(pipeline, request, engine=engine, home=Home(Path(folder)), run_id=run_id)
except KeyboardInterrupt:
    sys.exit(130)
print(summary.status)
"""


def started(name: str, engine: str, home: Path, run_id: str, mark: Path | None = None) -> subprocess.Popen[str]:
    """A run in another process; `mark` appears when the long step has begun."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **({"WAIT_MARK": str(mark)} if mark else {})}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, name, engine, str(home), run_id],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until_marked(process: subprocess.Popen[str], mark: Path) -> None:
    """Wait until the long step has begun."""
    deadline = time.monotonic() + 60
    while not (mark.exists() and mark.read_text() == "waiting"):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_two_runs_at_a_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    """In the same home, on servers of their own."""
    running = [started("everything", "moto", tmp_path, f"r-{number}") for number in range(2)]
    for process in running:
        out, err = process.communicate(timeout=120)
        assert (out, err, process.returncode) == ("failed\n", "", 0)
    first, second = list_runs(Home(tmp_path).store)
    assert {first.run, second.run} == {"r-0", "r-1"}
    assert [(s.step, s.status, s.outputs) for s in first.steps] == [(s.step, s.status, s.outputs) for s in second.steps]
    store = Home(tmp_path).store
    assert [kind_of(e) for e in events_of(store, first)] == [kind_of(e) for e in events_of(store, second)]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_signal_in_the_middle_cancels_the_run(engine: str, tmp_path: Path) -> None:
    """Ctrl-C: at once, without noise, with the finished step kept."""
    process = started("slow", engine, tmp_path / "home", "r", tmp_path / "mark")
    until_marked(process, tmp_path / "mark")
    time.sleep(0.3)  # on moto the quick step runs beside the long one
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == ("", "", 130)
    assert time.monotonic() - began < 10
    (summary,) = list_runs(Home(tmp_path / "home").store)
    assert summary.status == "cancelled"
    statuses = {step.step: step.status for step in summary.steps}
    assert (statuses["quick"], statuses["both"]) == ("success", "not reached")
    assert summary.message.startswith("The run was stopped; without a result: ")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_run_keeps_its_commits(engine: str, tmp_path: Path) -> None:
    """Nobody had the last word: it is listed as running, and what was done can be read."""
    process = started("slow", engine, tmp_path / "home", "r", tmp_path / "mark")
    until_marked(process, tmp_path / "mark")
    time.sleep(0.3)
    process.kill()
    process.communicate(timeout=30)
    store = Home(tmp_path / "home").store
    (summary,) = list_runs(store)
    assert summary.status == "running"
    events = [(event.step, kind_of(event)) for event in events_of(store, summary)]
    assert events == [("quick", "step_start"), ("quick", "step_output"), ("quick", "step_success")]
