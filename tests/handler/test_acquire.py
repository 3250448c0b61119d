"""Resources of a step: opened at first use, once, closed in reverse, whatever happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from solidstate import Mode, pipeline, resource, solid
from solidstate.events import ResourceInit, ResourceTeardown

if TYPE_CHECKING:
    from tests.handler.conftest import Bench

LOG: list[str] = []


@pytest.fixture(autouse=True)
def _clean() -> None:
    LOG.clear()


class DbConfig(msgspec.Struct):
    url: str = "db://local"


@resource
def db(context: Any, config: DbConfig) -> Iterator[str]:
    LOG.append(f"open db {config.url} for {context.step_key} of {context.run_id} as {context.name}")
    context.log.info("connected")
    yield config.url
    LOG.append("close db")


@resource
def table(db: str) -> Iterator[str]:
    LOG.append(f"open table in {db}")
    yield f"{db}/table"
    LOG.append("close table")


@resource
def unhurried(context: Any) -> str:
    LOG.append("open unhurried")
    time.sleep(0.05)
    return "here"


@resource
def broken() -> Iterator[str]:
    raise ConnectionError("no route")
    yield "never"


@resource
def sour() -> Iterator[str]:
    yield "sour"
    raise OSError("disk full")


@resource
def silent() -> Iterator[str]:
    if LOG is None:
        yield "never"


@resource
def twice() -> Iterator[int]:
    yield 1
    yield 2


RESOURCES = {
    "db": db,
    "table": table,
    "broken": broken,
    "sour": sour,
    "silent": silent,
    "twice": twice,
    "plain": 7,
    "unhurried": unhurried,
}


@solid(resources={"db", "table", "plain"})
def use(context: Any) -> list[Any]:
    LOG.append("begin")
    return [context.resources.table, context.resources.table, context.resources.plain]


@solid(resources={"db"})
def idle() -> None:
    """Asks for nothing."""


@solid(resources={"table", "db"})
def fail(context: Any) -> None:
    assert context.resources.table
    raise ValueError("after opening")


@solid(resources={"broken"})
def open_broken(context: Any) -> None:
    assert context.resources.broken


@solid(resources={"broken"})
def cope(context: Any) -> str:
    try:
        return str(context.resources.broken)
    except ConnectionError as error:
        return f"without: {error}"


@solid(resources={"sour", "db"})
def use_sour(context: Any) -> str:
    return f"{context.resources.db} {context.resources.sour}"


@solid(resources={"silent"})
def open_silent(context: Any) -> None:
    assert context.resources.silent


@solid(resources={"twice"})
def use_twice(context: Any) -> int:
    return int(context.resources.twice)


@solid(resources={"table"})
def undeclared(context: Any) -> None:
    assert context.resources.tabel


@solid
def none_declared(context: Any) -> None:
    assert context.resources.db


@solid(resources={"unhurried"})
def threads(context: Any) -> int:
    barrier = threading.Barrier(4, timeout=10)

    def ask() -> None:
        barrier.wait()
        assert context.resources.unhurried

    running = [threading.Thread(target=ask) for _ in range(4)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return 1


@pipeline(modes=[Mode("default", resources=RESOURCES)])
def using() -> None:
    use()
    idle()
    fail()
    open_broken()
    cope()
    use_sour()
    open_silent()
    use_twice()
    undeclared()
    none_declared()
    threads()


REQUEST = {"resources": {"db": {"config": {"url": "db://prod"}}}}


def test_opened_lazily_once_with_config_and_needs(bench: type[Bench]) -> None:
    """In the order of need; closed in reverse; the context names run, step and resource."""
    run = bench(using, REQUEST)
    run.step("use")
    assert LOG == [
        "begin",
        "open db db://prod for use of run-1 as db",
        "open table in db://prod",
        "close table",
        "close db",
    ]
    opened = [event.name for event in run.events("use") if isinstance(event, ResourceInit)]
    closed = [event.name for event in run.events("use") if isinstance(event, ResourceTeardown)]
    assert (opened, closed) == (["db", "table", "plain"], ["table", "db"])


def test_nothing_is_opened_that_is_not_asked_for(bench: type[Bench]) -> None:
    """Declaring is not opening."""
    bench(using).step("idle")
    assert LOG == []


def test_teardown_follows_a_failure(bench: type[Bench]) -> None:
    """And is recorded before the failure is."""
    run = bench(using)
    run.fails("fail")
    assert LOG[-2:] == ["close table", "close db"]
    assert run.kinds("fail")[-3:] == ["resource_teardown", "resource_teardown", "step_failure"]


def test_a_resource_that_cannot_be_opened_is_named(bench: type[Bench]) -> None:
    """The step failed, as user code failed: another attempt may do better."""
    failed = bench(using).fails("open_broken")
    assert type(failed).__name__ == "StepFailed"
    assert failed.error.type == "ConnectionError"
    assert failed.error.message == "no route (while opening resource `broken`)"
    assert failed.error.place is not None
    assert failed.error.place.code == 'raise ConnectionError("no route")'
    assert "UserCodeRaised" not in failed.error.traceback


def test_a_solid_may_handle_what_its_resource_raised(bench: type[Bench]) -> None:
    """It gets the very exception."""
    run = bench(using)
    run.step("cope")
    assert run.commit("cope").output("result") is not None


def test_a_teardown_that_raises_is_recorded_and_stops_nothing(bench: type[Bench]) -> None:
    """The other resources are closed and the step succeeds; the log warns."""
    run = bench(using)
    assert run.step("use_sour").status == "success"
    assert LOG[-1] == "close db"
    errors = {e.name: e.error and e.error.message for e in run.events("use_sour") if isinstance(e, ResourceTeardown)}
    assert errors == {"sour": "disk full (while closing resource `sour`)", "db": None}
    assert [line[:2] for line in run.lines if line[0] == "warning"] == [("warning", "closing resource `sour` failed")]


def test_a_generator_must_yield_exactly_once(bench: type[Bench]) -> None:
    """Never is an error at opening, twice one at closing."""
    run = bench(using)
    failed = run.fails("open_silent")
    assert failed.error.message == "Resource `silent` ended without yielding anything."
    assert failed.error.hint == "yield the resource once; what follows the `yield` is its teardown"
    assert run.step("use_twice").status == "success"
    (closed,) = [event for event in run.events("use_twice") if isinstance(event, ResourceTeardown)]
    assert closed.error is not None
    assert closed.error.message == "Resource `twice` yielded twice."


def test_asking_for_what_was_not_declared(bench: type[Bench]) -> None:
    """Refused: the mode may not have it at all."""
    run = bench(using)
    failed = run.fails("undeclared")
    assert type(failed).__name__ == "StepRefused"
    assert failed.error.message == "Solid asked for resource `tabel`, but declares `table`."
    assert failed.error.hint == "did you mean `table`?"
    failed = run.fails("none_declared")
    assert failed.error.message == "Solid asked for resource `db`, but declares none."
    assert failed.error.hint == 'declare it: `@solid(resources={"db"})`'


def test_threads_of_a_solid_share_a_resource(bench: type[Bench]) -> None:
    """Asked for at the same time, it is opened once."""
    bench(using).step("threads")
    assert LOG == ["open unhurried"]
