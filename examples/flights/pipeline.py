"""Which flights out of New York City are late? A pipeline on real data, made to be copied.

Here is the wiring alone: what feeds what, in which modes it runs. What the solids do is in the modules beside this one.
"""

from __future__ import annotations

from flights.delays import (
    delays_by_carrier,
    delays_by_destination,
    delays_by_hour,
    delays_by_wind,
    find_headlines,
    join_weather,
)
from flights.quality import check_references, screen_flights, screen_weather
from flights.report import draw_picture, keep_quarantined, write_page, write_tables
from flights.resources import bucket_reports, folder_reports
from flights.tables import read_flights, read_lookups, read_weather
from solidstate import Mode, Preset, pipeline

LOCAL = Mode("local", resources={"reports": folder_reports}, description="Reports go to a folder.")
PROD = Mode("prod", resources={"reports": bucket_reports}, description="Reports go to S3.")

SAMPLE = Preset(
    "sample",
    mode="local",
    run_config={"solids": {"read_flights": {"config": {"months": 1}}}},
    description="The flights of January alone: a quick run.",
)


@pipeline(modes=[LOCAL, PROD], presets=[SAMPLE])
def flights() -> None:
    """Find out which flights are late, by airline, destination, hour and wind."""
    lookups = read_lookups()
    every = read_flights()
    weather = screen_weather(read_weather())
    screened = screen_flights(every)
    references = check_references(every, weather.weather, lookups.airlines, lookups.airports, lookups.planes)

    # Each breakdown waits for what it reads and for nothing else: the one by hour does not wait for the weather.
    in_wind = join_weather(screened.flown, weather.weather)
    breakdowns = [
        delays_by_carrier(screened.flown, lookups.airlines),
        delays_by_destination(screened.flown, lookups.airports),
        delays_by_hour(screened.flown),
        delays_by_wind(in_wind),
    ]

    # A list is fan-in: the solid gets the values of all of them, in this order.
    headlines = find_headlines(screened.counts, breakdowns)
    picture = draw_picture(headlines, breakdowns)
    write_tables(headlines, breakdowns)
    write_page(headlines, screened.counts, breakdowns, [screened.checks, weather.checks, references], picture)

    # An optional output: when no row is quarantined, this step is skipped.
    keep_quarantined(screened.quarantined)
