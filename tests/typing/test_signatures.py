"""Type checkers know what a solid takes and gives: wrong calls are found, and only those."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RIGHT = Path(__file__).with_name("signatures.py")

WRONG = '''
"""Each line that ends in `# wrong` is one."""

from solidstate import In, Output, RetryPolicy, StepContext, execute_solid, pipeline, resource, solid


@solid
def plus(left: int, right: int = 1) -> int:
    return left + right


@solid(retry=3)  # wrong
def tried() -> int:
    return 1


@solid(name="other")
def named(context: StepContext, text: str) -> str:
    context.log.info(1)  # wrong
    return text


@resource
def shop(number: int) -> str:
    return str(number)


@pipeline  # wrong
def wired(number: int) -> None:
    plus(plus(1))
    plus(plus(), right=plus())


def calls() -> None:
    plus("1")  # wrong
    plus(1, rihgt=2)  # wrong
    plus.alias("other")(None)  # wrong
    total: str = plus(1)  # wrong
    value: str = Output(1).value  # wrong
    shop("1")  # wrong
    shop()  # wrong
    named.fn("text")  # wrong
    execute_solid(plus, inputs=[1])  # wrong
    policy = RetryPolicy(max_attempts="3")  # wrong
    declared = In(int, defualt=1)  # wrong
    print(total, value, policy, declared)
'''
EXPECTED = [number for number, line in enumerate(WRONG.splitlines(), 1) if line.endswith("# wrong")]

Checker = Callable[[Path], list[int]]


def mypy(file: Path) -> list[int]:
    """The lines mypy finds fault with."""
    # A cache of its own: that of the checkout would report what it found in an earlier run's file of the same name.
    cache = f"--cache-dir={file.parent / 'cache'}"
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", cache, str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [int(line) for line in re.findall(rf"^{re.escape(str(file))}:(\d+): error", done.stdout, re.MULTILINE)]


def pyright(file: Path) -> list[int]:
    """The lines basedpyright finds fault with."""
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable, str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return [one["range"]["start"]["line"] + 1 for one in found if one["severity"] == "error"]


@pytest.mark.slow
@pytest.mark.parametrize("checker", [mypy, pyright], ids=["mypy", "basedpyright"])
def test_wrong_calls_are_found(checker: Checker, tmp_path: Path) -> None:
    """Every line that is wrong is reported, and no other."""
    file = tmp_path / "wrong_calls.py"
    file.write_text(WRONG)
    assert sorted(set(checker(file))) == EXPECTED


@pytest.mark.slow
@pytest.mark.parametrize("checker", [mypy, pyright], ids=["mypy", "basedpyright"])
def test_right_calls_are_not(checker: Checker) -> None:
    """What is right passes, with the types it asserts."""
    assert checker(RIGHT) == []
