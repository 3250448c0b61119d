"""Schemas in words, and values to start from."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import pytest

from solidstate.config import configurable, describe, example_of, schema_of, unwritable


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Point(NamedTuple):
    x: float
    y: float = 0.0


class Csv(msgspec.Struct, tag="csv"):
    path: str


class Node(msgspec.Struct):
    name: str
    parent: Node | None = None


class Options(msgspec.Struct):
    rows: Annotated[int, msgspec.Meta(gt=0, description="how many")]
    source: Csv
    day: datetime.date = datetime.date(2013, 1, 31)
    clock: Callable[[], float] | None = None
    tags: dict[str, str] = {}


class Opaque:
    """Nothing JSON could spell."""


class Needs(msgspec.Struct):
    thing: list[Opaque]


@pytest.mark.parametrize(
    ("annotation", "text", "example"),
    [
        (int | None, "int | None", 0),
        (Annotated[int, msgspec.Meta(ge=1, le=9)], "int >= 1 and <= 9", 1),
        (Annotated[float, msgspec.Meta(gt=0, lt=1)], "float > 0 and < 1", 0.5),
        (Annotated[str, msgspec.Meta(min_length=5)], "str of at least 5 characters", "....."),
        (list[str], "list[str]", []),
        (Annotated[list[int], msgspec.Meta(min_length=2)], "list[int]", [0, 0]),
        (dict[str, bool], "dict[str, bool]", {}),
        (tuple[int, str], "[int, str]", [0, "..."]),
        (Level, "'low' | 'high'", "low"),
        (Literal["b", "a"], "'a' | 'b'", "a"),
        (Point, "[x, y?]", [0.0]),
        (Csv, "{path}", {"type": "csv", "path": "..."}),
        (Node, "{name, parent?}", {"name": "..."}),
        (datetime.datetime, "datetime", "2013-01-31T12:00:00Z"),
        (Any, "Any", "..."),
        (Opaque, "Opaque", {}),
    ],
)
def test_words_and_examples(annotation: Any, text: str, example: Any) -> None:
    """One line for a message, one value to paste."""
    schema = schema_of(annotation)
    assert describe(schema) == text
    assert example_of(schema) == example


def test_a_full_example_has_the_defaults() -> None:
    """Optional fields show what leaving them out means."""
    assert example_of(schema_of(Options)) == {"rows": 1, "source": {"type": "csv", "path": "..."}}
    assert example_of(schema_of(Options), full=True) == {
        "rows": 1,
        "source": {"type": "csv", "path": "..."},
        "day": "2013-01-31",
        "clock": None,
        "tags": {},
    }


@pytest.mark.parametrize("annotation", [int, list[Node], Any, Literal["a"], Point, Options, dict[str, Level]])
def test_what_config_can_give(annotation: Any) -> None:
    """Types JSON can spell, and Structs whose other fields may be left out."""
    assert configurable(annotation)


@pytest.mark.parametrize("annotation", [Opaque, list[Opaque], Needs, Csv | Node, "Node", 5, complex, Callable[[], int]])
def test_what_config_cannot_give(annotation: Any) -> None:
    """Whatever else: an answer, never an exception."""
    assert not configurable(annotation)


def test_why_a_config_type_cannot_be_written() -> None:
    """The field is named; a type that does not resolve says so."""

    class Lost(msgspec.Struct):
        thing: Missing  # type: ignore[name-defined]  # noqa: F821 - what is tested

    assert unwritable(Options) is None
    assert unwritable(Needs) == "its field `thing` is of type `list[Opaque]`"
    assert unwritable(Lost) == "name 'Missing' is not defined"
