"""The plugin in a project of somebody else's: nothing to configure, nothing imported early, workers of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PIPELINE = '''\
"""A pipeline of somebody."""

from solidstate import RetryPolicy, pipeline, solid


@solid
def numbers(count: int = 3) -> list[int]:
    return list(range(count))


@solid(retry=RetryPolicy(max_attempts=2))
def total(numbers: list[int]) -> int:
    return sum(numbers)


@pipeline
def sums():
    total(numbers())
'''

TESTS = '''\
"""Ten tests of three lines."""

import pytest

from sums import sums


@pytest.mark.parametrize("count", range(10))
def test_sums(local_stack, count):
    result = local_stack.run(sums, {"solids": {"numbers": {"inputs": {"count": count}}}}, run_id="mine")
    assert result.output("total") == sum(range(count))
'''

CONFTEST = '''\
"""Says of each test how long it took to get going, and to run: in all, and of this process's CPU."""

import time

import pytest


def _timed(item, phase):
    began = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    item.user_properties.append((phase, f"{wall:.3f} {cpu:.3f}"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    yield from _timed(item, "setup")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    yield from _timed(item, "call")


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("passed", []):
        facts = dict(report.user_properties)
        terminalreporter.write_line(f"TIMED {facts['setup']} {facts['call']}")
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a pipeline and its tests; nothing in it makes the plugin known."""
    (tmp_path / "sums.py").write_text(PIPELINE)
    (tmp_path / "test_sums.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\npythonpath = .\nfilterwarnings = error\naddopts = --strict-config\n"
    )
    return tmp_path


def run_pytest(project: Path, *arguments: str) -> str:
    """What pytest prints; raises AssertionError when it does not pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AWS_"))}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "two workers"])
def test_ten_tests_of_somebody_pass(project: Path, workers: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """In one process and under xdist; the first of each process opens a stack, the others find it."""
    text = run_pytest(project, *workers)
    timed = [[float(one) for one in found] for found in re.findall(r"TIMED (\S+) (\S+) (\S+) (\S+)", text)]
    assert "10 passed" in text
    assert len(timed) == 10
    with capsys.disabled():
        print(f"\n{' '.join(workers) or 'one process'}, seconds (and CPU seconds) to set up, then to run:")
        for setup, setup_cpu, call, call_cpu in timed:
            print(f"  {setup:6.3f} ({setup_cpu:.3f})  {call:6.3f} ({call_cpu:.3f})")


LOADED = """
import sys

def test_loaded():
    heavy = {"moto", "boto3", "botocore", "s3fs", "flask", "pandas", "solidstate.infra", "solidstate.handler"}
    assert heavy.isdisjoint(sys.modules)
    assert "solidstate.testing.plugin" in sys.modules
"""


def test_a_session_without_the_stack_loads_nothing(tmp_path: Path) -> None:
    """Every pytest of an environment reads the plugin, and most of them have no use for it."""
    (tmp_path / "test_loaded.py").write_text(LOADED)
    assert "1 passed" in run_pytest(tmp_path)


def test_the_fixture_explains_itself(tmp_path: Path) -> None:
    """``pytest --fixtures`` lists it with a sentence."""
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    text = run_pytest(tmp_path, "--fixtures")
    assert re.search(r"^local_stack -- .*plugin.py:\d+\n    A running stack on this machine", text, re.MULTILINE)
