"""The evaluator and msgspec agree on what is right, and where it is not, every error is found."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from solidstate.acceptance import acceptor
from solidstate.config import example_of, schema_of
from solidstate.documents import plain
from solidstate.evaluate import ConfigError, evaluate


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(NamedTuple):
    x: float
    label: str = ""


class Pair(msgspec.Struct, array_like=True):
    left: int
    right: int = 0


class Note(TypedDict):
    text: str
    author: NotRequired[str]


class Csv(msgspec.Struct, tag="csv"):
    path: str


class Sql(msgspec.Struct, tag="sql"):
    query: str
    limit: int | None = None


class Node(msgspec.Struct, rename="camel"):
    node_name: str
    children: list[Node] = []


SMALL = st.integers(-(2**40), 2**40)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.datetimes(timezones=st.just(datetime.UTC))

# A type, and documents that are right for it as JSON or YAML would give them.
TYPES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "bool": (bool, st.booleans()),
    "int": (int, SMALL),
    "int 0..9": (Annotated[int, msgspec.Meta(ge=0, lt=10)], st.integers(0, 9)),
    "even": (Annotated[int, msgspec.Meta(multiple_of=2)], SMALL.map(lambda number: number * 2)),
    "float": (float, st.one_of(FLOATS, SMALL)),
    "text": (str, st.text(st.characters(exclude_categories=["Cs"]))),
    "short text": (Annotated[str, msgspec.Meta(min_length=1, max_length=3)], st.text("ab", min_size=1, max_size=3)),
    "pattern": (Annotated[str, msgspec.Meta(pattern="^a+$")], st.just("aa")),
    "date": (datetime.date, st.dates().flatmap(lambda day: st.sampled_from([day, day.isoformat()]))),
    "moment": (datetime.datetime, MOMENTS.flatmap(lambda moment: st.sampled_from([moment, moment.isoformat()]))),
    "moment with zone": (Annotated[datetime.datetime, msgspec.Meta(tz=True)], MOMENTS),
    "uuid": (uuid.UUID, st.uuids().map(str)),
    "decimal": (decimal.Decimal, st.decimals(allow_nan=False, allow_infinity=False).map(str)),
    "bytes": (bytes, st.binary()),
    "enum": (Level, st.sampled_from([1, 2])),
    "literal": (Literal["a", 1], st.sampled_from(["a", 1])),
    "list": (list[int | None], st.lists(st.one_of(SMALL, st.none()))),
    "list of 1 to 2": (
        Annotated[list[int], msgspec.Meta(min_length=1, max_length=2)],
        st.lists(SMALL, min_size=1, max_size=2),
    ),
    "set": (set[str], st.sets(st.text("abc"))),
    "tuple": (tuple[int, str], st.tuples(SMALL, st.text("ab"))),
    "dict": (dict[str, float], st.dictionaries(st.text("ab"), FLOATS)),
    "dict by number": (dict[int, str], st.dictionaries(st.one_of(SMALL, SMALL.map(str)), st.just("a"), max_size=1)),
    "dict by enum": (dict[Level, str], st.dictionaries(st.sampled_from(["1", 2]), st.just("a"))),
    "point": (Point, st.sampled_from([[1.5], [1, "a"]])),
    "pair": (Pair, st.sampled_from([[1], [1, 2]])),
    "note": (Note, st.sampled_from([{"text": "a"}, {"text": "a", "author": "b"}])),
    "tagged": (
        Csv | Sql,
        st.sampled_from([{"type": "csv", "path": "a"}, {"type": "sql", "query": "q", "limit": None}]),
    ),
    "one tagged": (Csv, st.sampled_from([{"path": "a"}, {"path": "a", "type": "csv"}])),
    "recursive": (Node, st.just({"nodeName": "a", "children": [{"nodeName": "b"}]})),
    "anything": (Any, st.recursive(st.none() | st.booleans() | SMALL | st.text("ab"), st.lists)),
}
JSON = st.recursive(
    st.none() | st.booleans() | SMALL | st.text("ab1-") | st.sampled_from(["csv", "2013-01-31", "aGk="]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "1", "x", "type", "path", "text", "nodeName", "children"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("name", TYPES)
@given(data=st.data())
def test_right_documents_have_no_errors_and_convert(name: str, data: st.DataObject) -> None:
    """What a document may be by its type is accepted by the evaluator and made into the type by msgspec."""
    annotation, documents = TYPES[name]
    document = data.draw(documents)
    assert evaluate(schema_of(annotation), document) == []
    msgspec.convert(plain(document), annotation, str_keys=True)


@pytest.mark.parametrize("name", TYPES)
@given(document=JSON)
def test_whatever_passes_converts(name: str, document: Any) -> None:
    """The evaluator is never more generous than msgspec, which makes the object in the end."""
    annotation, _ = TYPES[name]
    if not evaluate(schema_of(annotation), document):
        msgspec.convert(plain(document), annotation, str_keys=True)


@pytest.mark.parametrize("name", [name for name in TYPES if name != "pattern"])
def test_examples_are_right(name: str) -> None:
    """What a message suggests to paste is accepted when it is pasted."""
    schema = schema_of(TYPES[name][0])
    assert evaluate(schema, example_of(schema)) == []
    assert evaluate(schema, example_of(schema, full=True)) == []


class Inner(msgspec.Struct):
    number: int
    word: str


class Outer(msgspec.Struct):
    inners: list[Inner]
    named: dict[str, Inner]


GOOD = {"number": 1, "word": "a"}
SPOILT = {
    "wrong": {"number": "1", "word": "a"},
    "missing": {"number": 1},
    "unknown": {"number": 1, "word": "a", "w": 0},
}
KINDS = st.sampled_from(["good", *SPOILT])


@given(st.lists(KINDS, max_size=5), st.dictionaries(st.text("abc", min_size=1), KINDS, max_size=5))
def test_every_error_is_found_where_it_is(inners: list[str], named: dict[str, str]) -> None:
    """As many errors as were made, in document order, each with the path of its place."""
    document = {
        "inners": [SPOILT.get(kind, GOOD) for kind in inners],
        "named": {key: SPOILT.get(kind, GOOD) for key, kind in named.items()},
    }
    last = {"wrong": "number", "missing": "word", "unknown": "w"}
    expected = [f"inners[{i}].{last[kind]}" for i, kind in enumerate(inners) if kind != "good"]
    expected += [f"named.{key}.{last[kind]}" for key, kind in named.items() if kind != "good"]
    assert [error.path for error in evaluate(schema_of(Outer), document)] == expected


@pytest.mark.parametrize(
    ("annotation", "document", "reason", "problem"),
    [
        (
            datetime.date,
            yaml.safe_load("2013-01-31 12:00:00"),
            "mismatch",
            "Expected `date`, got datetime.datetime(2013, 1, 31, 12, 0) of type `datetime`.",
        ),
        (
            Annotated[datetime.datetime, msgspec.Meta(tz=True)],
            yaml.safe_load("2013-01-31 12:00:00"),
            "mismatch",
            "Expected `datetime`, got datetime.datetime(2013, 1, 31, 12, 0) of type `datetime`.",
        ),
        (Csv, {"type": "sql", "path": "a"}, "choice", "Expected one of 'csv', got 'sql'."),
        (dict[int, str], {"a": "b"}, "mismatch", "Key: Expected `int`, got 'a' of type `str`."),
        pytest.param(
            float,
            10**400,
            "mismatch",
            "Expected `float`, got 100000000000000000000000000000000000000000000000000000000... of type `int`.",
            id="beyond float",
        ),
        (
            Annotated[bytes, msgspec.Meta(min_length=3)],
            "aGk=",
            "mismatch",
            "Expected `bytes (base64)`, got 'aGk=' of type `str`.",
        ),
        (
            Annotated[dict[str, int], msgspec.Meta(max_length=1)],
            {"a": 1, "b": 2},
            "constraint",
            "Expected 0 to 1 keys, got 2.",
        ),
        pytest.param(
            dict[str, Any],
            {"a": [1.5, {"b": float("nan")}]},
            "mismatch",
            "Expected `any value of JSON`, got nan of type `float`.",
            id="not a number, anywhere",
        ),
        (Any, float("-inf"), "mismatch", "Expected `any value of JSON`, got -inf of type `float`."),
        (Annotated[int, msgspec.Meta(multiple_of=5)], 7, "constraint", "Expected `int, a multiple of 5`, got 7."),
    ],
)
def test_particular_errors(annotation: Any, document: Any, reason: str, problem: str) -> None:
    """Cases where msgspec and YAML differ, or that are easily let through."""
    (error,) = evaluate(schema_of(annotation), document)
    assert isinstance(error, ConfigError)
    assert (error.reason, error.problem) == (reason, problem)
    assert error.hint
    assert not acceptor(annotation)(document)


def test_a_moment_where_a_day_is_wanted() -> None:
    """The day to write is spelled out."""
    (error,) = evaluate(schema_of(datetime.date), yaml.safe_load("2013-01-31 12:00:00"))
    assert error.hint == "write the day alone: `2013-01-31`"
