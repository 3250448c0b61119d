"""Stdout belongs to the command: nothing a user's code prints gets in, and a reader who leaves is no error."""

from __future__ import annotations

import io
import json

import pytest

from solidstate.cli.terminal import Terminal, json_bytes
from solidstate.cli.text import Span, line
from tests.cli.project import Project

LOUD = """
    import os, subprocess, sys

    from solidstate import pipeline, solid

    print("printed while imported")


    @solid
    def loud() -> int:
        print("printed by a solid")
        sys.stdout.write("written by a solid\\n")
        os.write(1, b"written past Python\\n")
        subprocess.run(["echo", "printed by a program"], check=True)
        return 1


    @pipeline
    def p():
        loud()
"""


def test_user_code_cannot_reach_stdout(project: Project) -> None:
    """Prints of modules, solids and programs they start all go to stderr; stdout is the JSON document alone."""
    project.write("loud.py", LOUD)
    process = project.start("run", "loud.py", "--engine", "inline", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith("{")
    assert out.endswith("}\n")
    for text in ("while imported", "printed by a solid", "written by a solid", "past Python", "by a program"):
        assert text in err
        assert text not in out


def test_a_definition_is_written_byte_for_byte(project: Project) -> None:
    """What ``compile`` writes to stdout is what it writes to a file, whatever the module prints."""
    project.write("loud.py", LOUD)
    process = project.start("compile", "loud.py")
    out, _ = process.communicate(timeout=60)
    assert project.run("compile", "loud.py", "-o", "machine.json").code == 0
    assert out == (project.root / "machine.json").read_text()


def test_a_reader_may_leave(project: Project) -> None:
    """When stdout is closed early, as ``head`` does, the command ends without a word, like any other in a pipe."""
    project.write("loud.py", LOUD)
    process = project.start("compile", "loud.py")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait(timeout=60) == 141
    process.stderr.close()
    assert err == "printed while imported\n"


def test_what_an_encoding_lacks_is_escaped(project: Project) -> None:
    """A narrow encoding costs a character its looks, not the command its life."""
    project.write(
        "loud.py", LOUD.replace("def p()", "def p()").replace("@pipeline", '@pipeline(description="größer →")')
    )
    process = project.start("list", "loud.py", env_extra={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == "p  gr\\xf6\\xdfer \\u2192\n  mode  default\n  step  loud\n"


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nerror: b", "\r", "\x9b31m", "\u202e", "\u2028"])
def test_no_text_steers_the_terminal(text: str) -> None:
    """Control characters, line breaks and marks that turn text round come out as escapes."""
    out = io.StringIO()
    Terminal(out, out).show([line("before ", Span(text, "red"), " after")])
    assert out.getvalue() == f"before {text.encode('unicode_escape').decode()} after\n"


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_colour_needs_rich_and_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rich is not installed a terminal gets the same text without colour, and no moving picture."""
    monkeypatch.setenv("TERM", "xterm")
    coloured, bare = Screen(), Screen()
    with_rich = Terminal(coloured, coloured)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    without = Terminal(bare, bare)
    for terminal in (with_rich, without):
        terminal.show([line(Span("failed", "red"), " step")])
    assert coloured.getvalue() == "\x1b[31mfailed\x1b[0m step\n"
    assert bare.getvalue() == "failed step\n"
    assert (with_rich.live, without.live) == (True, False)


@pytest.mark.parametrize("text", ["\x9b31m", "\x7f", "\u202e", "\u2028", "größer", "\ud800", "\U000e0001"])
def test_json_says_the_same_and_steers_nothing(text: str) -> None:
    """JSON asks for no escape of these; with one it is the same document, and readable text stays readable."""
    document = json_bytes({text: [text]})
    assert json.loads(document) == {text: [text]}
    assert all(char.isprintable() or char == "\n" for char in document.decode())
    assert ("größer" in document.decode()) == (text == "größer")


@pytest.mark.parametrize("on_screen", [True, False])
def test_bytes_are_escaped_for_people_alone(on_screen: bool) -> None:
    """A definition or a picture goes to files and pipes byte for byte."""
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
    stream.isatty = lambda: on_screen  # type: ignore[method-assign]  # as a terminal says it
    Terminal(stream, stream).show_bytes("é\x1b[2J\n\u202e\n".encode())
    told = stream.buffer.getvalue().decode()
    assert told == ("é\\x1b[2J\n\\u202e\n" if on_screen else "é\x1b[2J\n\u202e\n")
