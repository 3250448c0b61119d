"""Loggers of a mode: called with every line, opened once an attempt, and without a say in the outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from solidstate import Mode, pipeline, resource, solid, success_hook
from solidstate.events import EngineEvent, LogMessage, ResourceInit

calls: list[Any] = []


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


class Paper(msgspec.Struct):
    title: str


@resource
def printer() -> str:
    return "printer"


@resource
def paper(context: Any, config: Paper, printer: str) -> Iterator[Any]:
    context.log.info("opened", by=printer)
    yield lambda event: calls.append((config.title, event.step, event.attempt, event.level, event.message))
    calls.append("closed")


@resource
def jammed(context: Any) -> Iterator[Any]:
    def write(event: LogMessage) -> None:
        calls.append(("jammed", event.message))
        raise OSError("no paper")

    yield write
    raise OSError("stuck")


@resource
def broken() -> Any:
    raise ConnectionError("nobody there")


async def aside(event: LogMessage) -> None:
    calls.append(("aside", event.fields))


@success_hook
def cheer(context: Any) -> None:
    context.log.warning("done")


@solid(hooks=[cheer])
def talk(context: Any) -> int:
    context.log.info("working", rows=3)
    return 1


@solid
def silent(context: Any) -> int:
    return 1


PAPER = {"resources": {"paper": {"config": {"title": "news"}}}}


def test_every_line_reaches_every_logger(bench: Any) -> None:
    """Of solids and hooks, in order; each logger is opened by the first line and closed behind the last one. That is no
    event of the step, and what a logger logs itself goes to none."""
    resources = {"paper": paper, "printer": printer, "aside": aside}
    modes = [Mode("default", resources, loggers=["paper", "aside"])]
    run = bench(pipeline(name="p", modes=modes)(lambda: talk()), PAPER)  # noqa: PLW0108 - a definition is no function
    run.step("talk")
    assert calls == [
        ("news", "talk", 1, "info", "working"),
        ("aside", {"rows": 3}),
        ("news", "talk", 1, "warning", "done"),
        ("aside", {}),
        "closed",
    ]
    logged = [event.message for event in run.events("talk") if isinstance(event, LogMessage)]
    assert logged == ["working", "opened", "done"]
    assert not [event for event in run.events("talk") if isinstance(event, ResourceInit)]


def test_one_that_raises_is_left_out(bench: Any) -> None:
    """Once it is told, the step goes on, and so do the other loggers."""
    resources = {"jammed": jammed, "broken": broken, "aside": aside}
    modes = [Mode("default", resources, loggers=list(resources))]
    run = bench(pipeline(name="p", modes=modes)(lambda: talk()))  # noqa: PLW0108 - a definition is no function
    assert run.step("talk").status == "success"
    assert calls == [("jammed", "working"), ("aside", {"rows": 3}), ("aside", {})]
    told = [event.fields for event in run.events("talk") if isinstance(event, EngineEvent)]
    assert told == [
        {"logger": "jammed", "error": "OSError: no paper (while logging with `jammed`)"},
        {"logger": "broken", "error": "ConnectionError: nobody there (while opening resource `broken`)"},
    ]
    assert run.lines[-1] == (
        "warning",
        "a logger raised when it was closed",
        {"logger": "jammed", "error": "OSError: stuck (while closing resource `jammed`)"},
    )


def test_who_logs_nothing_opens_no_logger(bench: Any) -> None:
    """As with any resource."""
    modes = [Mode("default", {"broken": broken}, loggers=["broken"])]
    run = bench(pipeline(name="p", modes=modes)(lambda: silent()))  # noqa: PLW0108 - a definition is no function
    run.step("silent")
    assert not [event for event in run.events("silent") if isinstance(event, EngineEvent)]


def test_a_failed_attempt_closes_its_loggers(bench: Any) -> None:
    """Whatever the step did."""

    @solid
    def fails(context: Any) -> None:
        context.log.error("oh")
        raise OSError("no")

    modes = [Mode("default", {"paper": paper, "printer": printer}, loggers=["paper"])]
    run = bench(pipeline(name="p", modes=modes)(lambda: fails()), PAPER)  # noqa: PLW0108 - a definition is no function
    run.fails("fails")
    assert calls == [("news", "fails", 1, "error", "oh"), "closed"]
