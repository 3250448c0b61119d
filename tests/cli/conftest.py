"""A project folder of its own for every test, and the command line run in it, in this process or in another."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from solidstate.cli.main import main

REPOSITORY = Path(__file__).resolve().parents[2]


class Ran(NamedTuple):
    """What a command left: its exit code and both of its streams, with the project's folder written as ``PROJECT``."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return msgspec.json.decode(self.out)


class Project:
    """A folder with user code. Commands run with it as the current directory."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capture = capture

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def run(self, *arguments: str) -> Ran:
        """Run a command in this process."""
        self._capture.readouterr()
        code = main(list(arguments))
        captured = self._capture.readouterr()
        return Ran(code, self.normal(captured.out), self.normal(captured.err))

    def normal(self, text: str) -> str:
        return text.replace(str(self.root), "PROJECT")

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "solidstate.cli.main", *arguments],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Project]:
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


Words = """
    from __future__ import annotations

    import msgspec

    from solidstate import ExpectationResult, Materialization, Mode, Out, Output, Preset, RetryPolicy
    from solidstate import pipeline, resource, solid


    class ReadConfig(msgspec.Struct):
        path: str
        limit: int | None = None


    class ClockConfig(msgspec.Struct):
        zone: str = "UTC"


    @resource
    def clock(config: ClockConfig) -> str:
        return config.zone


    @solid(resources={"clock"}, retry=RetryPolicy(max_attempts=2))
    def read(context, config: ReadConfig) -> list[str]:
        '''Words of a text.'''
        context.log.info("reading", path=config.path)
        print("printed by a solid")
        words = config.path.split()[: config.limit]
        context.emit(ExpectationResult(bool(words), "not_empty", "there are words", {"words": len(words)}))
        context.emit(Materialization("copy", "copies/words.txt"))
        return words


    @solid(outs={"long": Out(list[str]), "short": Out(list[str], optional=True)})
    def split(words: list[str], threshold: int = 3):
        yield Output([word for word in words if len(word) > threshold], "long")


    @solid
    def count(words: list[str]) -> int:
        if "boom" in words:
            raise ValueError("boom is no word\\nfix: \\x1b[31mnothing")
        return len(words)


    @pipeline(
        modes=[Mode("local", {"clock": clock}), Mode("prod", {"clock": "noon"}, "As it is deployed.")],
        presets=[Preset("sample", "local", {"solids": {"read": {"config": {"path": "a quick word"}}}}, "Three words.")],
    )
    def words():
        '''Count long words.'''
        parts = split(read())
        count(parts.long)
        count.alias("count_short")(parts.short)
"""


@pytest.fixture
def words(project: Project) -> Project:
    """A project with a pipeline that has config, a resource, two modes, a preset and an optional output."""
    project.write("words.py", Words)
    return project


@pytest.fixture
def at_once() -> Callable[[list[subprocess.Popen[str]]], list[Ran]]:
    """Wait for processes that run side by side."""

    def wait(processes: list[subprocess.Popen[str]]) -> list[Ran]:
        ended = [process.communicate(timeout=120) for process in processes]
        return [Ran(process.returncode, out, err) for process, (out, err) in zip(processes, ended, strict=True)]

    return wait
