"""Annotations become checks: what is generated from a type passes, what is spoilt does not, whatever the nesting."""

from __future__ import annotations

import collections.abc
import enum
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, NotRequired, Protocol, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.type_checks import checker, type_name
from solidstate.types import SolidType, TypeCheck


class Color(enum.Enum):
    RED = 1


class Flight(msgspec.Struct):
    number: int


class Movie(TypedDict):
    title: str
    year: NotRequired[Annotated[int, msgspec.Meta(ge=1900)]]


class Tree(TypedDict):
    name: str
    children: list[Tree]


class Closes(Protocol):
    def close(self) -> None: ...


@typing.runtime_checkable
class Sized(Protocol):
    def __len__(self) -> int: ...


UserId = NewType("UserId", int)
Positive = SolidType("Positive", python=int, check=lambda value: TypeCheck(value > 0, "not above zero"))
Bound = typing.TypeVar("Bound", bound=int)

# A type, a value of it, a value not of it.
LEAVES: list[tuple[Any, Any, Any]] = [
    (int, 5, True),
    (float, 5, "5"),
    (complex, 5.0, "5"),
    (bool, True, 1),
    (str, "a", b"a"),
    (bytes, b"a", "a"),
    (None, None, 0),
    (Color, Color.RED, 1),
    (Flight, Flight(1), {"number": 1}),
    (UserId, 5, "5"),
    (Bound, 5, "5"),
    (Movie, {"title": "M", "year": 1931}, {"title": "M", "year": 1800}),
    (Movie, {"title": "M"}, {"year": 1931}),
    (Movie, {"title": "M"}, {"title": "M", "more": 1}),
    (Tree, {"name": "a", "children": [{"name": "b", "children": []}]}, {"name": "a", "children": [{"name": "b"}]}),
    (Sized, "abc", 5),
    (Literal["a", 1], 1, True),
    (Annotated[int, msgspec.Meta(ge=3)], 3, 2),
    (Annotated[int, Positive], 1, 0),
    (Annotated[int, "a note"], 1, "1"),
    (Annotated[list[int], msgspec.Meta(max_length=1)], [1], [1, 2]),
    (tuple[int, str], (1, "a"), (1, "a", 2)),
    (tuple[()], (), (1,)),
    (typing.Tuple, (1, 2), [1]),  # noqa: UP006 - the old spelling is what is tested
    (type[int], int, 5),
    (collections.abc.Callable[[int], str], str, 5),
    (collections.abc.Iterator[int], iter([1]), [1]),
]

Spec = tuple[Any, Any, Any]


# Made at run time, which a static checker need not follow.
LIST: Any = list
TUPLE: Any = tuple
DICT: Any = dict
MAPPING: Any = Mapping
SEQUENCE: Any = Sequence


def wrapped(inner: st.SearchStrategy[Spec]) -> st.SearchStrategy[Spec]:
    return st.one_of(
        inner.map(lambda t: (LIST[t[0]], [t[1], t[1]], [t[1], t[2]])),
        inner.map(lambda t: (TUPLE[t[0], ...], (t[1],), (t[1], t[2]))),
        inner.map(lambda t: (DICT[str, t[0]], {"a": t[1]}, {"a": t[1], "b": t[2]})),
        inner.map(lambda t: (MAPPING[str, t[0]], {"a": t[1]}, {"b": t[2]})),
        inner.map(lambda t: (SEQUENCE[t[0]], [t[1]], [t[2]])),
        inner.map(lambda t: (TUPLE[str, t[0]], ("a", t[1]), ("a", t[2]))),
    )


OPTIONAL: Any = typing.Optional
SPECS = st.recursive(st.sampled_from(LEAVES), wrapped, max_leaves=4)


@given(SPECS)
def test_values_of_a_type_pass_and_spoilt_ones_do_not(spec: Spec) -> None:
    """However deep one spoilt element lies, it is found, and the message says what it is."""
    annotation, right, wrong = spec
    check = checker(annotation)
    assert check is not None
    assert check(right) is None
    miss = check(wrong)
    assert miss is not None
    assert miss.describe().startswith("expected `")


@given(SPECS)
def test_optional_adds_none_and_nothing_else(spec: Spec) -> None:
    """`T | None` passes None and what `T` passes."""
    annotation, right, wrong = spec
    check = checker(OPTIONAL[annotation])
    assert check is not None
    assert check(None) is None
    assert check(right) is None
    assert wrong is None or annotation is None or check(wrong) is not None


@pytest.mark.parametrize(
    "annotation",
    [Any, object, typing.TypeVar("T"), int | Any, Closes, "Flight", tuple[int, typing.Unpack[tuple[str, ...]]]],
)
def test_what_no_rule_knows_passes(annotation: Any) -> None:
    """Typing is gradual: such a type accepts what it cannot judge."""
    check = checker(annotation)
    assert check is None or check((1, "a", "b")) is None


@pytest.mark.parametrize(
    ("annotation", "value", "text"),
    [
        (list[int], [1, "2"], "expected `int`, got '2' of type `str` at `$[1]`"),
        (dict[str, list[int]], {"a b": [None]}, "expected `int`, got None of type `None` at `$['a b'][0]`"),
        (dict[int, Any], {"a": 1}, "expected `int`, got 'a' of type `str` at `$.keys('a')`"),
        (int | str, 1.5, "expected `int | str`, got 1.5 of type `float`"),
        (list[int] | None, [1, None], "expected `int`, got None of type `None` at `$[1]`"),
        (tuple[int, int], (1,), "expected `tuple of 2`, got (1,) of type `tuple`"),
        (Movie, {}, "expected `Movie with key 'title'`, got {} of type `dict`"),
        (Annotated[int, msgspec.Meta(ge=3)], 2, "expected `int >= 3`, got 2 of type `int`"),
        (list[Annotated[int, Positive]], [-1], "expected `Positive`, got -1 of type `int` at `$[0]`: not above zero"),
        (
            Annotated[list[Annotated[int, msgspec.Meta(ge=3)]], msgspec.Meta(min_length=1)],
            [],
            "expected `array of length >= 1`, got [] of type `list`",
        ),
    ],
)
def test_the_message_says_where_and_what(annotation: Any, value: Any, text: str) -> None:
    """Expected, found and the place in the value."""
    check = checker(annotation)
    assert check is not None
    miss = check(value)
    assert miss is not None
    assert miss.describe() == text


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (Any, "Any"),
        (list[dict[str, Flight | None]], "list[dict[str, Flight | None]]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (typing.Optional[int], "int | None"),
        (collections.abc.Callable[[int], str], "Callable[..., str]"),
        (Literal["a", 1], "'a' | 1"),
        (Annotated[int, Positive], "Positive"),
        (list[Annotated[int, "a note"]], "list[int]"),
        (UserId, "UserId"),
        (typing.NoReturn, "NoReturn"),
    ],
)
def test_types_are_named_as_they_are_written(annotation: Any, name: str) -> None:
    """A name in messages and plans is what the author would write, without modules."""
    assert type_name(annotation) == name


def test_a_name_holds_no_address() -> None:
    """What is no type has a name that is the same in every process: plans are hashed."""

    class Thing:
        def __repr__(self) -> str:
            return f"<thing at {id(self):x}>"

    assert type_name(Thing()) == "Any"


def test_an_iterator_is_not_used_up() -> None:
    """Only real collections are walked."""
    numbers = iter([1, 2])
    check = checker(collections.abc.Iterable[str])
    assert check is not None
    assert check(numbers) is None
    assert list(numbers) == [1, 2]
