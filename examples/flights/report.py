"""Solids that leave something behind: picture, tables, page. Each file is recorded as a Materialization."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import msgspec
import pandas as pd

from flights.delays import Group, by_name, tidy
from flights.headlines import Headlines, headline_lines
from flights.page import render
from flights.picture import draw
from flights.quality import Check, Counts, Quarantined
from solidstate import Compute, Materialization, Out, Output, RetryPolicy, solid

AGAIN = RetryPolicy(max_attempts=3, delay_s=1, jitter=True)
"""Writing to a file share or to S3 may fail for a moment."""


@solid(
    retry=AGAIN,
    compute=Compute(memory_mb=2048, timeout_s=120),
    resources={"reports"},
    outs={"result": Out(bytes, "the picture, a PNG")},
)
def draw_picture(context: Any, headlines: Headlines, breakdowns: list[list[Group]]) -> Iterator[Any]:
    """Draw the delays in four panels: ``delays.png``."""
    picture = draw(headlines, by_name(breakdowns))
    yield publish(context, "picture", "delays.png", picture)
    yield Output(picture)


@solid(retry=AGAIN, resources={"reports"}, outs={})
def write_tables(context: Any, headlines: Headlines, breakdowns: list[list[Group]]) -> Iterator[Any]:
    """Write the figures for programs: every group to ``delays.parquet``, the headlines to ``headlines.json``."""
    table = tidy(breakdowns)
    yield publish(context, "delays", "delays.parquet", parquet(table), rows=len(table))
    text = msgspec.json.format(msgspec.json.encode(headlines), indent=2)
    yield publish(context, "headlines", "headlines.json", text, **dict(headline_lines(headlines)))


@solid(retry=AGAIN, resources={"reports"}, outs={})
def write_page(
    context: Any,
    headlines: Headlines,
    counts: Counts,
    breakdowns: list[list[Group]],
    checks: list[list[Check]],
    picture: bytes,
) -> Iterator[Any]:
    """Write the report for people, one file with everything in it: ``report.html``."""
    every = [check for found in checks for check in found]
    page = render(headlines, counts, by_name(breakdowns), every, picture).encode()
    unmet = sum(not check.success for check in every)
    yield publish(context, "report", "report.html", page, expectations=len(every), unmet=unmet)


@solid(retry=AGAIN, resources={"reports"}, outs={})
def keep_quarantined(context: Any, quarantined: Quarantined) -> Iterator[Any]:
    """Keep the rows that were set aside, with the reason, for whoever wants to know: ``quarantined.parquet``."""
    reasons = {str(name): int(count) for name, count in quarantined["reason"].value_counts().items()}
    yield publish(context, "quarantined", "quarantined.parquet", parquet(quarantined), rows=len(quarantined), **reasons)


def publish(context: Any, label: str, name: str, data: bytes, **facts: Any) -> Materialization:
    """Save a file where the mode wants it, and say so."""
    path = context.resources.reports.save(context, name, data)
    context.log.info("saved", path=path, bytes=len(data))
    return Materialization(label, path, metadata={"bytes": len(data), **facts})


def parquet(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    return file.getvalue()
