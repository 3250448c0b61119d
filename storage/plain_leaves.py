"""The storage format of single values that msgpack lacks: dates, decimals, ids, numbers of any size.

Each is a msgpack extension: a code and a few bytes. Containers and objects are the business of ``plain_values``.
"""

from __future__ import annotations

import datetime as dt
import struct
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from solidstate.errors import NotStorable, shown
from solidstate.storage.refusals import Place

# Extension codes. Part of the stored format: never renumber.
BIG_INT, SURROGATES, BYTEARRAY, DATETIME, DATE, TIME, TIMEDELTA, DECIMAL, UUID, COMPLEX, RANGE, UNSET = range(12)

INT64_MIN = -(2**63)
UINT64_MAX = 2**64 - 1

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


def _zone(value: dt.tzinfo | None, at: Place) -> list[Any] | None:
    if value is None:
        return None
    if type(value) is dt.timezone:
        offset = value.utcoffset(None)
        name = value.tzname(None)
        unnamed = name == dt.timezone(offset).tzname(None)
        return ["offset", offset // dt.timedelta(microseconds=1), None if unnamed else name]
    from zoneinfo import ZoneInfo  # reads the interpreter's build settings when it is loaded

    if type(value) is ZoneInfo and value.key:
        return ["zone", value.key]
    path = at.path()
    raise NotStorable(
        f"The time zone `{shown(value)}` at `{path}` has no storage format.",
        subject=type(value).__name__,
        path=path,
        hint="use `datetime.timezone` or a `zoneinfo.ZoneInfo` made from a name",
    )


def _read_zone(parts: list[Any] | None) -> dt.tzinfo | None:
    if parts is None:
        return None
    if parts[0] == "zone":
        from zoneinfo import ZoneInfo

        return ZoneInfo(parts[1])
    offset = dt.timedelta(microseconds=parts[1])
    return dt.timezone(offset) if parts[2] is None else dt.timezone(offset, parts[2])


def _write_moment(code: int, value: dt.datetime | dt.time, at: Place) -> msgspec.msgpack.Ext:
    naive = value.replace(tzinfo=None).isoformat()
    return ext(code, _encode([naive, value.fold, _zone(value.tzinfo, at)]))


def _read_datetime(data: memoryview) -> dt.datetime:
    text, fold, zone = _decode(data)
    return dt.datetime.fromisoformat(text).replace(fold=fold, tzinfo=_read_zone(zone))


def _read_time(data: memoryview) -> dt.time:
    text, fold, zone = _decode(data)
    return dt.time.fromisoformat(text).replace(fold=fold, tzinfo=_read_zone(zone))


def _text(data: memoryview) -> str:
    return bytes(data).decode()


def _write_range(value: range) -> bytes:
    return f"{value.start:x},{value.stop:x},{value.step:x}".encode()  # hexadecimal: no limit on digits


def _read_range(data: memoryview) -> range:
    start, stop, step = (int(part, 16) for part in _text(data).split(","))
    return range(start, stop, step)


def write_int(value: int) -> int | msgspec.msgpack.Ext:
    """The number itself while msgpack has room for it (-2**63 to 2**64-1)."""
    if INT64_MIN <= value <= UINT64_MAX:
        return value
    return ext(BIG_INT, value.to_bytes((value.bit_length() + 8) // 8, "big", signed=True))


def write_text(value: str) -> str | msgspec.msgpack.Ext:
    """The text itself unless it holds lone surrogates, which UTF-8 and so msgpack cannot express."""
    return value if is_utf8(value) else ext(SURROGATES, value.encode("utf-8", "surrogatepass"))


def is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def ext(code: int, data: bytes) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(code, data)


WRITE_LEAF: dict[type, Callable[[Any, Place], Any]] = {
    int: lambda value, _: write_int(value),
    str: lambda value, _: write_text(value),
    bytearray: lambda value, _: ext(BYTEARRAY, bytes(value)),
    dt.datetime: lambda value, at: _write_moment(DATETIME, value, at),
    dt.date: lambda value, _: ext(DATE, value.isoformat().encode()),
    dt.time: lambda value, at: _write_moment(TIME, value, at),
    dt.timedelta: lambda value, _: ext(TIMEDELTA, _encode([value.days, value.seconds, value.microseconds])),
    Decimal: lambda value, _: ext(DECIMAL, str(value).encode()),
    uuid.UUID: lambda value, _: ext(UUID, value.bytes),
    complex: lambda value, _: ext(COMPLEX, struct.pack("<dd", value.real, value.imag)),
    range: lambda value, _: ext(RANGE, _write_range(value)),
    msgspec.UnsetType: lambda _value, _: ext(UNSET, b""),
}
"""By exact type: value and place to what msgspec writes; raises ``NotStorable``."""

READ_LEAF: dict[int, Callable[[memoryview], Any]] = {
    BIG_INT: lambda data: int.from_bytes(data, "big", signed=True),
    SURROGATES: lambda data: bytes(data).decode("utf-8", "surrogatepass"),
    BYTEARRAY: bytearray,
    DATETIME: _read_datetime,
    DATE: lambda data: dt.date.fromisoformat(_text(data)),
    TIME: _read_time,
    TIMEDELTA: lambda data: dt.timedelta(*_decode(data)),
    DECIMAL: lambda data: Decimal(_text(data)),
    UUID: lambda data: uuid.UUID(bytes=bytes(data)),
    COMPLEX: lambda data: complex(*struct.unpack("<dd", data)),
    RANGE: _read_range,
    UNSET: lambda _: msgspec.UNSET,
}
"""By extension code: payload to value."""
