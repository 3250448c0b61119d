"""Large runs on the local AWS: they complete, each result is right, and the memory they take is bounded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from solidstate.handler.runtime import LoadedPipeline
from solidstate.infra.home import Home
from solidstate.infra.results import PipelineResult
from solidstate.planner.build import build_plan
from solidstate.storage.history import find_run
from tests.e2e import many

ROOT = Path(__file__).resolve().parents[2]
MB = 1_000_000
BOUND = 700 * MB
"""moto keeps the whole history of an execution in memory, 60 KB for each step or item, beside 200 MB to begin with."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc"),
]


RUN = """
import sys
from solidstate.cli.main import main
code = main(sys.argv[1:])
for line in open("/proc/self/status"):
    if line.startswith("VmHWM"):
        print(line.split()[1], file=sys.stderr)
sys.exit(code)
"""
"""A command that tells the most memory it has had, in KiB. What the kernel tells of a child includes its parent's."""


def run(name: str, home: Path) -> int:
    """Run a pipeline of ``many`` in a process of its own; gives the bytes of memory it had at most."""
    arguments = ["run", f"{many.__file__}:{name}", "--engine", "moto", "--home", str(home), "--run-id", "r", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stderr.splitlines()[-1]) * 1024


def result(name: str, home: Path) -> PipelineResult:
    definition = getattr(many, name)
    store = Home(home).store
    return PipelineResult(LoadedPipeline(definition, build_plan(definition)), store, find_run(store, "r"))


def test_two_thousand_steps(tmp_path: Path) -> None:
    """Twenty chains of a hundred steps, in more than one machine; the ends of all have counted their steps."""
    peak = run("long_rope", tmp_path)
    done = result("long_rope", tmp_path)
    assert (done.success, len(done.summary.steps)) == (True, many.STEPS)
    ends = range(many.STEPS - many.WIDTH, many.STEPS)
    assert {number: done.output_value(f"s{number}") for number in ends} == {
        number: 1 + -(-number // many.WIDTH) for number in ends
    }
    print(f"{many.STEPS:,} steps in {done.summary.duration_s:.0f} s, at most {peak / MB:.0f} MB")
    assert peak < BOUND


def test_a_map_of_five_thousand_items(tmp_path: Path) -> None:
    """A distributed Map: each item has its commit, and what gathers them has all."""
    peak = run("crowd", tmp_path)
    done = result("crowd", tmp_path)
    assert done.success
    assert done.output_value("gather") == sum(2 * number for number in range(many.ITEMS))
    commits = list(Home(tmp_path).store.list("v1/commits/crowd/double/"))
    assert len(commits) == many.ITEMS
    print(f"{many.ITEMS:,} items in {done.summary.duration_s:.0f} s, at most {peak / MB:.0f} MB")
    assert peak < BOUND
