"""The two streams of a command: results on stdout, everything else on stderr.

Stdout belongs to the command alone: while it runs, whatever a user's module or solid prints, from Python or from a
program it starts, goes to stderr. So ``--json`` and ``compile`` can be piped whatever the code under them does.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import msgspec

from solidstate.cli.text import Line, plain, printable


class Terminal:
    """Where a command writes. Colour only on a terminal, and only when rich is installed."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self.out = out
        self.err = err
        self._rich = importlib.util.find_spec("rich") is not None

    @property
    def live(self) -> bool:
        """Whether moving pictures can be drawn: people look at both streams."""
        return self._rich and self.out.isatty() and self.err.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def width(self) -> int | None:
        """Columns of the terminal that shows results; None when they go somewhere else."""
        return shutil.get_terminal_size().columns if self.out.isatty() else None

    def show(self, lines: Iterable[Line]) -> None:
        """Lines of the result."""
        self._write(self.out, lines)

    def note(self, lines: Iterable[Line]) -> None:
        """Lines beside the result: progress, remarks, errors."""
        self._write(self.err, lines)

    def show_json(self, value: Any) -> None:
        """The result as one JSON document, laid out for people."""
        self.show_bytes(json_bytes(value))

    def show_bytes(self, data: bytes) -> None:
        """The result, byte for byte; on a terminal what would steer it is escaped, because people look at it there."""
        if self.out.isatty():
            lines = data.decode("utf-8", "backslashreplace").split("\n")
            data = "\n".join(map(printable, lines)).encode("utf-8", "backslashreplace")
        self.out.flush()
        self.out.buffer.write(data)
        self.out.buffer.flush()

    def _write(self, stream: TextIO, lines: Iterable[Line]) -> None:
        if not (self._rich and stream.isatty()):
            stream.write(plain(lines))
            stream.flush()
            return
        from rich.console import Console  # costs a tenth of a second, which a pipe need not pay
        from rich.text import Text

        console = Console(file=stream, highlight=False)
        for one in lines:
            spans = [(printable(span.text), span.style) for span in one]
            console.print(Text.assemble(*spans), soft_wrap=True)


def json_bytes(value: Any) -> bytes:
    """A JSON document laid out for people, in which nothing steers a terminal: what is not printable is escaped."""
    try:
        document = msgspec.json.encode(value, enc_hook=str)
    except UnicodeEncodeError:  # half a surrogate pair: JSON has an escape for it, and UTF-8 no form
        return json.dumps(msgspec.to_builtins(value, str_keys=True, enc_hook=str), indent=2).encode() + b"\n"
    return steerless(msgspec.json.format(document, indent=2)) + b"\n"


def steerless(document: bytes) -> bytes:
    """JSON that says the same. Its own rules ask for an escape of no more than the first 32 characters; what steers a
    terminal and is not among them (``U+009B``, ``U+202E``) can stand in texts alone, where an escape means the same."""
    text = document.decode()
    if document.isascii() and "\x7f" not in text:
        return document
    return _STEERING.sub(lambda found: _escaped(found[0]), text).encode()


def _escaped(char: str) -> str:
    if char.isprintable() or unicodedata.category(char) == "Zs":
        return char
    return json.dumps(char)[1:-1] if ord(char) > 127 else f"\\u{ord(char):04x}"


_STEERING = re.compile(r"[^ -~\n]")


@contextmanager
def private_stdout() -> Iterator[Terminal]:
    """A terminal that alone may write to stdout; ``print`` in user code goes to stderr meanwhile."""
    previous = sys.stdout
    previous.flush()
    err = sys.stderr
    with _own_descriptor(previous) as out:
        for stream in (out, err):
            _never_refuse(stream)
        sys.stdout = err
        try:
            yield Terminal(out, err)
        finally:
            sys.stdout = previous


@contextmanager
def _own_descriptor(stream: TextIO) -> Iterator[TextIO]:
    """``stream`` by a descriptor of its own, descriptor 1 leading to stderr. Streams that are not descriptor 1 (a test
    or a notebook put them there) are used as they are."""
    try:
        if stream.fileno() != 1:
            raise OSError
        kept = os.dup(1)
    except (OSError, ValueError):
        yield stream
        return
    try:
        os.dup2(2, 1)
    except OSError:  # stderr is closed
        os.close(kept)
        yield stream
        return
    out = open(kept, "w", encoding=stream.encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115 - closed below
    try:
        yield out
        out.flush()
    finally:
        os.dup2(kept, 1)
        try:
            out.close()
        except OSError:  # the reader has gone; said by the flush above when nothing else went wrong
            pass
        os.close(kept)


def _never_refuse(stream: TextIO) -> None:
    """A character that the terminal's encoding lacks is written as an escape, not answered with an exception."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
