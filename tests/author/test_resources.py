"""Resources, modes and presets as they are declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from solidstate import DefinitionError, Mode, Preset, resource


class Config(msgspec.Struct):
    host: str


def test_what_a_resource_needs_is_read_from_its_parameters() -> None:
    """The context by place, the config by name, everything else is another resource."""

    @resource
    def database(context: Any, config: Config, clock: Any, *, pool: Any) -> Iterator[int]:
        """A connection."""
        yield 1

    assert (database.name, database.takes_context, database.config_type) == ("database", True, Config)
    assert (database.requires, database.generator, database.description) == (("clock", "pool"), True, "A connection.")
    assert list(database(None, Config("h"), 1, pool=2)) == [1]


def test_a_plain_value_is_a_resource() -> None:
    """A mode takes values as they are."""
    mode = Mode("local", {"clock": 5, "db": resource(name="db")(lambda: 6)}, "Here.")
    assert (mode.resources["clock"](), mode.resources["db"]()) == (5, 6)
    assert repr(mode) == "Mode('local', resources=['clock', 'db'])"
    assert Mode("empty").resources == {}


# The same, for arguments a type checker would refuse: they are what is tested.
MODE: Any = Mode
PRESET: Any = Preset
RESOURCE: Any = resource


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: MODE(5),
        lambda: Mode("m", {"a b": 1}),
        lambda: MODE("m", {1: 1}),
        lambda: MODE("m", 5),
        lambda: MODE("m", {"a": 1}, loggers=5),
        lambda: MODE("m", {"a": 1}, loggers={"a": 1}),
        lambda: MODE("m", {"a": 1}, loggers=[7]),
        lambda: Preset("a/b"),
        lambda: PRESET("p", run_config=None),
        lambda: RESOURCE("db"),
        lambda: resource(Config),
        lambda: resource(name="")(lambda: 1),
        lambda: resource(name="r")(lambda **more: 1),
    ],
)
def test_what_cannot_be_is_refused(wrong: Any) -> None:
    """With a DefinitionError that has a way to fix it."""
    with pytest.raises(DefinitionError) as caught:
        wrong()
    assert caught.value.hint


def test_loggers_are_resources_of_their_mode() -> None:
    """A single one needs no list; another name is refused with the nearest."""
    assert Mode("m", {"a": print, "b": print}, loggers=["b", "a", "b"]).loggers == ("b", "a")
    assert Mode("m", {"a": print}, loggers="a").loggers == ("a",)
    assert Mode("m", {"a": print}).loggers == ()
    with pytest.raises(DefinitionError) as caught:
        Mode("m", {"console": print}, loggers=["consol"])
    assert str(caught.value) == (
        "Logger 'consol' of mode `m` is none of its resources: `console`.\n  fix: did you mean `console`?"
    )
