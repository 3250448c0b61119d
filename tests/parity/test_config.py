"""What 2019's config system accepted, and what a body gets of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from solidstate import RequestErrors, execute_pipeline, solid
from solidstate.evaluate import ConfigError
from tests.parity.ingesting import AllOptional, Color, Ingest, given, ingest
from tests.parity.running import built, rejected, run


@solid
def easy(config: AllOptional) -> int:
    return config.limit


@solid
def bare() -> int:
    return 1


def config_of(**config: Any) -> dict[str, Any]:
    """What `ingest` gets when this is given, as plain data."""
    value: dict[str, Any] = run(ingest, given(**config)).output("ingest")
    return value


ACCEPTED: dict[str, tuple[str, Any]] = {
    "a string": ("bucket", "c"),
    "an int": ("limit", 0),
    "a float": ("ratio", 0.25),
    "a bool": ("dry", True),
    "a list": ("names", ["a", "b"]),
    "an empty list": ("names", []),
    "an enum": ("color", "blue"),
    "a selector": ("src", {"csv": {"path": "a", "comma": ";"}}),
    "none for an optional value": ("maybe", None),
    "a value for an optional value": ("maybe", 3),
    "a nested dict": ("inner", {"depth": 2}),
    "a permissive dict": ("extra", {"free": [1, {"form": True}]}),
    "a dict of ints": ("sizes", {"a": 1}),
    "anything at all": ("anything", ["at", {"all": None}]),
}


@pytest.mark.parametrize("name", list(ACCEPTED))
def test_what_is_accepted(name: str) -> None:
    """It reaches the body as it was given."""
    field, value = ACCEPTED[name]
    assert config_of(**{field: value})[field] == value


def test_defaults_are_filled_in() -> None:
    """At every depth."""
    found = config_of(inner={}, src={"csv": {"path": "a"}})
    assert (found["limit"], found["inner"], found["src"]) == (10, {"depth": 1}, {"csv": {"path": "a", "comma": ","}})


def test_a_whole_number_is_a_float() -> None:
    """`1` may stand where `1.0` belongs."""
    assert config_of(ratio=1)["ratio"] == 1.0


def test_config_is_typed() -> None:
    """2019 handed over a dictionary; here it is an object, enums and all, that type checkers know."""

    @solid
    def look(config: Ingest) -> list[str]:
        assert config.src is not None
        return [type(config).__name__, str(config.color is Color.BLUE), config.src.selected[0]]

    request = {"solids": {"look": {"config": {"bucket": "b", "color": "blue", "src": {"parquet": {"path": "a"}}}}}}
    assert run(look, request).output("look") == ["Ingest", "True", "parquet"]


def test_config_whose_fields_are_all_optional() -> None:
    """May be left out, section and all."""
    requests: list[Any] = [None, {}, {"solids": {}}, {"solids": {"easy": {}}}]
    assert {run(easy, request).output("easy") for request in requests} == {10}


def test_config_for_a_solid_that_takes_none() -> None:
    """Is refused."""
    assert rejected(bare, {"solids": {"bare": {"config": {"a": 1}}}}) == (
        "`solids.bare` takes no config.\n  at: solids.bare.config\n  fix: remove it"
    )


def test_config_is_checked_before_anything_runs() -> None:
    """No step starts when any of them is misconfigured."""
    started: list[str] = []

    @solid
    def first() -> None:
        started.append("first")

    def body() -> None:
        first()
        ingest()

    assert rejected(body, {}).startswith("Missing required field `bucket` of type `str`.\n")
    assert started == []


def test_errors_are_data() -> None:
    """Reason, path and message; here also what was given and what was expected."""
    with pytest.raises(RequestErrors) as caught:
        execute_pipeline(built(ingest), given(limit="x"))
    (error,) = caught.value.items
    assert isinstance(error, ConfigError)
    assert (error.reason, error.steps, error.given, error.expected) == (
        "mismatch",
        ("solids", "ingest", "config", "limit"),
        "x",
        "int",
    )


def test_fields_are_described() -> None:
    """What 2019 wrote into `Field(description=...)` is in the schema of the type."""

    class Told(msgspec.Struct):
        """How to load."""

    assert msgspec.json.schema(Told)["$defs"]["Told"]["description"] == "How to load."
