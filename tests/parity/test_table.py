"""``docs/parity.md`` and the tests it names are kept equal."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
TABLE = TESTS.parent / "docs" / "parity.md"
ENOUGH = 120
"""Behaviours of 2019 that have a test here, at the least."""
HERE = {"same", "different", "not there"}


def rows_of(text: str) -> list[list[str]]:
    """The table's cells, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def problems(text: str, collected: Collection[str], enough: int = ENOUGH) -> list[str]:
    """What is wrong with a table, given the ids of all tests in the files it names and in ``parity/``."""
    known = {*collected, *(one.partition("[")[0] for one in collected)}
    found: list[str] = []
    named: list[str] = []
    for row in rows_of(text):
        if len(row) != 4:
            found.append(f"not four cells: {row}")
            continue
        behaviour, test, here, why = row
        if here not in HERE:
            found.append(f"{behaviour}: what is `{here}`?")
        if bool(why) != (here != "same"):
            found.append(f"{behaviour}: what differs says why, and nothing else does")
        if (test == "none") != (here == "not there"):
            found.append(f"{behaviour}: what is there has a test, and nothing else does")
        if test != "none":
            named.append(test.strip("`"))
            if named[-1] not in known:
                found.append(f"{named[-1]}: there is no such test")
    found += [f"{one}: stands more than once" for one, count in Counter(named).items() if count > 1]
    if len(named) < enough:
        found.append(f"{len(named)} behaviours; expected {enough} or more")
    listed = set(named)
    for one in collected:
        ours = one.startswith("parity/") and not one.startswith("parity/test_table.py")
        if ours and one not in listed and one.partition("[")[0] not in listed:
            found.append(f"{one}: is not in the table")
    return found


@functools.cache
def collected_ids() -> frozenset[str]:
    """The ids, from the folder of tests on, of what pytest collects in the files of the table and in ``parity/``."""
    tests = [row[1].strip("`") for row in rows_of(TABLE.read_text()) if len(row) > 1]
    files = sorted({test.partition("::")[0] for test in tests if "::" in test and not test.startswith("parity/")})
    there = [f"tests/{file}" for file in files if (TESTS / file).is_file()]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/parity", *there]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return frozenset(line.removeprefix("tests/") for line in done.stdout.splitlines() if "::" in line)


def test_the_table_is_right() -> None:
    """Every test it names is collected, every test of this folder is named, what differs says why."""
    assert problems(TABLE.read_text(), collected_ids()) == []


RIGHT = """\
| 2019 | Test | Here | Why |
|---|---|---|---|
| a | `parity/test_a.py::test_a` | same | |
| `b \\| c` | `parity/test_a.py::test_b[x]` | different | because |
| d | none | not there | nobody needs it |
"""
IDS = (
    "parity/test_a.py::test_a[1]",
    "parity/test_a.py::test_b[x]",
    "parity/test_table.py::test_c",
    "author/test_d.py::e",
)
PLANTED = {
    "a test that is gone": ("::test_a`", "::test_aa`", "parity/test_a.py::test_aa: there is no such test"),
    "a case that is gone": ("[x]", "[y]", "parity/test_a.py::test_b[y]: there is no such test"),
    "a test that is not listed": ("::test_a`", "::test_b[x]`", "parity/test_a.py::test_a[1]: is not in the table"),
    "a test listed twice": ("::test_a`", "::test_b[x]`", "parity/test_a.py::test_b[x]: stands more than once"),
    "another word": ("| same |", "| alike |", "a: what is `alike`?"),
    "no reason": ("| because |", "| |", "`b | c`: what differs says why, and nothing else does"),
    "a reason for nothing": ("same | |", "same | so |", "a: what differs says why, and nothing else does"),
    "not there, with a test": (
        "| none |",
        "| `author/test_d.py::e` |",
        "d: what is there has a test, and nothing else does",
    ),
    "a cell too few": ("| same | |", "| same |", "not four cells: ['a', '`parity/test_a.py::test_a`', 'same']"),
}


def test_a_right_table_passes() -> None:
    """The one into which the bugs below are planted has none itself, but for its length."""
    assert problems(RIGHT, IDS, 2) == []
    assert problems(RIGHT, IDS) == ["2 behaviours; expected 120 or more"]


@pytest.mark.parametrize(("right", "wrong", "told"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_bug_is_found(right: str, wrong: str, told: str) -> None:
    """Each kind of check can fail."""
    assert right in RIGHT
    assert told in problems(RIGHT.replace(right, wrong, 1), IDS, 0)
