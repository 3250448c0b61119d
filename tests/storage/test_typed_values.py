"""Values of declared types: compact where that is exact, self-describing where it is not, refused where neither is."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.errors import IntermediateError, NotStorable
from solidstate.storage.codecs import codec_for, codec_named
from solidstate.storage.memory import MemoryStore
from solidstate.storage.sameness import same
from solidstate.storage.sink import store_value
from solidstate.storage.typed_values import CHUNK_ITEMS, SELF_DESCRIBING
from tests.storage.shop import Box, Colour, Item, Limited, Odd, Order, Point, Rights, Size, SpecialItem
from tests.storage.test_plain_values import PLAIN

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
NOON = dt.datetime(2020, 1, 1, 12, tzinfo=PARIS)


def round_trip(value: Any, annotation: Any) -> tuple[Any, str, bytes]:
    """The value read back under the recorded name, that name, and the stored bytes."""
    store = MemoryStore()
    codec = codec_for(value, annotation)
    stored = store_value(store, "k", value, codec)
    data = stored.inline if stored.inline is not None else store.get("k")
    return codec_named(codec.name, annotation).decode(data), codec.name, data


_ITEMS = st.builds(
    Item,
    st.text(),
    st.floats() | st.integers(),
    st.none() | st.sampled_from(Colour),
    st.floats() | st.integers(),
    st.none() | st.datetimes(timezones=st.none() | st.just(PARIS) | st.just(dt.UTC)),
    PLAIN,
)
_POINTS = st.builds(Point, st.integers(), st.floats())
_ORDERS = st.builds(Order, st.integers(), st.lists(_ITEMS, max_size=3), st.none() | _POINTS)


@given(st.lists(_ORDERS, max_size=3))
def test_every_typed_value_comes_back_exactly(orders: list[Order]) -> None:
    """Ints in float fields, zones, tuples in untyped fields and all."""
    back, name, _ = round_trip(orders, list[Order])
    assert name == "msgpack"
    assert same(back, orders)


# value, declared type, format, and whether the compact form was enough
EXACT: list[tuple[Any, Any, str, bool]] = [
    ([Item("a", 1.5, discount=0.0)], list[Item], "msgpack", True),
    ([Item("a", 1.5)], list[Item], "msgpack", False),
    (0, float, "msgpack", False),
    (0.0, float, "msgpack", True),
    ((1, 2), list[int], "msgpack", False),
    ((1, 2), tuple[int, ...], "msgpack", True),
    (NOON, dt.datetime, "msgpack", False),
    (Item("a", 1.0, bought=NOON.replace(tzinfo=zoneinfo.ZoneInfo.no_cache("Europe/Paris"))), Item, "msgpack", False),
    (NOON.astimezone(dt.UTC), dt.datetime, "msgpack", True),
    (Colour.RED, Colour, "msgpack", True),
    (Point(1, 2.0), Point, "msgpack", True),
    (Point(1, 2), Point, "msgpack", False),
    ({"item": Item("a", 1.0, discount=0.5), "count": 1}, Box, "msgpack", True),
    (None, Item | None, "msgpack", True),
    ([1, "a"], list[int | str], "msgpack", True),
    (Limited(-1), Limited, "msgpack", False),
    ([2**70], list[int], "msgpack", False),
    ({Item("a", 1.0, discount=0.5): 1}, dict[Item, int], "msgpack", True),
    (5, Annotated[int, {"not": "hashable"}], "msgpack", True),
    (Size.LARGE, Size, "plain", False),
    (Rights.READ | Rights.WRITE, Rights, "msgpack", True),
    ([Item("a", 1.0)], list[Any | Item], "plain", False),
    ({1: (2,)}, dict, "plain", False),
]


@pytest.mark.parametrize(("value", "annotation", "name", "compact"), EXACT, ids=[repr(case[:2]) for case in EXACT])
def test_values_come_back_exactly(value: Any, annotation: Any, name: str, compact: bool) -> None:
    """Compact where that loses nothing, self-describing otherwise."""
    back, recorded, data = round_trip(value, annotation)
    assert same(back, value)
    assert recorded == name
    if name == "msgpack":
        assert data.startswith(SELF_DESCRIBING) is not compact


def test_a_computed_property_is_no_content() -> None:
    """What a cached_property remembered can be computed again and does not make an object unstorable."""
    order = Order(1, [Item("a", 2.0, discount=0.5)])
    assert order.total == 2.0
    back, _, data = round_trip(order, Order)
    assert not data.startswith(SELF_DESCRIBING)
    assert back == order


def _with_a_note(order: Order) -> Order:
    order.__dict__["note"] = "x"
    return order


REFUSED: list[tuple[Any, Any, str]] = [
    (
        [SpecialItem("a", 1.0)],
        list[Item],
        "`SpecialItem` has no self-describing storage format (at `$[0]`).\n  at: $[0]\n"
        "  fix: annotate the output, for example `-> list[SpecialItem]`, so that it can be read back",
    ),
    (
        Odd(1),
        Odd,
        "The `Odd` would not come back from storage as it is.\n  at: $\n"
        "  fix: a `__post_init__` that changes its own result, or an attribute that is not a field, has this effect",
    ),
    (
        [_with_a_note(Order(1))],
        list[Order],
        "The `Order` at `$[0]` carries `note`, which is not one of its fields.\n  at: $[0]\n"
        "  fix: declare `note` as a field, or remove it before returning the value",
    ),
]


@pytest.mark.parametrize(("value", "annotation", "text"), REFUSED, ids=["subclass", "post_init", "attribute"])
def test_what_would_not_come_back_is_refused(value: Any, annotation: Any, text: str) -> None:
    """In neither form, and with nothing written."""
    store = MemoryStore()
    with pytest.raises(NotStorable) as caught:
        store_value(store, "k", value, codec_for(value, annotation), limit=0)
    assert str(caught.value) == text
    assert list(store.list("")) == []


@pytest.mark.parametrize("odd_one", [None, Item("odd", 1, discount=0.5)])
@pytest.mark.parametrize("count", [CHUNK_ITEMS, CHUNK_ITEMS + 1, CHUNK_ITEMS + 20, 2 * CHUNK_ITEMS])
def test_long_lists_are_written_in_chunks_of_one_document(count: int, odd_one: Item | None) -> None:
    """Around the chunk size, where array headers change, and with one inexact item at the end."""
    items = [Item(f"item {i}", i / 4, discount=0.5) for i in range(count)]
    if odd_one is not None:
        items[-1] = odd_one
    back, _, data = round_trip(items, list[Item])
    assert same(back, items)
    assert data.startswith(SELF_DESCRIBING) is (odd_one is not None)
    if odd_one is None:
        assert len(msgspec.msgpack.decode(data)) == count


def test_a_limit_on_the_whole_list_is_proved_on_the_whole() -> None:
    """A constraint that each chunk meets and the list does not must not make it unreadable."""
    short = Annotated[list[int], msgspec.Meta(max_length=CHUNK_ITEMS + 10)]
    value = list(range(CHUNK_ITEMS * 2))
    back, _, _ = round_trip(value, short)
    assert back == value


def test_a_changed_type_is_an_error_that_says_so() -> None:
    """Reading with another type than was written."""
    with pytest.raises(IntermediateError) as caught:
        codec_named("msgpack", list[int]).decode(msgspec.msgpack.encode(["a"]))
    assert str(caught.value) == (
        "The stored bytes do not fit the declared type: Expected `int`, got `str` - at `$[0]`.\n"
        "  fix: the type changed since the value was stored; run the producing step again"
    )
