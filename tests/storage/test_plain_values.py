"""Self-describing values come back equal and of the same types, or are refused with the place and a way out."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import uuid
import zoneinfo
from collections import OrderedDict
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.errors import IntermediateError, NotStorable
from solidstate.storage.plain_values import DATACLASS, decode_plain, encode_plain
from solidstate.storage.sameness import same
from tests.storage.shop import Colour, Item, Order, Point

_ZONES = st.one_of(
    st.none(),
    st.timezones(no_cache=False),
    st.builds(lambda seconds: dt.timezone(dt.timedelta(seconds=seconds)), st.integers(-24 * 3600 + 1, 24 * 3600 - 1)),
    st.just(dt.timezone(dt.timedelta(hours=1), "named")),
)
HASHABLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**80), 2**80),
    st.floats(),
    st.text(st.characters(codec=None)),
    st.binary(),
    st.datetimes(timezones=_ZONES, allow_imaginary=True),
    st.dates(),
    st.times(timezones=st.just(dt.UTC) | st.none()),
    st.timedeltas(),
    st.decimals().filter(lambda number: not number.is_snan()),  # cannot be hashed
    st.uuids(),
    st.complex_numbers(),
    st.builds(range, st.integers(), st.integers(), st.integers(1)),
)
KEYS = st.recursive(HASHABLE, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4)
PLAIN = st.recursive(
    HASHABLE | st.builds(bytearray, st.binary()) | st.just(Decimal("-sNaN12")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.sets(KEYS, max_size=4),
    ),
    max_leaves=20,
)


@given(PLAIN)
def test_every_plain_value_comes_back_exactly(value: Any) -> None:
    """Types all the way down, NaN, zones, folds, order of dicts."""
    back = decode_plain(encode_plain(value))
    assert _spelled(back) == _spelled(value)


def _spelled(value: Any) -> Any:
    """A value in words that differ whenever two values do; an independent second opinion to `same`."""
    kind = type(value).__name__
    if isinstance(value, list | tuple):
        return kind, [_spelled(item) for item in value]
    if isinstance(value, dict):
        return kind, [(_spelled(key), _spelled(item)) for key, item in value.items()]
    if isinstance(value, set | frozenset):
        return kind, sorted(repr(_spelled(item)) for item in value)
    if isinstance(value, dt.datetime | dt.time):
        return kind, repr(value), value.fold
    return kind, repr(value)


@given(PLAIN)
def test_a_copy_is_the_same(value: Any) -> None:
    """The comparison that proves stored values has no false alarms, not even for a set that holds NaN."""
    copied = copy.deepcopy(value)
    assert same(value, copied)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, True), (1, 1.0), ([1], (1,)), ({1: 2}, {1: 2.0}), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (b"", bytearray()),
        (Decimal("1.0"), Decimal("1.00")), ([Item("a", 1.0)], [Item("a", 1)]), (Point(1, 2.0), (1, 2.0)),
        (dt.datetime(2020, 1, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
        (dt.datetime(2020, 1, 1, fold=1), dt.datetime(2020, 1, 1)),  # noqa: DTZ001  # naive on purpose
        ({1}, {1.0}), (frozenset(), set()),
    ],
)  # fmt: skip
def test_same_tells_apart_what_python_calls_equal(a: Any, b: Any) -> None:
    """These pairs differ in type, order, scale or zone."""
    assert not same(a, b)
    assert same(a, a)


def test_equal_sets_give_equal_bytes() -> None:
    """Whatever the order in which they were filled."""
    # Multiples of 64 collide in a small hash table, so that the order of insertion shows.
    numbers = [64 * i for i in range(8)]
    backwards = set[int]()
    for number in reversed(numbers):
        backwards.add(number)
    assert list(set(numbers)) != list(backwards)
    assert encode_plain(set(numbers)) == encode_plain(backwards)


def test_json_like_values_are_ordinary_msgpack() -> None:
    """Any msgpack reader can look at them."""
    value = {"a": [1, 2.5, None, True, "x"], "b": {"c": b"x"}}
    assert msgspec.msgpack.decode(encode_plain(value)) == value


class Text(str):
    """A subclass, which would come back as its base."""

    __slots__ = ()


_DECLARE = "or declare the output as a `SolidType` with a codec of your own"
REFUSED: list[tuple[Any, str]] = [
    (
        [{"item": Item("a", 1.0)}],
        "`Item` has no self-describing storage format (at `$[0].item`).\n  at: $[0].item\n"
        "  fix: annotate the output, for example `-> list[Item]`, so that it can be read back",
    ),
    (
        Order(1),
        "`Order` has no self-describing storage format.\n  at: $\n"
        "  fix: annotate the output, for example `-> Order`, so that it can be read back",
    ),
    (
        {"two words": {Colour.RED}},
        "`Colour` has no self-describing storage format (at `$['two words']{<Colour.RED: 'red'>}`).\n"
        "  at: $['two words']{<Colour.RED: 'red'>}\n"
        "  fix: annotate the output, for example `-> list[Colour]`, so that it can be read back",
    ),
    (
        (1, Point(1, 2)),
        "`Point` has no self-describing storage format (at `$[1]`).\n  at: $[1]\n"
        "  fix: annotate the output, for example `-> list[Point]`, so that it can be read back",
    ),
    (
        OrderedDict(a=1),
        "`OrderedDict` has no self-describing storage format.\n  at: $\n"
        f"  fix: convert it with `dict(...)`, {_DECLARE}",
    ),
    (
        {Text("k"): 1},
        "`Text` has no self-describing storage format (at `${key 'k'}`).\n  at: ${key 'k'}\n"
        f"  fix: convert it with `str(...)`, {_DECLARE}",
    ),
    (
        [print],
        "`builtin_function_or_method` has no self-describing storage format (at `$[0]`).\n  at: $[0]\n"
        f"  fix: return built-in types, Structs or dataclasses, {_DECLARE}",
    ),
]


@pytest.mark.parametrize(("value", "text"), REFUSED, ids=lambda part: type(part).__name__)
def test_what_would_not_come_back_is_refused(value: Any, text: str) -> None:
    """With the place inside the value and one way to fix it."""
    with pytest.raises(NotStorable) as caught:
        encode_plain(value)
    assert str(caught.value) == text


def test_cycles_and_deep_nesting_are_refused() -> None:
    """With our error, never Python's RecursionError; 200 levels are allowed."""
    cycle: list[Any] = []
    cycle.append({"again": (cycle,)})
    deep: Any = 0
    for _ in range(200):
        deep = (deep,)
    assert decode_plain(encode_plain(deep)) == deep
    for value in (cycle, [deep]):
        with pytest.raises(NotStorable, match="contains itself or is nested more than 200 levels deep"):
            encode_plain(value)


