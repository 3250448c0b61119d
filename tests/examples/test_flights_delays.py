"""Breakdowns, headlines, picture and page on figures that can be added up by hand."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import fsspec
import msgspec
import pandas as pd
import pytest
from flights.delays import (
    Group,
    HeadlineConfig,
    WindBands,
    by_name,
    delays_by_carrier,
    delays_by_hour,
    delays_by_wind,
    find_headlines,
    join_weather,
)
from flights.headlines import Headlines, headline_text, main
from flights.page import render
from flights.picture import draw
from flights.quality import Check, Counts
from flights.resources import BucketReports, FolderReports

FLOWN = pd.DataFrame(
    {
        "carrier": pd.Categorical(["AA", "AA", "ZZ"]),
        "origin": pd.Categorical(["JFK", "JFK", "EWR"]),
        "dest": pd.Categorical(["BOS", "BOS", "LAX"]),
        "hour": pd.Series([6, 21, 6], dtype="int8"),
        "time_hour": pd.to_datetime(["2013-01-01T11:00Z", "2013-01-02T02:00Z", "2013-01-01T11:00Z"]),
        "arr_delay": pd.Series([-5, 31, 15], dtype="int16"),
        "late": [False, True, False],
    }
)


def test_carriers_have_names() -> None:
    """Groups hold sums; an airline without a name goes by its code."""
    airlines = pd.DataFrame({"carrier": ["AA"], "name": ["American"]})
    assert delays_by_carrier(FLOWN, airlines) == [
        Group("carrier", "AA", "American", 2, 26, 1),
        Group("carrier", "ZZ", "ZZ", 1, 15, 0),
    ]


def test_sums_do_not_overflow() -> None:
    """Delays are stored as 16-bit integers; their sum is not one."""
    many = pd.DataFrame({"hour": [7] * 100, "arr_delay": pd.Series([1000] * 100, dtype="int16"), "late": [True] * 100})
    assert delays_by_hour(many) == [Group("hour", "7", "07:00", 100, 100_000, 100)]


def test_join_keeps_every_flight() -> None:
    """A flight without a measurement keeps its place, with no wind."""
    weather = pd.DataFrame(
        {"origin": ["JFK"], "time_hour": pd.to_datetime(["2013-01-02T02:00Z"]), "wind_speed": [25.0]}
    )
    joined = join_weather(FLOWN, weather)
    assert joined["arr_delay"].tolist() == [-5, 31, 15]
    assert joined["wind_speed"].fillna(-1).tolist() == [-1, 25.0, -1]


def test_wind_bands() -> None:
    """A band begins at its lower edge; flights without a measurement are in none."""
    flights = pd.DataFrame(
        {"wind_speed": [0.0, 4.9, 5.0, 10.0, None], "arr_delay": [1, 2, 4, 8, 16], "late": [False] * 5}
    )
    assert delays_by_wind(flights, WindBands(edges_mph=(5, 10))) == [
        Group("wind", "0", "under 5 mph", 2, 3, 0),
        Group("wind", "5", "5 to 10 mph", 1, 4, 0),
        Group("wind", "10", "10 mph or more", 1, 8, 0),
    ]


BREAKDOWNS = [
    [Group("carrier", "AA", "American", 2, 26, 1), Group("carrier", "<b>", "Bold & <script>", 1, 15, 0)],
    [Group("destination", "BOS", "Boston", 2, 26, 1), Group("destination", "LAX", "Los Angeles", 1, 15, 0)],
    [Group("hour", "6", "06:00", 2, 10, 0), Group("hour", "21", "21:00", 1, 31, 1)],
]
COUNTS = Counts(4, {"AA": 3, "<b>": 1}, 15, {"cancelled": 1, "diverted": 0, "implausible": 0})


@pytest.fixture
def headlines() -> Headlines:
    found: Headlines = find_headlines(COUNTS, [*BREAKDOWNS, []], HeadlineConfig(min_arrivals=2))
    return found


def test_headlines_without_wind(headlines: Headlines) -> None:
    """What has too few arrivals is not ranked, what was not measured is said to be missing."""
    assert headline_text(headlines) == (
        "Flights                4\n"
        "Cancelled              1 (25.0%)\n"
        "Quarantined rows       1 (cancelled, diverted or implausible)\n"
        "Busiest airline        American, 3 flights\n"
        "Best airline           American (AA), 13.0 min late\n"
        "Worst airline          American (AA), 13.0 min late\n"
        "Worst destination      Boston (BOS), 13.0 min late\n"
        "Worst hour to leave    21:00, 31.0 min late\n"
        "More than 15 min late  33.3% of arrivals; mean 13.7 min late\n"
        "Wind at departure      no data"
    )


def test_printing_another_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that holds no headlines gives one line and exit code 2."""
    (tmp_path / "other.json").write_text("{}")
    assert main([str(tmp_path / "other.json")]) == 2
    assert capsys.readouterr().err == (
        f"`{tmp_path}/other.json` holds no headlines: Object missing required field `flights`\n"
    )
    assert main([]) == 2


def test_picture_is_reproducible(headlines: Headlines) -> None:
    """The same figures give the same PNG, byte for byte; a breakdown may be missing."""
    first, second = (draw(headlines, by_name(BREAKDOWNS)) for _ in range(2))
    assert first.startswith(b"\x89PNG")
    assert first == second


class Reader(HTMLParser):
    """Remembers what a page is made of, and that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page(headlines: Headlines) -> None:
    """The page is whole, loads nothing from elsewhere, and shows foreign text as text."""
    checks = [Check("flights", "speed", "<620", "1 & more", False), Check("flights", "rows", "4", "4", True)]
    page = render(headlines, COUNTS, by_name(BREAKDOWNS), checks, b"\x89PNG")
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert "script" not in reader.tags
    assert reader.links == ["data:image/png;base64,iVBORw=="]
    for text in ("Bold &amp; &lt;script&gt;", "&lt;620", "1 &amp; more", "Expectations: 1 met, 1 not", "Los Angeles"):
        assert text in page


def test_folder_reports(tmp_path: Path) -> None:
    """A file is there whole or not at all, and saving again replaces it."""
    reports = FolderReports(tmp_path / "new" / "folder")
    reports.save(None, "a.txt", b"one")
    assert reports.save(None, "a.txt", b"two") == (tmp_path / "new" / "folder" / "a.txt").as_posix()
    assert [(path.name, path.read_bytes()) for path in reports.folder.iterdir()] == [("a.txt", b"two")]


def test_bucket_reports() -> None:
    """In production files go through the step's own file system."""

    class Context(msgspec.Struct):
        fs: object

    fs = fsspec.filesystem("memory", skip_instance_cache=True)
    path = BucketReports("s3://flights-test-bucket/late/").save(Context(fs), "a.txt", b"one")
    assert path == "s3://flights-test-bucket/late/a.txt"
    assert fs.cat("flights-test-bucket/late/a.txt") == b"one"
