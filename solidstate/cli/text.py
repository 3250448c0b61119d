"""Lines of styled text: what every renderer here returns, before anybody knows whether a terminal will show it.

A line is a sequence of spans, a span a text with a style. Renderers stay pure functions from data to lines; only
``terminal`` decides about colour. Text in a span may come from anywhere: it is made printable when it is written.
"""

from __future__ import annotations

import textwrap
import time
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

MIN_WRAPPED_WIDTH = 24
"""A last column narrower than this is not wrapped: one word a line helps nobody."""


class Span(NamedTuple):
    """A piece of a line. ``style`` is a rich style, such as ``bold red``; empty for plain text."""

    text: str
    style: str = ""


Line = tuple[Span, ...]
BLANK: Line = ()


def line(*parts: str | Span) -> Line:
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def plain(lines: Iterable[Line]) -> str:
    """The lines without their styles, made printable, a newline after each."""
    return "".join("".join(printable(span.text) for span in one).rstrip() + "\n" for one in lines)


def printable(text: str) -> str:
    """``text`` with everything that could steer a terminal, or forge a line, written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or unicodedata.category(char) == "Zs"
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def paragraphs(text: str, style: str = "", *, indent: str = "  ", mark: str = "| ") -> list[Line]:
    """Somebody else's text, which may have several lines: the first as it is, the others marked, so that none can pass
    for a line of ours."""
    first, *rest = text.rstrip().splitlines() or [""]
    return [line(Span(first, style)), *(line(f"{indent}{mark}", Span(one, style)) for one in rest)]


def indented(lines: Iterable[Line], by: int = 2) -> list[Line]:
    return [(Span(" " * by), *one) if one else one for one in lines]


def table(
    rows: Iterable[Sequence[str | Span]], *, header: Sequence[str] = (), gap: int = 2, width: int | None = None
) -> list[Line]:
    """Columns as wide as their widest cell; columns without any text are left out. With a ``width``, the last column
    is wrapped into what remains of it."""
    cells = [[cell if isinstance(cell, Span) else Span(cell) for cell in row] for row in rows]
    count = max((len(row) for row in cells), default=0)
    cells = [[*row, *[Span("")] * (count - len(row))] for row in cells]
    used = [number for number in range(count) if any(row[number].text for row in cells)]
    if header:
        cells.insert(0, [Span(text, "dim") for text in header])
    cells = [[Span(printable(row[number].text), row[number].style) for number in used] for row in cells]
    widths = [max(cell_width(row[column].text) for row in cells) for column in range(len(used))]
    result: list[Line] = []
    for row in cells:
        result.extend(_row(row, widths, gap, width))
    return result


def _row(row: list[Span], widths: list[int], gap: int, width: int | None) -> list[Line]:
    if not row:
        return [BLANK]
    while len(row) > 1 and not row[-1].text:  # blanks at the end would only make a terminal wrap the line
        row = row[:-1]
    left: list[Span] = []
    for cell, wide in zip(row[:-1], widths, strict=False):
        left += [cell, Span(" " * (wide - cell_width(cell.text) + gap))]
    last = row[-1]
    start = sum(cell_width(span.text) for span in left)
    if width is None or width - start < MIN_WRAPPED_WIDTH or cell_width(last.text) <= width - start:
        return [(*left, last)]
    first, *rest = textwrap.wrap(last.text, width - start, break_long_words=False, break_on_hyphens=False)
    return [(*left, Span(first, last.style)), *((Span(" " * start), Span(one, last.style)) for one in rest)]


def cell_width(text: str) -> int:
    """Columns of a terminal that a text takes: wide East Asian characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def raised(kind: str, message: str) -> str:
    """An exception in words: ``ValueError: why``, or its kind alone when it says nothing."""
    return f"{kind}: {message}" if message.strip() else kind


def plural(count: int, noun: str, many: str = "") -> str:
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def human_size(size: int) -> str:
    """Bytes, in binary units."""
    if size < 1024:
        return f"{size} B"
    power = min(4, (size.bit_length() - 1) // 10)
    return f"{size / 1024**power:.1f} {('KiB', 'MiB', 'GiB', 'TiB')[power - 1]}"


def human_duration(seconds: float) -> str:
    """Seconds, in the unit a person would choose."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def human_time(seconds: float) -> str:
    """Seconds since 1970 as date and time, UTC like run ids."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):  # no time of ours: somebody else wrote it
        return f"{seconds:g} s after 1970"


def short_path(path: str) -> str:
    """A path from the current directory, when it lies below it."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):  # elsewhere, or the current directory is gone
        return path