@given(st.binary(max_size=40))
def test_damaged_bytes_raise_our_error_only(data: bytes) -> None:
    """Whatever the bytes, the reader gets a value or an IntermediateError."""
    with contextlib.suppress(IntermediateError):
        decode_plain(data)


def test_a_class_that_is_no_longer_declared_is_named() -> None:
    """Nothing is imported by name; the reader says which class it misses."""
    data = encode_plain([Item("a", 1.0)], {"Item": Item})
    assert decode_plain(data, {"Item": Item}) == [Item("a", 1.0)]
    with pytest.raises(IntermediateError) as caught:
        decode_plain(data)
    assert str(caught.value) == (
        "The stored value holds a `Item`, which its declared type no longer mentions.\n"
        "  fix: mention `Item` in the annotation of the output again, or run the producing step again"
    )


def test_ids_keep_their_type() -> None:
    """A UUID is neither text nor bytes afterwards."""
    value = uuid.UUID(int=5)
    assert type(decode_plain(encode_plain(value))) is uuid.UUID


@pytest.mark.parametrize("name", ["__class__", "__dict__", "total", "discount"])
def test_an_object_has_its_fields_and_nothing_else(name: str) -> None:
    """What somebody else stores cannot stand in the place of a method or of what is computed."""
    ext = msgspec.msgpack.Ext(DATACLASS, msgspec.msgpack.encode(["Order", {"number": 1, name: {}}]))
    with pytest.raises(IntermediateError) as caught:
        decode_plain(msgspec.msgpack.encode(ext), {"Order": Order})
    assert str(caught.value) == (
        f"The stored `Order` has '{name}', which is not one of its fields.\n"
        "  fix: run the step that produced it again; its class has changed"
    )
