"""docs/troubleshooting.md: every error on it is one that the code raises, word for word, and none of those that people
meet in operation is missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from solidstate.infra.execution_advice import KNOWN_ERRORS
from solidstate.planner import contract
from tests.pages import blocks_of

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
LAYERS = ["solidstate", "handler", "infra", "planner", "storage"]
IN_OPERATION = [
    "infra/aws_errors.py",
    "infra/cancelling.py",
    "infra/deployed.py",
    "infra/deployed_runs.py",
    "infra/executions.py",
    "infra/samconfig.py",
    "solidstate/cli/request_options.py",
    "solidstate/cli/run_place.py",
    "solidstate/cli/start_command.py",
]
"""Modules all of whose errors are on the page."""
WORDS = 7
"""Letters a text must have beside its placeholders to be told from any other."""


def template(node: ast.expr) -> str | None:
    """A text of the source as a pattern: placeholders stand for anything. None for what is no text."""
    if isinstance(node, ast.Constant):
        return re.escape(node.value) if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) or ".+" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = template(node.left), template(node.right)
        return (left or ".+") + (right or ".+") if left or right else None
    return None


def telling(pattern: str) -> bool:
    return len(re.findall("[a-z]", pattern.replace(".+", ""))) >= WORDS


def trees() -> Iterator[tuple[str, ast.Module]]:
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*.py")):
            if not any(part.is_symlink() for part in [path, *path.parents][:3]):
                yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


@cache
def texts_of_the_source() -> list[re.Pattern[str]]:
    found = {template(node) for _, tree in trees() for node in ast.walk(tree) if isinstance(node, ast.expr)}
    return [re.compile(one) for one in sorted(one for one in found if one and telling(one))]


def raised_in(module: str) -> Iterator[str]:
    """The problems of the errors that a module makes."""
    for name, tree in trees():
        if name != module:
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and node.args
                and any(word.arg in ("subject", "hint") for word in node.keywords)
            ):
                pattern = template(node.args[0])
                if pattern and telling(pattern):
                    yield pattern


ERRORS = [block.text for block in blocks_of(PAGE) if block.language == "text"]


@pytest.mark.parametrize("error", ERRORS, ids=[text.splitlines()[0][:50] for text in ERRORS])
def test_an_error_is_one_that_is_raised(error: str) -> None:
    """The problem and the way out are texts of the source, where their placeholders are filled in."""
    problem, *rest = error.splitlines()
    wanted = [problem, *(line.removeprefix("  fix: ") for line in rest)]
    assert all(line.startswith("  fix: ") for line in rest)
    for text in wanted:
        assert any(pattern.fullmatch(text) for pattern in texts_of_the_source()), text


@pytest.mark.parametrize("module", IN_OPERATION)
def test_no_error_of_operation_is_missing(module: str) -> None:
    """What can go wrong between here and AWS is on the page."""
    problems = [error.splitlines()[0] for error in ERRORS]
    missing = [
        pattern for pattern in raised_in(module) if not any(re.fullmatch(pattern, problem) for problem in problems)
    ]
    assert missing == []


def test_every_name_of_an_error_is_explained() -> None:
    """Those that are advised upon, and those that the function raises on purpose."""
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    own = {
        value
        for name, value in vars(contract).items()
        if name.isupper() and isinstance(value, str) and re.fullmatch(r"[A-Z][a-z]+\w+", value)
    }
    assert set(KNOWN_ERRORS) | own <= named


def test_a_text_that_nobody_raises_is_noticed() -> None:
    """The check can fail."""
    with pytest.raises(AssertionError):
        test_an_error_is_one_that_is_raised("The stack `orders` is nowhere to be seen.\n")
    with pytest.raises(AssertionError):
        test_an_error_is_one_that_is_raised("The bucket `b` does not exist.\n  fix: pray\n")


def test_permissions_are_those_that_are_asked_for() -> None:
    """docs/operating.md names the action of every request that the commands make."""
    page = (ROOT / "docs" / "operating.md").read_text()
    asked = {
        str(node.args[1].value)
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "asking"
        and isinstance(node.args[1], ast.Constant)
    }
    assert len(asked) >= 7
    assert {action for action in asked if f"`{action!s}`" not in page} == set()
