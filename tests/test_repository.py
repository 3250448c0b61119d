"""The habits that no tool checks: size and headings of modules, sentences on tests, commands that say what they do."""

from __future__ import annotations

import ast
import json
import os
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ("solidstate", "planner", "storage", "handler", "infra")
LAYERS = ("solidstate/cli", "planner", "storage", "handler", "infra")
PYTHON = (*SOURCE, "tests", "examples", "bench")
TEXT_ENDS = {"", ".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".json", ".in", ".cfg"}

MAX_LINES = 400
MEDIAN_LINES = 200


def modules(*folders: str) -> list[Path]:
    """The Python files below the folders; the links in solidstate/ are not followed."""
    return sorted(path for folder in folders for path in _walk(ROOT / folder) if path.suffix == ".py")


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (Path(place) / name for name in files)


def line_count(path: Path) -> int:
    return len(path.read_text().splitlines())


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_module_is_too_long() -> None:
    """No module has more than 400 lines; those that come near are split by concept."""
    assert {shown(path): line_count(path) for path in modules(*PYTHON) if line_count(path) > MAX_LINES} == {}


@pytest.mark.parametrize("folders", [SOURCE, PYTHON], ids=["source", "all"])
def test_most_modules_are_short(folders: tuple[str, ...]) -> None:
    """The median module has at most 200 lines; empty files do not count."""
    counts = [count for count in map(line_count, modules(*folders)) if count]
    assert statistics.median(counts) <= MEDIAN_LINES


def test_every_module_says_what_it_is() -> None:
    """Every module that holds code begins with a docstring."""
    trees = {shown(path): ast.parse(path.read_text()) for path in modules(*PYTHON)}
    assert [name for name, tree in trees.items() if tree.body and not ast.get_docstring(tree)] == []


def test_layers_export_nothing() -> None:
    """The ``__init__.py`` of every layer is empty: whoever wants a name imports it from where it is defined."""
    assert {layer: (ROOT / layer / "__init__.py").read_text() for layer in LAYERS} == dict.fromkeys(LAYERS, "")


def test_nothing_inside_imports_from_the_top() -> None:
    """Inside the package nobody imports a public name from ``solidstate`` itself, which imports nearly everything."""
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in modules(*SOURCE)
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.ImportFrom) and node.module == "solidstate" and not _are_modules(node))
        or (isinstance(node, ast.Import) and any(alias.name == "solidstate" for alias in node.names))
    ]
    assert found == []


def _are_modules(node: ast.ImportFrom) -> bool:
    package = ROOT / "solidstate"
    names = [alias.name for alias in node.names]
    return all(
        name == "__version__" or (package / f"{name}.py").exists() or (package / name).is_dir() for name in names
    )


def test_modules_are_named_after_concepts() -> None:
    """No module is called by a word that could hold anything."""
    vague = {"base", "common", "core", "helper", "helpers", "misc", "util", "utils"}
    assert [shown(path) for path in modules(*PYTHON) if vague & {path.stem, path.parent.name}] == []


def test_every_test_is_a_sentence() -> None:
    """Every test states the behaviour it checks in its docstring, as one sentence."""
    tests = [
        (f"{shown(path)}:{node.name}", ast.get_docstring(node) or "")
        for path in modules("tests")
        if path.name.startswith("test_")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert len(tests) > 10
    assert [name for name, text in tests if not re.search(r"[.?!]$", text.strip())] == []


def tracked() -> list[Path]:
    """The files git knows; all files where this is no checkout (an unpacked sdist)."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True)
    names = [name for name in done.stdout.split("\0") if name]
    if done.returncode != 0 or not names:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in names]


def test_nothing_made_is_tracked() -> None:
    """What runs and builds leave behind is not part of the repository."""
    made = re.compile(r"^(build|dist|\.venv|\.solidstate)/|__pycache__|\.egg-info/|\.pyc$|\.(parquet|png)$")
    assert [shown(path) for path in tracked() if made.search(shown(path))] == []


def test_lock_names_packages_alone() -> None:
    """The files in ``requirements/`` pin every package exactly and say nothing of where packages come from."""
    pin = re.compile(r"^[a-z0-9][a-z0-9.-]*==[0-9][A-Za-z0-9.!+]*( ; [^@#]+)?$")
    for lock in (ROOT / "requirements").glob("*.txt"):
        lines = lock.read_text().splitlines()
        assert [line for line in lines if not pin.match(line) and not line.startswith("#")] == []
        assert len(lines) > 30


def test_lock_of_judges_names_packages_alone() -> None:
    """The packages for Node are pinned with their hashes, and nothing says where they come from."""
    lock = json.loads((ROOT / "tests" / "judges" / "package-lock.json").read_text())
    packages = {name: facts for name, facts in lock["packages"].items() if name}
    assert [name for name, facts in packages.items() if "resolved" in facts or "integrity" not in facts] == []
    assert len(packages) > 20


def test_no_file_mentions_an_index() -> None:
    """Which index and which wheels a machine installs from is its own affair: no setting of an installer is tracked."""
    setting = re.compile(
        r"((?<![a-z-])--?(extra-)?index-url|--find-links|--trusted-host)[ =]"
        r"|(PIP|UV)_[A-Z_]*(INDEX|LINKS|HOST)|\[\[tool\.uv\.index"
    )
    texts = {path: path.read_text() for path in tracked() if path.suffix in TEXT_ENDS and path.is_file()}
    found = [shown(path) for path, text in texts.items() if path != Path(__file__).resolve() and setting.search(text)]
    assert found == []


def test_make_lists_every_command() -> None:
    """``make`` alone prints each target of the Makefile with what it does."""
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, check=True, text=True)
    listed = dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", done.stdout, re.MULTILINE))
    assert list(listed) == targets
    assert set(targets) == set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_continuous_integration_runs_the_gates() -> None:
    """``.ci/run`` is executable and runs the check, the tests and the slow tests, in this order."""
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.findall(r"^make (\S+)$", script.read_text(), re.MULTILINE) == ["check", "test", "test-slow"]
