"""A project folder of its own for every test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.project import LETTER_N, MAPS, WORDS, Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Project]:
    """An empty folder, the current one; its modules are forgotten afterwards."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "path", list(sys.path))
    loaded = set(sys.modules)
    yield Project(root, capsys)
    for name in set(sys.modules) - loaded:
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None and Path(file).is_relative_to(root):
            del sys.modules[name]


@pytest.fixture
def words(project: Project) -> Project:
    """A project with a pipeline that has config, a resource, two modes, a preset and an optional output."""
    project.write("words.py", WORDS)
    return project


@pytest.fixture
def letter_n(project: Project) -> Project:
    """A project whose pipeline cannot be nested, with fan-in, an optional output and an order without data."""
    project.write("n.py", LETTER_N)
    return project


@pytest.fixture
def maps(project: Project) -> Project:
    """A project with a pipeline that maps two steps over what a third one finds."""
    project.write("maps.py", MAPS)
    return project
