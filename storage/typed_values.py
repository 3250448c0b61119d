"""Values of a declared type: msgspec's typed msgpack, with a proof that it loses nothing.

Typed msgpack is compact and fast, and forgives: a tuple in a ``list[int]``, the int 0 in a field annotated ``float``, a
Struct's subclass, an aware datetime's zone would all come back as something else. Types alone cannot exclude this,
because nothing checks a field when a Struct is made. So the bytes are decoded again and compared before they count
(list items in chunks, which bounds the memory). A value that does not survive is stored in the self-describing format
of ``plain_values`` instead, with the classes that the annotation mentions, and is proved the same way. One byte that no
msgpack document starts with (0xC1, "never used" in the msgpack specification) tells the reader which it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_origin

import msgspec

from solidstate.errors import IntermediateError, NotStorable
from solidstate.storage.annotations import Decode, known_classes
from solidstate.storage.plain_values import decode_plain, encode_plain
from solidstate.storage.sameness import same
from solidstate.storage.store import ObjectWriter

SELF_DESCRIBING = b"\xc1"
CHUNK_ITEMS = 4096
SELF_EVIDENT = frozenset({bool, int, str, bytes})
"""Types that msgpack has itself: their values come back as they went, so there is nothing to prove."""

_encode = msgspec.msgpack.Encoder().encode


def write_typed(value: Any, annotation: Any, decode: Decode, sink: ObjectWriter) -> None:
    """Write ``value``; raises ``NotStorable`` before the first byte when it would not come back the same."""
    if type(value) is annotation and annotation in SELF_EVIDENT:
        sink.write(self_evident(value))
        return
    # Only a bare `list[...]`: a constraint on the whole, such as a maximal length, cannot be proved on a part.
    if type(value) is list and len(value) > CHUNK_ITEMS and get_origin(annotation) is list:
        if all(_proved(chunk, decode) is not None for chunk in _chunks(value)):
            sink.write(b"\xdd" + len(value).to_bytes(4, "big"))  # msgpack array 32
            for chunk in _chunks(value):
                sink.write(memoryview(_encode(chunk))[_header_bytes(len(chunk)) :])
            return
    else:
        data = _proved(value, decode)
        if data is not None:
            sink.write(data)
            return
    sink.write(SELF_DESCRIBING + encode_known(value, annotation, declared=True))


def self_evident(value: object) -> bytes:
    """As :func:`write_typed` writes it."""
    try:
        return _encode(value)
    except (OverflowError, UnicodeEncodeError):  # an int of more than 64 bits, half a character
        return SELF_DESCRIBING + encode_known(value, type(value))


def read_typed(data: bytes | bytearray | memoryview, annotation: Any, decode: Decode) -> Any:
    """Inverse of :func:`write_typed`; raises ``IntermediateError``."""
    if data[:1] == SELF_DESCRIBING:
        return decode_plain(memoryview(data)[1:], known_classes(annotation))
    try:
        return decode(data)
    except Exception as error:  # __post_init__ of a user's class runs here and may raise anything
        raise IntermediateError(
            f"The stored bytes do not fit the declared type: {error}.",
            subject="msgpack",
            hint="the type changed since the value was stored; run the producing step again",
        ) from error


def encode_known(value: Any, annotation: Any, *, declared: bool = False) -> bytes:
    """Self-describing bytes of a value that may hold objects of the classes ``annotation`` mentions. When the whole
    type is ``declared``, numpy's floats and texts are what it says: Python's."""
    classes = known_classes(annotation)
    data = encode_plain(value, classes, plain_numpy=declared and not classes)
    if classes and not same(value, decode_plain(data, classes)):
        raise NotStorable(
            f"The `{type(value).__name__}` would not come back from storage as it is.",
            subject=type(value).__name__,
            path="$",
            hint="a `__post_init__` that changes its own result, or an attribute that is not a field, has this effect",
        )
    return data


def _proved(value: Any, decode: Decode) -> bytes | None:
    """The typed bytes, or None when they do not give the value back."""
    try:
        data = _encode(value)
        return data if same(value, decode(data)) else None
    except Exception:  # noqa: BLE001  # too big an int, a cycle, a broken constraint, a user's __post_init__: no typed form
        return None


def _chunks(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), CHUNK_ITEMS):
        yield items[start : start + CHUNK_ITEMS]


def _header_bytes(items: int) -> int:
    """Size of what msgpack writes before an array's items."""
    return 1 if items < 16 else 3 if items < 65536 else 5
