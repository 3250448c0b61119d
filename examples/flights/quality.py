"""Look at the data before believing it: expectations, and a quarantine for rows that must not be counted.

An expectation that is not met is recorded and shown; it stops nothing. What makes going on pointless raises Failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pandas as pd

from flights.tables import Airlines, Airports, Flights, Planes, Weather, frame_with
from solidstate import Compute, ExpectationResult, Failure, Out, Output, solid

KEPT = ("carrier", "origin", "dest", "hour", "time_hour", "arr_delay")
Flown = Annotated[pd.DataFrame, frame_with("Flown", *KEPT, "late")]
Quarantined = Annotated[pd.DataFrame, frame_with("Quarantined", "carrier", "flight", "time_hour", "reason")]

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Check(msgspec.Struct, frozen=True):
    """The outcome of one expectation, as a value: events are for people, this is what the report prints."""

    table: str
    label: str
    expected: str
    found: str
    success: bool

    def as_event(self) -> ExpectationResult:
        return ExpectationResult(
            success=self.success,
            label=f"{self.table}.{self.label}",
            metadata={"expected": self.expected, "found": self.found},
        )


class Counts(msgspec.Struct, frozen=True):
    """How many flights there were, in all and of each carrier, and how many were set aside for which reason."""

    flights: int
    flights_per_carrier: dict[str, int]
    late_after_min: int
    quarantined: dict[str, int]


class FlightLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a plausible flight is, and from how many minutes on it counts as late.

    The fastest credible flight in the data made 591 mph over ground with the jet stream behind it.
    """

    min_rows: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    max_speed_mph: Annotated[float, msgspec.Meta(gt=0)] = 620.0
    late_after_min: Annotated[int, msgspec.Meta(ge=0)] = 15


class WeatherLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a plausible hour is. The highest gust ever measured outside a tornado is 253 mph (WMO); the airports saw
    nothing near it."""

    max_wind_mph: Annotated[float, msgspec.Meta(gt=0)] = 150.0


class ReferenceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Which share of flights must be found in the other tables. Two airlines report fleet numbers in place of tail
    numbers, so a good part of the planes is never found."""

    min_planes: Share = 0.8
    min_weather: Share = 0.99


@solid(
    compute=Compute(memory_mb=2048, timeout_s=120),
    outs={
        "flown": Out(Flown, "flights that arrived, with their delay"),
        "counts": Out(Counts),
        "checks": Out(list[Check]),
        "quarantined": Out(Quarantined, "flights that cannot be counted, with the reason", optional=True),
    },
)
def screen_flights(flights: Flights, config: FlightLimits) -> Iterator[Any]:
    """Test the flights and part them: those that can be counted, and those that cannot, with the reason."""
    key = ["time_hour", "carrier", "flight", "origin"]
    hours = flights["hour"]
    checks = [
        at_least("flights", "row_count", "flights", len(flights), config.min_rows),
        none_of("flights", "unique_key", f"a unique {', '.join(key)}", flights.duplicated(key)),
        none_of("flights", "hour_range", "hours from 0 to 23", ~hours.between(0, 23)),
        none_of("flights", "distance_range", "positive distances", flights["distance"] <= 0),
    ]
    reason = reasons(flights, config.max_speed_mph)
    checks.append(
        none_of("flights", "speed_range", f"speeds up to {config.max_speed_mph:g} mph", reason == "implausible")
    )
    for check in checks:
        yield check.as_event()
    bad = reason.notna()
    if bad.all():
        raise Failure("No flight is left after screening.", {"flights": len(flights), "limits": config})
    counted = reason.value_counts()
    quarantined = {str(name): int(counted[name]) for name in reason.cat.categories}
    flown = flights.loc[~bad, list(KEPT)].reset_index(drop=True)
    flown["arr_delay"] = flown["arr_delay"].astype("int16")
    flown["late"] = flown["arr_delay"] > config.late_after_min
    yield Output(flown, "flown")
    per_carrier = {str(carrier): int(count) for carrier, count in flights["carrier"].value_counts(sort=False).items()}
    yield Output(Counts(len(flights), per_carrier, config.late_after_min, quarantined), "counts")
    yield Output(checks, "checks")
    if bad.any():
        rows = flights[bad].assign(reason=reason[bad]).reset_index(drop=True)
        yield Output(rows, "quarantined", metadata=quarantined)


