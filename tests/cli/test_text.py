"""Lines, tables and the units people read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.cli.text import (
    cell_width,
    human_duration,
    human_size,
    human_time,
    line,
    paragraphs,
    plain,
    plural,
    printable,
    table,
)


@given(st.text())
def test_printable_text_is_one_harmless_line(text: str) -> None:
    """Whatever goes in, what comes out is one line without control characters; harmless text stays as it is."""
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in shown)
    if text.isprintable():
        assert shown == text


def test_later_lines_of_a_message_are_marked() -> None:
    """A message with several lines cannot pretend that one of them is ours."""
    assert plain(paragraphs("boom\nfix: nothing")) == "boom\n  | fix: nothing\n"


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8)), min_size=1, max_size=5))
def test_columns_of_a_table_line_up(rows: list[tuple[str, str, str]]) -> None:
    """Every row of a table gives each column but the last the same room."""
    lines = table(rows)
    assert len(lines) == len(rows)
    starts = {sum(cell_width(span.text) for span in one[:-1]) for one, row in zip(lines, rows, strict=True) if row[-1]}
    assert len(starts) <= 1


def test_a_last_column_is_wrapped_below_itself() -> None:
    """With a width, a long last cell goes on below where it began."""
    lines = table([["step", "The quick brown fox jumps over the lazy dog."]], width=34)
    assert plain(lines) == "step  The quick brown fox jumps\n      over the lazy dog.\n"


def test_empty_columns_are_left_out() -> None:
    """A column that no row fills takes no room, and its heading goes with it."""
    assert plain(table([["a", "", "b"]], header=("one", "two", "three"))) == "one  three\na    b\n"


def test_no_trailing_blanks() -> None:
    """Lines end where their text ends."""
    assert plain([line("a", "  "), ()]) == "a\n\n"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (5_500_000, "5.2 MiB"),
        (2**30, "1.0 GiB"),
        (2**51, "2048.0 TiB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    """Bytes in binary units."""
    assert human_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0 ms"),
        (0.25, "250 ms"),
        (0.9999, "1.0 s"),
        (12.34, "12.3 s"),
        (59.97, "1 min 0 s"),
        (4000, "1 h 6 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    """Seconds in the unit a person would choose."""
    assert human_duration(seconds) == text


def test_times_and_counts() -> None:
    """Times are UTC, as run ids are; counts agree with their nouns."""
    assert human_time(0) == "1970-01-01 00:00:00 UTC"
    assert [plural(1, "step"), plural(1200, "step")] == ["1 step", "1,200 steps"]


@pytest.mark.parametrize(("seconds", "text"), [(1e300, "1e+300 s after 1970"), (-1e300, "-1e+300 s after 1970")])
def test_times_that_no_calendar_has(seconds: float, text: str) -> None:
    """Somebody else wrote the record: it is shown all the same."""
    assert human_time(seconds) == text
