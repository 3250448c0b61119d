"""Pages of documentation as programs: their code blocks taken out, run in order, and held to what they show.

What stands behind the language of a fence says what to do with a block:

``python``               runs in the page's one module, a real file; ``file=orders.py`` on the first block names it;
                         ``stack=orders-dev`` deploys its pipelines under that name, for the commands that follow;
                         a ``try`` is there to show an error, so one in which nothing is raised is a false claim
``console``              each ``$ solidstate ...`` runs (inline), each ``$ pytest ...`` in a process of its own; the
                         lines below it are what it must print
``console exit=1``       the same, ending with that exit code
``yaml file=run.yaml``   is written to that file; so are ``json`` and ``text``
``yaml request=orders``  is a valid run request of that pipeline of the page; so is ``json``
``toml``                 is a pyproject.toml whose settings a build takes
``text``, ``sh``         are for reading
"""

from __future__ import annotations

import ast
import io
import json
import linecache
import os
import re
import shlex
import subprocess
import sys
import types
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from solidstate.cli.main import main
from solidstate.infra.bundle_settings import Choices, settings_for
from solidstate.load import pipelines_in

LANGUAGES = {
    "python": {"file", "stack"},
    "console": {"exit"},
    "yaml": {"file", "request"},
    "json": {"file", "request"},
    "toml": set[str](),
    "text": {"file"},
    "sh": set[str](),
}
"""The languages a block can have, each with its attributes."""

_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block; ``line`` is that of its first line in the page."""

    language: str
    attributes: dict[str, str]
    text: str
    line: int


def blocks_of(text: str) -> list[Block]:
    """The blocks of a page, in order. Raises AssertionError for a fence that says nothing we know."""
    found: list[Block] = []
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 2
        info: str = match[1]
        language, *words = info.split() or [""]
        attributes = {key: value for key, _, value in (word.partition("=") for word in words)}
        assert language in LANGUAGES, f"line {line - 1}: no such language of a block: {language!r}"
        assert attributes.keys() <= LANGUAGES[language], f"line {line - 1}: {language} has no {sorted(attributes)}"
        found.append(Block(language, attributes, match[2], line))
    assert text.count("\n```") + text.startswith("```") == 2 * len(found), "a fence is not closed"
    return found


class Page:
    """A page being run, in the current directory."""

    def __init__(self, name: str, blocks: list[Block], monkeypatch: pytest.MonkeyPatch) -> None:
        self._blocks = blocks
        self._deployed = ExitStack()
        first = next((block for block in blocks if block.language == "python"), None)
        named = first.attributes.get("file") if first is not None else None
        self._file = Path(named or f"{name.replace('-', '_')}_page.py").resolve()
        self._module = types.ModuleType(self._file.stem)
        self._module.__file__ = str(self._file)
        monkeypatch.setitem(sys.modules, self._file.stem, self._module)

    def run(self) -> None:
        """Every block in order. Raises what a block raises, and AssertionError for what is not as it is shown."""
        environment = dict(os.environ)  # a page may set variables
        try:
            with self._deployed:
                for block in self._blocks:
                    self._run(block)
        finally:
            os.environ.clear()
            os.environ.update(environment)

    def _run(self, block: Block) -> None:
        if block.language == "python":
            self._python(block)
        elif block.language == "console":
            self._console(block)
        else:
            self._document(block)

    def _python(self, block: Block) -> None:
        so_far = self._file.read_text() if self._file.exists() else ""
        before = so_far.count("\n")
        self._file.write_text(so_far + block.text)
        linecache.checkcache(str(self._file))
        tree = ast.parse("\n" * before + block.text, str(self._file))
        for node in ast.walk(tree):
            if isinstance(node, ast.Try) and node.handlers and not node.orelse:
                node.orelse = ast.parse("raise AssertionError('nothing was raised')").body
        code = compile(ast.fix_missing_locations(tree), str(self._file), "exec")
        exec(code, self._module.__dict__)  # noqa: S102 - the page is ours
        if "stack" in block.attributes:
            from tests.stacks import deployed  # imports moto, which other pages need not pay for

            found = pipelines_in(self._module).values()
            self._deployed.enter_context(deployed(block.attributes["stack"], list(found)))

    def _console(self, block: Block) -> None:
        commands = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE)
        assert commands, f"line {block.line}: a console block begins with a command"
        for command, shown in commands:
            printed, code = run_command(command)
            place = f"line {block.line}: {command}\n{printed}"
            assert code == int(block.attributes.get("exit", "0")), f"{place}\nexit code {code}"
            assert not shown.strip() or matches(shown, printed), f"{place}\nis not what is shown:\n{shown}"

    def _document(self, block: Block) -> None:
        if "file" in block.attributes:
            Path(block.attributes["file"]).write_text(block.text)
        if block.language == "json":
            json.loads(block.text)
        if block.language == "toml":
            Path("pyproject.toml").write_text(block.text)
            settings_for(Path.cwd(), Choices())
        if block.language == "yaml":
            yaml.safe_load(block.text)
        if "request" in block.attributes:
            file = Path(f"request.{block.language}")
            file.write_text(block.text)
            target = f"{self._file.name}:{block.attributes['request']}"
            printed, code = run_command(f"solidstate config check {target} {file}")
            assert code == 0, f"line {block.line}: {printed}"


class _Screen(io.TextIOWrapper):
    """What both streams of a command write to, as on a terminal."""

    def __init__(self) -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding="utf-8", write_through=True)


def run_command(command: str) -> tuple[str, int]:
    """What a ``solidstate`` or ``pytest`` command printed, and its exit code. Runs are without AWS."""
    program, *arguments = shlex.split(command)
    if program == "pytest":
        # A process for each, because this one is a pytest itself.
        settings = ["-p", "no:cacheprovider", "--rootdir", "."]
        done = subprocess.run(
            [sys.executable, "-m", program, *settings, *arguments], capture_output=True, check=False, text=True
        )
        return done.stdout + done.stderr, done.returncode
    assert program == "solidstate", f"not a command of ours: {command}"
    if arguments[:1] == ["run"] and "--engine" not in arguments:
        arguments += ["--engine", "inline"]
    screen = _Screen()
    with redirect_stdout(screen), redirect_stderr(screen):
        code = main(arguments)
    screen.flush()
    return screen.bytes.getvalue().decode(), code


def matches(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed. A line ``...`` stands for any lines, ``...`` in a line for any text;
    durations, times of day and the widths of columns do not count."""
    pattern = ""
    for line in _steady(shown):
        if line == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("...")) + "\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _steady(printed))) is not None


def _steady(text: str) -> list[str]:
    text = re.sub(r"\b\d+(\.\d+)? m?s\b", "N ms", text)
    text = re.sub(r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "TIME", text)
    return [" ".join(line.split()) for line in text.strip().splitlines() if line.strip()]
