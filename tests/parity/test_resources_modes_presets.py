"""Modes, resources, presets and repositories as 2019 had them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from solidstate import Mode, execute_solid, resource, solid
from tests.parity.running import built, failed, rejected, run, statuses, undefined


class Connection(msgspec.Struct):
    host: str
    port: int = 5432


class Limit(msgspec.Struct):
    limit: int = 1
    unit: str = "rows"


closed: list[str] = []


@resource
def database(config: Connection) -> str:
    """A connection."""
    return f"{config.host}:{config.port}"


@resource
def session(context: Any) -> Iterator[str]:
    yield "open"
    closed.append(context.step_key)


@solid(resources={"db"})
def query(context: Any) -> Any:
    return context.resources.db


@solid
def take(config: Limit) -> str:
    return f"{config.limit} {config.unit}"


def test_there_is_one_mode_without_any() -> None:
    """It is called `default` and has no resources."""
    assert [(mode.name, mode.resources) for mode in built(take).modes] == [("default", {})]


def test_modes_give_other_resources_to_the_same_solids() -> None:
    """A body asks by key; the mode says what is behind it."""
    modes = [Mode("test", {"db": "fake"}), Mode("live", {"db": "real"})]
    assert [run(query, {"mode": mode}, modes=modes).output("query") for mode in ("test", "live")] == ["fake", "real"]


def test_one_of_several_modes_must_be_chosen() -> None:
    """There is no default among them."""
    assert rejected(query, {}, modes=[Mode("a", {"db": 1}), Mode("b", {"db": 2})]) == (
        "Missing required field `mode`; pipeline `p` has `a`, `b`.\n"
        "  at: mode\n"
        '  fix: add it, for example `{"mode":"a"}`'
    )


def test_an_only_mode_need_not_be_chosen() -> None:
    """Whatever its name."""
    assert run(query, modes=[Mode("only", {"db": 1})]).summary.mode == "only"


def test_an_unknown_mode() -> None:
    """Is refused, with those there are."""
    assert rejected(query, {"mode": "zz"}, modes=[Mode("a", {"db": 1}), Mode("b", {"db": 2})]) == (
        "There is no mode 'zz'.\n  at: mode\n  fix: modes: `a`, `b`"
    )


def test_two_modes_of_one_name() -> None:
    """Are refused."""
    assert undefined(lambda: built(take, modes=[Mode("a"), Mode("a")])) == (
        "Pipeline `p` has 2 modes named `a`.\n  at: p\n  fix: give each mode a name of its own"
    )


def test_a_mode_must_provide_what_solids_need() -> None:
    """A resource that a solid requires and a mode lacks is told when the pipeline is built."""
    assert undefined(lambda: built(query, modes=[Mode("default", {"clock": 1})])) == (
        "Resource `db` is required by solid `query`, but mode `default` does not provide it.\n"
        "  at: p.modes.default\n"
        '  fix: add it: `Mode("default", resources={"db": ...})`'
    )


def test_a_mode_is_described() -> None:
    """`Mode(description=...)`."""
    assert Mode("live", description="Against production.").description == "Against production."


def test_a_resource_is_configured() -> None:
    """Under `resources.<key>.config`, with defaults filled in."""
    request = {"resources": {"db": {"config": {"host": "h"}}}}
    assert run(query, request, modes=[Mode("live", {"db": database})]).output("query") == "h:5432"


def test_config_of_a_resource_is_checked() -> None:
    """Like that of a solid."""
    assert rejected(
        query, {"resources": {"db": {"config": {"port": "x"}}}}, modes=[Mode("live", {"db": database})]
    ) == (
        "2 errors\n"
        "  1. Expected `int`, got 'x' of type `str`.\n"
        "    at: resources.db.config.port\n"
        "    fix: for example `0`\n"
        "  2. Missing required field `host` of type `str`.\n"
        "    at: resources.db.config.host\n"
        '    fix: add it, for example `{"resources":{"db":{"config":{"host":"..."}}}}`'
    )


def test_an_unknown_resource_in_the_request() -> None:
    """Is refused."""
    assert rejected(query, {"resources": {"bd": {}}}, modes=[Mode("default", {"db": 1})]) == (
        "Unknown field 'bd'.\n  at: resources.bd\n  fix: known here: `db`"
    )


def test_only_the_chosen_modes_resources_are_configured() -> None:
    """The config another mode would need is not asked for."""
    assert run(query, {"mode": "test"}, modes=[Mode("test", {"db": 1}), Mode("live", {"db": database})]).success


def test_a_plain_value_is_a_resource() -> None:
    """`ResourceDefinition.hardcoded_resource(value)`."""
    assert run(query, modes=[Mode("default", {"db": [1, 2]})]).output("query") == [1, 2]


def test_nothing_is_a_resource() -> None:
    """`ResourceDefinition.none_resource()`."""
    assert run(query, modes=[Mode("default", {"db": None})]).output("query") is None


def test_a_resource_is_torn_down() -> None:
    """What follows the `yield` of a generator is run when the step has ended."""
    closed.clear()
    assert run(query.alias("q"), modes=[Mode("default", {"db": session})]).output("q") == "open"
    assert closed == ["q"]


def test_a_resource_is_torn_down_after_a_failure() -> None:
    """The body's failure does not keep it open."""
    closed.clear()

    @solid(resources={"db"})
    def boom(context: Any) -> None:
        raise LookupError(context.resources.db)

    assert failed(run(boom, modes=[Mode("default", {"db": session})]), "boom") == "open"
    assert closed == ["boom"]


