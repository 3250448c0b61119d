"""A folder of user code, and the command line run in it, in this process or in another."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
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

    def write(self, name: str, text: str | bytes) -> None:
        """A file; the indentation of ``text`` is that of the test around it."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode())

    def run(self, *arguments: str) -> Ran:
        """Run a command in this process."""
        self._capture.readouterr()
        code = main(list(arguments))
        captured = self._capture.readouterr()
        return Ran(code, self.normal(captured.out), self.normal(captured.err))

    def normal(self, text: str) -> str:
        return text.replace(str(self.root), "PROJECT")

    def start(
        self, *arguments: str, env_extra: Mapping[str, str] = MappingProxyType({}), **options: Any
    ) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "solidstate.cli.main", *arguments],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **env_extra},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )


class Mistake(NamedTuple):
    """A command, the files it meets, and all that it is to say."""

    name: str
    arguments: list[str]
    said: str
    files: Mapping[str, str | bytes] = MappingProxyType({})
    code: int = 2

    def check(self, project: Project) -> None:
        """One readable error on stderr, the whole of it as expected; nothing on stdout; the right exit code."""
        for name, text in self.files.items():
            project.write(name, text)
        ran = project.run(*self.arguments)
        assert ran.err == textwrap.dedent(self.said).lstrip("\n")
        assert ran.out == ""
        assert ran.code == self.code


WORDS = """
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


LETTER_N = """
    from solidstate import In, Nothing, Out, RetryPolicy, pipeline, solid


    @solid
    def a() -> int:
        return 1


    @solid
    def b() -> int:
        return 1


    @solid(retry=RetryPolicy(max_attempts=3))
    def c(left: int, right: int, factor: float = 1.0) -> int:
        '''Put both together.'''
        return left + right


    @solid(outs={"most": Out(str, "what there is"), "rest": Out(str, optional=True)})
    def d(right: int):
        ...


    @solid(ins={"after": In(Nothing)})
    def e(parts: list[int]) -> int:
        return 0


    @pipeline
    def n():
        '''The letter N.'''
        left, right = a(), b()
        first = c(left, right)
        most = d(right).most
        e(after=most, parts=[left, first])
"""


MAPS = """
    from solidstate import DynamicOut, DynamicOutput, pipeline, solid


    @solid
    def settings() -> dict[str, int]:
        return {"limit": 3}


    @solid(outs={"files": DynamicOut(str, max_items=50)})
    def split():
        for key in "abc":
            yield DynamicOutput(key * 3, key=key, name="files")


    @solid
    def clean(text: str, limits: dict[str, int]) -> str:
        return text[: limits["limit"]]


    @solid
    def count(text: str) -> int:
        return len(text)


    @solid
    def total(counts: list[int]) -> int:
        return sum(counts)


    @pipeline
    def maps():
        limits = settings()
        total(split().map(lambda text: count(clean(text, limits))).collect())
"""
