"""Expectations and the quarantine: single solids, called directly, on tables small enough to see through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from flights.quality import (
    FlightLimits,
    ReferenceLimits,
    WeatherLimits,
    check_references,
    screen_flights,
    screen_weather,
)
from flights.tables import FlightsSource, Source, read_flights, read_lookups, read_weather

from solidstate import ExpectationResult, Failure


def parted(yielded: Any) -> tuple[dict[str, Any], dict[str, bool]]:
    """What a solid yielded: its outputs by name, its expectations by label."""
    items: list[Any] = list(yielded)
    outputs: dict[str, Any] = {item.name: item.value for item in items if not isinstance(item, ExpectationResult)}
    return outputs, {item.label: item.success for item in items if isinstance(item, ExpectationResult)}


@pytest.fixture
def flights(folder: Path) -> pd.DataFrame:
    frame: pd.DataFrame = read_flights(FlightsSource(folder=str(folder)))
    return frame


FEW = FlightLimits(min_rows=1)


def test_good_flights(flights: pd.DataFrame) -> None:
    """Flawless flights all pass, and there is no output for the others."""
    outputs, expectations = parted(screen_flights(flights, FEW))
    assert sorted(outputs) == ["checks", "counts", "flown"]
    assert set(expectations.values()) == {True}
    assert outputs["flown"]["late"].tolist() == [False, True, False]
    assert outputs["counts"].flights_per_carrier == {"<b>": 1, "AA": 2}
    assert [check.success for check in outputs["checks"]] == list(expectations.values())


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [("dep_delay", None, "cancelled"), ("arr_delay", None, "diverted"), ("air_time", 10.0, "implausible")],
)
def test_quarantine(flights: pd.DataFrame, column: str, value: float | None, reason: str) -> None:
    """A flight that cannot be counted goes to the quarantine with the reason, the others go on."""
    flights.loc[1, column] = value
    outputs, _ = parted(screen_flights(flights, FEW))
    assert outputs["quarantined"]["flight"].tolist() == [2]
    assert outputs["quarantined"]["reason"].tolist() == [reason]
    assert outputs["counts"].quarantined == {"cancelled": 0, "diverted": 0, "implausible": 0, reason: 1}
    assert outputs["flown"]["arr_delay"].tolist() == [-5, 15]


def test_repeated_flight(flights: pd.DataFrame) -> None:
    """A flight that is listed twice is noticed."""
    twice = pd.concat([flights, flights.head(1)], ignore_index=True)
    _, expectations = parted(screen_flights(twice, FEW))
    assert [label for label, met in expectations.items() if not met] == ["flights.unique_key"]


def test_too_few_flights(flights: pd.DataFrame) -> None:
    """An expectation that is not met says what was expected and what was found, and stops nothing."""
    first = next(iter(screen_flights(flights, FlightLimits())))
    assert (first.success, first.metadata) == (False, {"expected": "at least 10,000 flights", "found": "3"})


def test_no_flight_left(flights: pd.DataFrame) -> None:
    """With nothing left to count there is no use in going on."""
    with pytest.raises(Failure, match="No flight is left after screening"):
        list(screen_flights(flights.assign(dep_delay=float("nan")), FEW))


def test_impossible_wind(folder: Path) -> None:
    """An hour with an impossible wind is left out; a missing measurement is no reason to."""
    weather = read_weather(Source(folder=str(folder)))
    weather.loc[0, "wind_speed"] = 1048.0
    outputs, expectations = parted(screen_weather(weather, WeatherLimits()))
    assert [label for label, met in expectations.items() if not met] == ["weather.wind_range"]
    assert outputs["weather"]["origin"].tolist() == ["JFK", "EWR"]


def test_references(folder: Path, flights: pd.DataFrame) -> None:
    """What flights refer to is looked for, and what is unknown is named."""
    weather = read_weather(Source(folder=str(folder)))
    tables = {output.name: output.value for output in read_lookups(Source(folder=str(folder)))}
    tables["airports"] = tables["airports"].head(1)
    outputs, expectations = parted(check_references(flights, weather.head(2), **tables, config=ReferenceLimits()))
    assert expectations == {
        "flights.carrier_known": True,
        "flights.dest_known": False,
        "flights.tailnum_known": True,
        "flights.hour_known": False,
    }
    assert [check.found for check in outputs["result"]] == ["all", "66.67% (not LAX)", "all", "66.67%"]
