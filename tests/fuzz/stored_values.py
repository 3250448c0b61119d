"""Target: bytes where a stored value should be, in the formats that are decoded by code of ours."""

from __future__ import annotations

from typing import Any

import msgspec

from solidstate.errors import IntermediateError, NotStorable
from solidstate.storage.codecs import codec_for, codec_named
from solidstate.storage.plain_values import encode_plain
from tests.fuzz.draws import Draws
from tests.storage.shop import Box, Colour, Item, Odd, Order, Point, Rights, Size

ANNOTATIONS: tuple[Any, ...] = (
    Any,
    int,
    list[Item],
    Order,
    dict[str, Order | None],
    Box,
    tuple[Point, ...],
    Odd,
    list[Colour | Rights | Size],
)
NAMES = ("plain", "msgpack", "bytes", "npy", "pickle", "arrow/pandas", "../x", "")


def body_of(draws: Draws) -> bytes:
    """Bytes as they come, or a document or an extension of msgpack, within others of them."""
    how = draws.number(4)
    if how == 0:
        return draws.rest()
    try:
        body = msgspec.msgpack.encode(draws.value(("name", "price", "__class__", "Order", "Item", "x")))
    except (UnicodeEncodeError, RecursionError, OverflowError, ValueError):
        body = b"\xc0"
    for _ in range(draws.number(8) if how == 1 else draws.number(2) * 1_000):
        code = draws.number(48) if how == 1 else 32
        inner = msgspec.msgpack.encode(msgspec.msgpack.Ext(code, body))
        body = b"\x91" + inner if how == 1 and draws.number(2) else inner
    return body


def check(data: bytes) -> None:
    draws = Draws(data)
    annotation = draws.pick(ANNOTATIONS)
    name = NAMES[0] if draws.number(2) else draws.pick(NAMES)
    body = body_of(draws)
    if name.startswith("arrow"):
        return  # pyarrow's own, in C++
    try:
        value = codec_named(name, annotation).decode(body)
    except IntermediateError:
        return
    assert name != "pickle"
    if name == "plain" and codec_for(value, annotation).name == "plain":
        try:
            encode_plain(value)
        except NotStorable:
            pass
