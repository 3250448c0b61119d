"""S3 requests of a run, counted where they leave botocore as HTTP requests: what a step costs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from solidstate import pipeline, solid
from solidstate.handler.entry import make_handler
from solidstate.handler.runtime import Runtime
from solidstate.infra import local_run
from solidstate.infra.home import Home
from solidstate.storage import s3
from solidstate.storage.records import RunSummary
from tests.e2e.everything import REQUEST, everything

Requests = list[tuple[str, str]]


class Meter:
    """Counts requests by invocation. Invocations take turns, so that each request has one owner whatever its thread."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.log: Requests = []
        self.by_step: dict[str, list[Requests]] = {}
        self._turn = threading.Lock()
        make_client = s3.s3_client

        def client(*given: Any, **named: Any) -> Any:
            made = make_client(*given, **named)
            made.meta.events.register("before-send.s3", self._sent)
            return made

        def handler(runtime: Runtime) -> Any:
            inner = make_handler(runtime)

            def counted(event: Any, context: Any) -> Any:
                with self._turn:
                    before = len(self.log)
                    try:
                        return inner(event, context)
                    finally:
                        self.by_step.setdefault(event.get("step", event["kind"]), []).append(self.log[before:])

            return counted

        patch.setattr(s3, "s3_client", client)
        patch.setattr(local_run, "make_handler", handler)

    def _sent(self, request: Any, **_: Any) -> None:
        parts = urlsplit(request.url)
        kind = "LIST" if "list-type" in parts.query else request.method
        self.log.append((kind, unquote(parts.path).partition("/v1/")[2].split("/")[0]))


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Meter:
    """In place before the run makes its client."""
    return Meter(monkeypatch)


@solid
def source() -> int:
    return 1


@solid
def join(values: list[int]) -> int:
    return sum(values)


@solid
def twice(a: int, b: int) -> int:
    return a + b


@pipeline
def fans() -> None:
    """Steps with 0, 1, 2 and 7 distinct upstream steps, one that reads the same step twice, and no rendezvous."""
    many = [source.alias(f"source_{number}")() for number in range(10)]
    join.alias("of_seven")(many[:7])
    pair = twice.alias("of_two")(many[7], many[8])
    join.alias("of_one")([pair])
    twice.alias("same_twice")(many[9], many[9])


def moto(definition: Any, request: Any, folder: Path, run: str = "r") -> RunSummary:
    """A run on the local AWS."""
    return local_run.run_local(definition, request, engine="moto", home=Home(folder), run_id=run)


def test_k_gets_and_one_put_for_a_step_with_k_producers(meter: Meter, tmp_path: Path) -> None:
    """For every step of the run; start and end are counted too."""
    assert moto(fans, {}, tmp_path).status == "success"
    producers = {f"source_{number}": 0 for number in range(10)} | {
        "of_seven": 7,
        "of_two": 2,
        "of_one": 1,
        "same_twice": 1,
    }
    for step, k in producers.items():
        assert meter.by_step[step] == [[("GET", "commits")] * k + [("PUT", "commits")]], step
    assert meter.by_step["start"] == [[("PUT", "plans"), ("PUT", "runs")]]
    # One GET for the run record and one for each step's commit, then the merged events and the summary.
    assert sorted(meter.by_step["end"][0]) == sorted(
        [("GET", "runs")] + [("GET", "commits")] * 14 + [("PUT", "runs")] * 2
    )


def test_what_failures_large_values_and_large_requests_add(meter: Meter, tmp_path: Path) -> None:
    """A large output is a PUT and a large input a GET more; a large request a GET a step; a repetition a GET."""
    large = {**REQUEST, "solids": {"split": {"inputs": {"numbers": [*range(1, 200)] * 60}}}}
    assert moto(everything, large, tmp_path).status == "failed"
    # What a rendezvous adds depends on who comes first; tests/infra/test_rendezvous.py counts it.
    shape = {
        step: [
            [kind for kind, folder in attempt if folder not in ("parked", "ended")]
            for attempt in tries
            if ("PUT", "parked") not in attempt
        ]
        for step, tries in meter.by_step.items()
    }
    assert shape["split"] == [["GET", "PUT"]]
    assert shape["low"] == [["GET", "GET", "PUT"]]
    assert shape["large"] == [["GET", "GET", "PUT", "PUT"]]
    # A failing attempt looks once whether another has committed meanwhile; so does one that begins as a repetition.
    assert shape["flaky"] == [["GET", "GET", "GET", "PUT"], ["GET", "GET", "GET", "PUT"]]
    assert shape["skipped"] == [["GET", "GET", "PUT"]]
    # It looks for the commits of three, and for the end of the one that has none.
    assert [*shape["after_failure"][0][:3], shape["after_failure"][0][-1]] == ["GET", "GET", "GET", "PUT"]
    assert sorted(shape["total"][0]) == sorted(["GET"] * 7 + ["PUT"])
