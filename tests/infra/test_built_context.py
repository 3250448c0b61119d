"""`build_context`: unit tests of a solid, called as the function it wraps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from solidstate import ExpectationResult, build_context, resource, solid
from solidstate.errors import SolidstateError
from solidstate.events import LogMessage, ResourceInit, ResourceTeardown, StepExpectation, kind_of

closed: list[str] = []


class Config(msgspec.Struct):
    factor: int = 2


class Dsn(msgspec.Struct):
    name: str


@resource
def database(context: Any, config: Dsn) -> Iterator[str]:
    yield f"{config.name} for {context.step_key} {context.run_tags}"
    closed.append(config.name)


@resource
def reader(database: str) -> str:
    return f"reads {database}"


@solid(resources={"reader", "clock"})
def work(context: Any, config: Config, number: int) -> str:
    context.log.warning("working", number=number)
    context.emit(ExpectationResult(success=number > 0, label="positive"))
    context.fs.pipe("/note", b"written")
    return f"{context.resources.reader} at {context.resources.clock}: {number * config.factor}"


def test_a_solid_is_called_with_all_it_wants() -> None:
    """Config, resources given as values and as definitions, a file system; what it tells is collected."""
    closed.clear()
    made: dict[str, Any] = {"database": database, "reader": reader, "clock": "noon"}
    with build_context(resources=made, resource_config={"database": {"name": "db"}}, run_tags={"a": "b"}) as context:
        assert work(context, Config(factor=3), 5) == "reads db for solid {'a': 'b'} at noon: 15"
        assert context.fs.cat("/note") == b"written"
        assert closed == []
    assert closed == ["db"]
    kinds = [LogMessage, StepExpectation, ResourceInit, ResourceInit, ResourceInit, ResourceTeardown]
    assert [type(event) for event in context.events] == kinds
    assert [(e.message, e.fields) for e in context.events if isinstance(e, LogMessage)] == [("working", {"number": 5})]


def test_it_tells_who_it_pretends_to_be() -> None:
    """All that a solid may ask of its context, with harmless defaults."""
    context = build_context(config=3, run_id="r", step_key="s", attempt=2, tags={"k": "v"}, remaining_time_s=60)
    assert (context.config, context.idempotency_key, context.attempt, context.tags) == (3, "r/s", 2, {"k": "v"})
    assert 50 < context.remaining_time_s <= 60
    assert build_context().run_tags == {}
    assert [kind_of(event) for event in build_context().events] == []


def test_a_teardown_needs_a_block() -> None:
    """Also one further down; otherwise nothing would ever run it."""
    context = build_context(
        resources={"database": database, "reader": reader}, resource_config={"database": {"name": "db"}}
    )
    with pytest.raises(SolidstateError) as caught:
        _ = context.resources.reader
    assert str(caught.value) == (
        "Resource `database` has a teardown, which nothing would run.\n"
        "  fix: use the context in a block: `with build_context(...) as context:`"
    )


@pytest.mark.parametrize(
    ("key", "fix"),
    [("clok", "did you mean `clock`?"), ("pager", 'give it: `build_context(resources={"pager": ...})`')],
)
def test_a_resource_that_was_not_given(key: str, fix: str) -> None:
    """The message speaks of `build_context`, where it is to be given."""
    context = build_context(resources={"clock": 1})
    with pytest.raises(SolidstateError) as caught:
        getattr(context.resources, key)
    assert str(caught.value) == f"The context was built without a resource `{key}`; it has `clock`.\n  fix: {fix}"
