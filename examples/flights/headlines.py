"""The ten figures worth knowing, as data and as text.

This module needs nothing but msgspec, so that it can be run on the file a run leaves behind:
``python examples/flights/headlines.py build/flights/headlines.json``
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec


class Ranked(msgspec.Struct, frozen=True):
    """The first or last of its kind. ``mean_delay`` is the mean arrival delay in minutes; below zero is early."""

    key: str
    name: str
    arrivals: int
    mean_delay: float


class Headlines(msgspec.Struct, frozen=True, kw_only=True):
    """What the year was like. Delays are arrival delays in minutes, of flights that arrived where they were to.

    A flight is late after ``late_after_min`` minutes; an airline or a destination is ranked from ``min_arrivals`` on.
    What the data do not show is None: none may have arrivals enough, no wind may have been measured.
    """

    flights: int
    cancelled: int
    quarantined: int
    flights_per_carrier: dict[str, int]
    mean_delay_per_carrier: dict[str, float]
    mean_delay: float
    late_share: float
    late_after_min: int
    min_arrivals: int
    busiest_carrier: Ranked
    best_carrier: Ranked | None
    worst_carrier: Ranked | None
    worst_destination: Ranked | None
    worst_hour: Ranked
    calm: Ranked | None
    windy: Ranked | None


def minutes(value: float) -> str:
    """``12.3 min late`` or ``4.5 min early``."""
    return f"{abs(value):.1f} min {'late' if value >= 0 else 'early'}"


def headline_lines(found: Headlines) -> list[tuple[str, str]]:
    """Ten pairs of what and how much, for people."""
    calm, windy = found.calm, found.windy
    wind = NO_DATA
    if calm is not None and windy is not None:
        wind = f"{minutes(windy.mean_delay)} at {windy.name}, {minutes(calm.mean_delay)} at {calm.name}"
    busiest = found.busiest_carrier
    return [
        ("Flights", f"{found.flights:,}"),
        ("Cancelled", f"{found.cancelled:,} ({found.cancelled / found.flights:.1%})"),
        ("Quarantined rows", f"{found.quarantined:,} (cancelled, diverted or implausible)"),
        ("Busiest airline", f"{busiest.name}, {found.flights_per_carrier[busiest.key]:,} flights"),
        ("Best airline", _named(found.best_carrier)),
        ("Worst airline", _named(found.worst_carrier)),
        ("Worst destination", _named(found.worst_destination)),
        ("Worst hour to leave", f"{found.worst_hour.name}, {minutes(found.worst_hour.mean_delay)}"),
        (
            f"More than {found.late_after_min} min late",
            f"{found.late_share:.1%} of arrivals; mean {minutes(found.mean_delay)}",
        ),
        ("Wind at departure", wind),
    ]


NO_DATA = "no data"


def _named(one: Ranked | None) -> str:
    return NO_DATA if one is None else f"{one.name} ({one.key}), {minutes(one.mean_delay)}"


def headline_text(found: Headlines) -> str:
    """The ten lines, aligned."""
    lines = headline_lines(found)
    width = max(len(what) for what, _ in lines)
    return "\n".join(f"{what:<{width}}  {much}" for what, much in lines)


def main(arguments: list[str]) -> int:
    """Print the headlines in a file. Returns the exit code: 2 when there is no such file or it is another's."""
    if len(arguments) != 1:
        print("usage: headlines.py FILE", file=sys.stderr)
        return 2
    try:
        found = msgspec.json.decode(Path(arguments[0]).read_bytes(), type=Headlines)
    except (OSError, msgspec.MsgspecError) as error:
        print(f"`{arguments[0]}` holds no headlines: {error}", file=sys.stderr)
        return 2
    print(headline_text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