def test_resources_are_opened_by_each_step() -> None:
    """2019 opened them once per process, before any step; here a step is a process and opens what it uses."""
    closed.clear()

    def body() -> None:
        query.alias("a")()
        query.alias("b")()
        take()

    result = run(body, modes=[Mode("default", {"db": session, "other": session})])
    opened: list[Any] = result.events_of_kind("resource_init")
    assert [(event.step, event.name) for event in opened] == [("a", "db"), ("b", "db")]
    assert closed == ["a", "b"]


def test_a_resource_that_cannot_be_opened() -> None:
    """2019 ended the run before its first step (PIPELINE_INIT_FAILURE); here the step that asked fails, by name."""

    @resource
    def broken() -> None:
        raise ConnectionError("refused")

    def body() -> None:
        take()
        query()

    result = run(body, modes=[Mode("default", {"db": broken})])
    assert statuses(result) == {"take": "success", "query": "failed"}
    assert failed(result, "query") == "refused (while opening resource `db`)"


def test_only_what_was_declared_can_be_used() -> None:
    """A body that asks for a resource it did not declare fails."""

    @solid
    def sneak(context: Any) -> Any:
        return context.resources.db

    assert failed(run(sneak, modes=[Mode("default", {"db": 1})]), "sneak") == (
        "Solid asked for resource `db`, but declares none."
    )


def test_a_resource_may_need_others() -> None:
    """By the names of its parameters, which 2019 could not."""

    @resource
    def client(db: str) -> str:
        return f"client of {db}"

    @solid(resources={"client"})
    def use(context: Any) -> Any:
        return context.resources.client

    assert run(use, modes=[Mode("default", {"db": "x", "client": client})]).output("use") == "client of x"


def test_a_resource_is_described() -> None:
    """Its docstring, or `description=`."""
    told = resource(name="db", description="Another.")(lambda: 1)
    assert (database.description, told.description) == ("A connection.", "Another.")


def test_resources_in_a_unit_test() -> None:
    """`execute_solid` takes them as plain values."""
    assert execute_solid(query, resources={"db": "fake"}).output() == "fake"


lines: list[tuple[str, str]] = []


@resource
def console(config: Limit) -> Any:
    return lambda event: lines.append((config.unit, f"{event.level}: {event.message}"))


@solid
def chatty(context: Any) -> None:
    context.log.info("hello", name="you")
    context.log.error("oh")


def test_a_mode_has_loggers() -> None:
    """Which get what solids log, beside its becoming events; in another mode nobody does."""
    lines.clear()
    kept: list[Any] = []
    modes = [Mode("here", {"list": kept.append}, loggers=["list"]), Mode("there")]
    result = run(chatty, {"mode": "here"}, modes=modes)
    assert kept == result.events_of_kind("log")
    assert [(event.level, event.message, event.fields) for event in kept] == [
        ("info", "hello", {"name": "you"}),
        ("error", "oh", {}),
    ]
    run(chatty, {"mode": "there"}, modes=modes)
    assert len(kept) == 2


def test_loggers_have_config() -> None:
    """Typed and validated as that of any resource, because they are."""
    lines.clear()
    modes = [Mode("default", {"console": console}, loggers=["console"])]
    run(chatty, {"resources": {"console": {"config": {"unit": "u"}}}}, modes=modes)
    assert lines == [("u", "info: hello"), ("u", "error: oh")]
    assert rejected(chatty, {"resources": {"console": {"config": {"limit": "x"}}}}, modes=modes).startswith(
        "Expected `int`, got 'x'"
    )


def test_every_logger_gets_every_message() -> None:
    """In the order in which the mode names them."""
    lines.clear()
    both = {
        "a": lambda event: lines.append(("a", event.message)),
        "b": lambda event: lines.append(("b", event.message)),
    }
    run(chatty, modes=[Mode("default", both, loggers=["b", "a"])])
    assert lines == [("b", "hello"), ("a", "hello"), ("b", "oh"), ("a", "oh")]
