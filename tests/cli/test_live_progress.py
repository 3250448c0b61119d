"""The moving picture, on a pseudo terminal as people see it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from tests.cli.project import REPOSITORY, Project

SLEEPY = """
    import time

    from solidstate import pipeline, solid


    @solid
    def nap() -> int:
        print("talking in sleep")
        time.sleep(0.8)
        return 1


    @solid
    def fall(number: int) -> int:
        raise ValueError("out of bed")


    @pipeline(name="night")
    def night():
        fall(nap())
"""


def on_a_terminal(project: Project, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code, and all that a terminal of 100 columns was sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "solidstate.cli.main", *arguments],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm-256color", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    sent = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not chunk:
            break
        sent += chunk
    os.close(ours)
    return process.wait(timeout=60), sent.decode()


def bare(text: str) -> str:
    """Without colours and cursor movements."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r\n", "\n")


@pytest.fixture
def night(project: Project) -> Project:
    """A project whose pipeline sleeps, talks and fails."""
    project.write("night.py", SLEEPY)
    return project


def test_a_terminal_sees_what_is_running(night: Project) -> None:
    """A spinner, the running step, a bar and a count while it runs; afterwards failures, prints and the summary."""
    code, sent = on_a_terminal(night, "run", "night.py", "--engine", "inline", "--run-id", "tonight")
    text = bare(sent)
    assert code == 1
    assert re.search(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] +nap +\d+ ms", text)
    assert re.search(r"night +[━╸╺]+ +0/2 steps", text)
    assert "talking in sleep\n" in text
    assert re.search(r"failed +fall +\d+ ms +ValueError: out of bed\n", text)
    assert "\nfailed: fall\n  ValueError: out of bed\n" in text
    assert text.endswith("look closer: solidstate events tonight --step fall\n")
    assert "\x1b[?25h" in sent[sent.rindex("\x1b[?25l") :], "the cursor is hidden and never shown again"


def test_colours_can_be_turned_off(night: Project) -> None:
    """NO_COLOR is obeyed, and a dumb terminal gets plain lines instead of a picture."""
    _, sent = on_a_terminal(night, "list", "night.py", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", sent)
    _, sent = on_a_terminal(night, "run", "night.py", "--engine", "inline", TERM="dumb")
    assert "\x1b" not in sent
