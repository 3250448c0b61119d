"""Conflicts between two types: what is proved, and that nothing is claimed which some value contradicts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import functools
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, NotRequired, Optional, TypedDict, Union

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solidstate import Nothing, Out, SolidType, pipeline, solid
from solidstate.errors import DefinitionError
from solidstate.type_checks import checker, type_name
from solidstate.type_conflicts import Conflict, conflict


class Flight(msgspec.Struct):
    number: int


class Late(Flight):
    delay: int = 0


class Airport(msgspec.Struct):
    code: str


@dataclasses.dataclass
class Plane:
    tail: str


@dataclasses.dataclass
class Boat:
    name: str


@dataclasses.dataclass
class Seaplane(Plane, Boat):
    pass


@typing.final
class Rocket:
    pass


class Color(enum.Enum):
    RED = 1


class Row(TypedDict):
    name: str
    size: NotRequired[int]


class Cell(TypedDict):
    name: int


Id = NewType("Id", int)
Even = SolidType("Even", python=int, check=lambda value: value % 2 == 0)
T = typing.TypeVar("T", int, bytes)


@pytest.mark.parametrize(
    ("produced", "wanted", "found"),
    [
        (int, str, Conflict("int", "str")),
        (list[int], list[str], Conflict("int", "str", "[...]")),
        (dict[str, int], dict[str, str], Conflict("int", "str", "[...]")),
        (dict[int, int], Mapping[str, int], Conflict("int", "str", ".keys()")),
        (list[dict[str, list[int]]], list[dict[str, list[str]]], Conflict("int", "str", "[...][...][...]")),
        (tuple[int, str], tuple[int, int], Conflict("str", "int", "[1]")),
        (tuple[int, str], tuple[int, ...], Conflict("str", "int", "[1]")),
        (tuple[int, str], tuple[int, str, str], Conflict("tuple[int, str]", "tuple[int, str, str]")),
        (list[int], Sequence[str], Conflict("int", "str", "[...]")),
        (list, dict, Conflict("list", "dict")),
        (int | None, str, Conflict("int | None", "str")),
        (None, int, Conflict("None", "int")),
        (bool, int, Conflict("bool", "int")),
        (Literal["a", "b"], Literal["c"], Conflict("'a' | 'b'", "'c'")),
        (Literal["a"], int, Conflict("'a'", "int")),
        (Color, str, Conflict("Color", "str")),
        (Flight, Airport, Conflict("Flight", "Airport")),
        (Flight, int, Conflict("Flight", "int")),
        (Plane, Rocket, Conflict("Plane", "Rocket")),
        (dt.date, dt.timedelta, Conflict("date", "timedelta")),
        (Row, Cell, Conflict("str", "int", "['name']")),
        (Row, dict[str, bytes], Conflict("str", "bytes", "['name']")),
        (Id, str, Conflict("int", "str")),
        (Even, str, Conflict("int", "str")),
        (Annotated[str, Even], int, None),
        (T, str, Conflict("int | bytes", "str")),
    ],
)
def test_what_is_proved(produced: Any, wanted: Any, found: Conflict | None) -> None:
    """Both ends and the place where they exclude each other."""
    assert conflict(produced, wanted) == found


@pytest.mark.parametrize(
    ("produced", "wanted"),
    [
        (int, Any),
        (Any, int),
        (object, int),
        (int, float),
        (float, int),
        (int, complex),
        (int | None, int),
        (int, int | str),
        (int | str, str | bytes),
        (Flight, Late),
        (Late, Flight),
        (Plane, Boat),
        (dt.datetime, dt.date),
        (dt.date, dt.datetime),
        (list[Any], list[int]),
        (list, list[int]),
        (list[int], Iterable[str]),
        (str, Sequence[int]),
        (Literal["a", "b"], Literal["b", "c"]),
        (Literal[1], float),
        (Row, dict[str, str]),
        (int, Even),
        (typing.TypeVar("T"), int),
        (int, "Undefined"),
        (typing.Callable[[int], str], Plane),
        (list["Undefined"], list[int]),  # type: ignore[name-defined]  # noqa: F821 - a name nobody has defined
    ],
)
def test_what_is_left_to_run_time(produced: Any, wanted: Any) -> None:
    """A value of the one may be of the other."""
    assert conflict(produced, wanted) is None


_LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers()),
    (float, st.floats() | st.integers()),
    (complex, st.complex_numbers() | st.floats() | st.integers()),
    (bool, st.booleans()),
    (str, st.text()),
    (bytes, st.binary()),
    (None, st.none()),
    (Any, st.integers() | st.text() | st.none()),
    (Id, st.integers()),
    (Even, st.integers().map(lambda value: value * 2)),
    (Literal["a", 1], st.sampled_from(["a", 1])),
    (Literal["a"], st.just("a")),
    (Color, st.just(Color.RED)),
    (Flight, st.builds(Flight, st.integers()) | st.builds(Late, st.integers())),
    (Late, st.builds(Late, st.integers())),
    (Airport, st.builds(Airport, st.text())),
    (Plane, st.builds(Plane, st.text()) | st.builds(Seaplane, st.text(), st.text())),
    (Boat, st.builds(Boat, st.text()) | st.builds(Seaplane, st.text(), st.text())),
    (Row, st.fixed_dictionaries({"name": st.text()}, optional={"size": st.integers()})),
    (Cell, st.fixed_dictionaries({"name": st.integers()})),
    (dt.date, st.dates() | st.datetimes()),
    (dt.datetime, st.datetimes()),
]
Spec = tuple[Any, st.SearchStrategy[Any]]
_HASHABLE = [spec for spec in _LEAVES if spec[0] in (int, str, bool, bytes, None, float) or spec[0] is Color]


# Made at run time, which a static checker need not follow.
LIST: Any = list
DICT: Any = dict
SET: Any = set
TUPLE: Any = tuple
SEQUENCE: Any = Sequence
UNION: Any = Union
OPTIONAL: Any = Optional
ANNOTATED: Any = Annotated


def _larger(inner: st.SearchStrategy[Spec]) -> st.SearchStrategy[Spec]:
    key = st.sampled_from(_HASHABLE)
    return st.one_of(
        inner.map(lambda one: (LIST[one[0]], st.lists(one[1], min_size=1, max_size=3))),
        inner.map(lambda one: (SEQUENCE[one[0]], st.lists(one[1], min_size=1, max_size=3))),
        inner.map(lambda one: (TUPLE[one[0], ...], st.lists(one[1], min_size=1, max_size=3).map(tuple))),
        st.tuples(inner, inner).map(lambda two: (TUPLE[two[0][0], two[1][0]], st.tuples(two[0][1], two[1][1]))),
        st.tuples(inner, inner).map(lambda two: (UNION[two[0][0], two[1][0]], two[0][1] | two[1][1])),
        inner.map(lambda one: (OPTIONAL[one[0]], one[1] | st.none())),
        inner.map(lambda one: (ANNOTATED[one[0], "a note"], one[1])),
        st.tuples(key, inner).map(
            lambda two: (DICT[two[0][0], two[1][0]], st.dictionaries(two[0][1], two[1][1], min_size=1, max_size=2))
        ),
        key.map(lambda one: (SET[one[0]], st.sets(one[1], min_size=1, max_size=2))),
    )


SPECS = st.recursive(st.sampled_from(_LEAVES), _larger, max_leaves=4)


def _passes(annotation: Any, value: Any) -> bool:
    check = checker(annotation)
    return check is None or check(value) is None


@settings(max_examples=500)
@given(SPECS, SPECS, st.data())
def test_no_value_contradicts_a_conflict(produced: Spec, wanted: Spec, data: st.DataObject) -> None:
    """When a value that holds something passes both checks, no conflict is reported, either way round."""
    value = data.draw(produced[1] | wanted[1])
    if _passes(produced[0], value) and _passes(wanted[0], value):
        assert conflict(produced[0], wanted[0]) is None
        assert conflict(wanted[0], produced[0]) is None


def _wrapped(spec: Spec, how: int) -> Spec:
    annotation, values = spec
    return [
        (LIST[annotation], st.lists(values, min_size=1, max_size=2)),
        (DICT[str, annotation], st.dictionaries(st.text(), values, min_size=1, max_size=2)),
        (TUPLE[annotation, ...], st.lists(values, min_size=1, max_size=2).map(tuple)),
        (OPTIONAL[annotation], values),
        (TUPLE[annotation, int], st.tuples(values, st.integers())),
    ][how]


@pytest.mark.parametrize("produced", _LEAVES, ids=lambda spec: type_name(spec[0]))
@settings(max_examples=15)
@given(data=st.data(), shape=st.lists(st.integers(0, 4), max_size=3))
def test_nor_of_two_types_of_one_shape(produced: Spec, data: st.DataObject, shape: list[int]) -> None:
    """The same for every two leaves, alone and within containers of one shape."""
    first = functools.reduce(_wrapped, shape, produced)
    value = data.draw(first[1])
    for leaf in _LEAVES:
        second = functools.reduce(_wrapped, shape, leaf)
        if _passes(second[0], value):
            assert conflict(first[0], second[0]) is None
            assert conflict(second[0], first[0]) is None


@given(SPECS)
def test_nothing_conflicts_with_itself(spec: Spec) -> None:
    """A type fits itself, and whatever cannot be looked into fits everything."""
    assert conflict(spec[0], spec[0]) is None
    assert conflict(spec[0], Any) is None


@solid
def count() -> int:
    """Makes a number."""
    return 1


@solid(outs={"names": Out(list[int]), "done": Out(Nothing)})
def names() -> Any:
    """Makes numbers."""


@solid
def show(text: str) -> None:
    """Takes text."""


@solid
def join(parts: list[str]) -> None:
    """Takes texts."""


def test_both_ends_are_told_when_the_pipeline_is_built() -> None:
    """Output and input with their types, where inside them, and a way out; all conflicts at once."""
    with pytest.raises(DefinitionError) as caught:

        @pipeline
        def wrong() -> None:
            numbers = names()
            show(count())
            join(numbers.names)
            join.alias("join_all")([count.alias("again")(), count.alias("more")()])

    hint = "    fix: correct one of the annotations, convert in a solid between them, or connect another output"
    assert str(caught.value).splitlines() == [
        "Pipeline `wrong`: 4 errors",
        "  1. Output `result` of `count` is `int`, but input `text` of `show` expects `str`, and no value is both.",
        "    at: wrong.show.text",
        hint,
        "  2. Output `names` of `names` is `list[int]`, but input `parts` of `join` expects `list[str]`, and no value "
        "is both: at `$[...]` `int` meets `str`.",
        "    at: wrong.join.parts",
        hint,
        "  3. Output `result` of `again` is `int` (in a list), but input `parts` of `join_all` expects `list[str]`, "
        "and no value is both: at `$[...]` `int` meets `str`.",
        "    at: wrong.join_all.parts",
        hint,
        "  4. Output `result` of `more` is `int` (in a list), but input `parts` of `join_all` expects `list[str]`, "
        "and no value is both: at `$[...]` `int` meets `str`.",
        "    at: wrong.join_all.parts",
        hint,
    ]
