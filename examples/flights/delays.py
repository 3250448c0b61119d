"""Delays by carrier, destination, hour and wind, and the headlines made of them.

Every breakdown is a list of groups with sums, not means: sums can be added up again without an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Annotated, Any

import msgspec
import pandas as pd

from flights.headlines import Headlines, Ranked
from flights.quality import Counts, Flown
from flights.tables import Airlines, Airports, Weather, frame_with
from solidstate import Compute, solid

FlownInWind = Annotated[pd.DataFrame, frame_with("FlownInWind", "wind_speed", "arr_delay", "late")]


class Group(msgspec.Struct, frozen=True):
    """The arrivals that have ``key`` in common: how many, their delays' sum in minutes, how many were late."""

    by: str
    key: str
    name: str
    arrivals: int
    delay_min: int
    late: int

    @property
    def mean_delay(self) -> float:
        return self.delay_min / self.arrivals

    @property
    def late_share(self) -> float:
        return self.late / self.arrivals


class WindBands(msgspec.Struct, frozen=True, kw_only=True):
    """Where one band of wind speed ends and the next begins, in mph, rising."""

    edges_mph: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)] = (5, 10, 15, 20, 25)


class HeadlineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``min_arrivals``: an airline or destination with fewer arrivals is not ranked."""

    min_arrivals: Annotated[int, msgspec.Meta(ge=1)] = 100


@solid
def delays_by_carrier(flown: Flown, airlines: Airlines) -> list[Group]:
    """Arrival delays of each airline."""
    names = dict(zip(airlines["carrier"], airlines["name"], strict=True))
    return groups(flown, "carrier", lambda key: names.get(key, key))


@solid
def delays_by_destination(flown: Flown, airports: Airports) -> list[Group]:
    """Arrival delays at each destination."""
    names = dict(zip(airports["faa"], airports["name"], strict=True))
    return groups(flown.rename(columns={"dest": "destination"}), "destination", lambda key: names.get(key, key))


@solid
def delays_by_hour(flown: Flown) -> list[Group]:
    """Arrival delays by the hour in which the flight was to leave, local time."""
    return groups(flown, "hour", lambda key: f"{int(key):02}:00")


@solid(compute=Compute(memory_mb=2048, timeout_s=120))
def join_weather(flown: Flown, weather: Weather) -> FlownInWind:
    """Give each flight the wind at its airport in the hour it was to leave; missing where it was not measured."""
    wind = weather[["origin", "time_hour", "wind_speed"]].astype({"origin": flown["origin"].dtype})
    joined = flown[["origin", "time_hour", "arr_delay", "late"]].merge(
        wind, on=["origin", "time_hour"], how="left", validate="many_to_one"
    )
    return joined[["wind_speed", "arr_delay", "late"]]


@solid
def delays_by_wind(flights: FlownInWind, config: WindBands) -> list[Group]:
    """Arrival delays by the wind at departure, in bands of speed. Flights without a measurement are left out."""
    edges = config.edges_mph
    labels = [f"{low}" for low in [0, *edges]]
    names = [
        f"under {edges[0]} mph",
        *(f"{low} to {high} mph" for low, high in pairwise(edges)),
        f"{edges[-1]} mph or more",
    ]
    bands = pd.cut(flights["wind_speed"], [float("-inf"), *edges, float("inf")], right=False, labels=labels)
    by_label = dict(zip(labels, names, strict=True))
    return groups(flights.assign(wind=bands), "wind", lambda key: by_label[key])


def groups(flown: pd.DataFrame, by: str, name: Callable[[str], str]) -> list[Group]:
    """One group for each value of a column, in the order of the values."""
    found = flown.groupby(by, observed=True).agg(
        arrivals=("arr_delay", "size"), delay_min=("arr_delay", "sum"), late=("late", "sum")
    )
    return [
        Group(by, str(row.Index), name(str(row.Index)), int(row.arrivals), int(row.delay_min), int(row.late))
        for row in found.itertuples()
    ]


@solid
def find_headlines(counts: Counts, breakdowns: list[list[Group]], config: HeadlineConfig) -> Headlines:
    """The ten figures worth knowing."""
    by = by_name(breakdowns)
    carriers, hours, winds = by["carrier"], by["hour"], by.get("wind", [])
    airlines, places = (
        [group for group in by[name] if group.arrivals >= config.min_arrivals] for name in ("carrier", "destination")
    )
    arrived = sum(carrier.arrivals for carrier in carriers)
    return Headlines(
        flights=counts.flights,
        cancelled=counts.quarantined["cancelled"],
        quarantined=sum(counts.quarantined.values()),
        flights_per_carrier=counts.flights_per_carrier,
        mean_delay_per_carrier={carrier.key: carrier.mean_delay for carrier in carriers},
        mean_delay=sum(carrier.delay_min for carrier in carriers) / arrived,
        late_share=sum(carrier.late for carrier in carriers) / arrived,
        late_after_min=counts.late_after_min,
        min_arrivals=config.min_arrivals,
        busiest_carrier=ranked(max(carriers, key=lambda group: counts.flights_per_carrier[group.key])),
        best_carrier=ranked(min(airlines, key=mean_delay)) if airlines else None,
        worst_carrier=ranked(max(airlines, key=mean_delay)) if airlines else None,
        worst_destination=ranked(max(places, key=mean_delay)) if places else None,
        worst_hour=ranked(max(hours, key=mean_delay)),
        calm=ranked(winds[0]) if winds else None,
        windy=ranked(winds[-1]) if winds else None,
    )


def by_name(breakdowns: Iterable[list[Group]]) -> dict[str, list[Group]]:
    """The breakdowns by what they are by. An empty one is left out."""
    return {found[0].by: found for found in breakdowns if found}


def mean_delay(group: Group) -> float:
    return group.mean_delay


def ranked(group: Group) -> Ranked:
    return Ranked(group.key, group.name, group.arrivals, group.mean_delay)


def tidy(breakdowns: Iterable[list[Group]]) -> pd.DataFrame:
    """All breakdowns in one long table."""
    rows: list[dict[str, Any]] = [
        {**msgspec.to_builtins(group), "mean_delay": group.mean_delay, "late_share": group.late_share}
        for found in breakdowns
        for group in found
    ]
    return pd.DataFrame(rows)