def reasons(flights: pd.DataFrame, max_speed_mph: float) -> pd.Series:
    """Why each flight must not be counted; missing for those that may.

    ``cancelled`` flights never left, ``diverted`` ones left and did not arrive where they were to, ``implausible`` ones
    would have flown faster than ``max_speed_mph``.
    """
    kinds = pd.CategoricalDtype(["cancelled", "diverted", "implausible"])
    reason = pd.Series(pd.NA, index=flights.index, dtype=kinds)
    reason[flights["distance"] / (flights["air_time"] / 60) > max_speed_mph] = "implausible"
    reason[flights["arr_delay"].isna()] = "diverted"
    reason[flights["dep_delay"].isna()] = "cancelled"
    return reason


@solid(outs={"weather": Out(Weather), "checks": Out(list[Check])})
def screen_weather(weather: Weather, config: WeatherLimits) -> Iterator[Any]:
    """Test the weather and leave out the hours that cannot have been."""
    impossible = weather["wind_speed"] > config.max_wind_mph
    checks = [
        none_of("weather", "unique_key", "one row per airport and hour", weather.duplicated(["origin", "time_hour"])),
        none_of("weather", "humidity_range", "0 to 100 %", ~in_range(weather["humid"], 0, 100)),
        none_of("weather", "temperature_range", "-50 to 130 °F", ~in_range(weather["temp"], -50, 130)),
        none_of("weather", "wind_range", f"winds up to {config.max_wind_mph:g} mph", impossible),
    ]
    for check in checks:
        yield check.as_event()
    yield Output(weather[~impossible].reset_index(drop=True), "weather")
    yield Output(checks, "checks")


@solid(outs={"result": Out(list[Check])})
def check_references(
    flights: Flights, weather: Weather, airlines: Airlines, airports: Airports, planes: Planes, config: ReferenceLimits
) -> Iterator[Any]:
    """Test that what flights refer to is there: their airline, destination, plane and weather."""
    hours = pd.MultiIndex.from_frame(weather[["origin", "time_hour"]].astype({"origin": "str"}))
    wanted = pd.MultiIndex.from_frame(flights[["origin", "time_hour"]].astype({"origin": "str"}))
    checks = [
        known("carrier", "airlines", flights["carrier"].isin(airlines["carrier"]), 1.0, flights["carrier"]),
        known("dest", "airports", flights["dest"].isin(airports["faa"]), 1.0, flights["dest"]),
        known("tailnum", "planes", flights["tailnum"].isin(planes["tailnum"]), config.min_planes),
        known("hour", "weather", pd.Series(wanted.isin(hours), index=flights.index), config.min_weather),
    ]
    for check in checks:
        yield check.as_event()
    yield Output(checks)


def at_least(table: str, label: str, what: str, found: int, limit: int) -> Check:
    return Check(table, label, f"at least {limit:,} {what}", f"{found:,}", found >= limit)


def none_of(table: str, label: str, expected: str, bad: pd.Series) -> Check:
    count = int(bad.sum())
    found = f"{count:,} {'row that is' if count == 1 else 'rows that are'} not" if count else "all rows so"
    return Check(table, label, expected, found, count == 0)


def in_range(values: pd.Series, low: float, high: float) -> pd.Series:
    """Missing values are nobody's fault here."""
    return values.between(low, high) | values.isna()


def known(label: str, where: str, found: pd.Series, limit: float, names: pd.Series | None = None) -> Check:
    share = float(found.mean()) if len(found) else 1.0
    text = f"{share:.2%}" if share < 1 else "all"
    if names is not None and not found.all():
        text += f" (not {', '.join(sorted(names[~found].astype('str').unique())[:8])})"
    expected = f"every {label} in {where}" if limit >= 1 else f"{limit:.0%} of each {label} in {where}"
    return Check("flights", f"{label}_known", expected, text, share >= limit)
