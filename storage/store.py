"""A few verbs over objects with keys, and what a key may be.

Everything solidstate remembers goes through :class:`ObjectStore`: S3 in the cloud, a folder or memory elsewhere. The
interface is this small so that the commit protocol can be tested against any of them. One rule for keys serves all
stores: what works in a folder works on S3 and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import msgspec

from solidstate.errors import MissingObject, StorageError, shown

MAX_KEY_BYTES = 1024
"""S3's limit on a key in UTF-8 (S3 user guide, "Naming Amazon S3 objects")."""
MAX_SEGMENT_BYTES = 255
"""What common file systems allow for one name."""


class ObjectInfo(msgspec.Struct, frozen=True):
    """One listed object; ``size`` in bytes."""

    key: str
    size: int


class ObjectWriter(Protocol):
    """Where the bytes of one object go. Enough of a binary file for pyarrow, polars and numpy to write to."""

    @property
    def closed(self) -> bool: ...
    def write(self, data: bytes | bytearray | memoryview, /) -> int: ...
    def flush(self) -> None: ...
    def writable(self) -> bool: ...
    def readable(self) -> bool: ...
    def seekable(self) -> bool: ...
    def tell(self) -> int: ...


class ObjectStore(Protocol):
    """Objects by key. Every verb raises :class:`StorageError` for a key that :func:`check_key` refuses, and
    ``StorageUnavailable`` when the store did not answer."""

    def get(self, key: str) -> bytes:
        """The whole object; raises ``MissingObject``."""
        ...

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        """``size`` bytes of the object from byte ``begin`` on; fewer where it ends before. Raises ``MissingObject``."""
        ...

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        """Write atomically. False: ``if_absent`` was asked and an object was there; it is left as it was."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an object of exactly that key."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Objects whose key starts with ``prefix`` (a string prefix, not a folder), sorted by key, fetched lazily."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens when there is none."""
        ...

    def writer(self, key: str) -> AbstractContextManager[ObjectWriter]:
        """Stream one large object. It becomes visible at a clean exit; after an exception nothing is left."""
        ...


@runtime_checkable
class LocatedStore(Protocol):
    """A store whose objects AWS services can read."""

    def location(self, key: str) -> tuple[str, str]:
        """(bucket, whole key) of an object."""
        ...


@runtime_checkable
class JoiningStore(Protocol):
    """A store that leaves the joining of an object's parts to whoever reads it first."""

    def put_joined(self, key: str, parts: Sequence[bytes | memoryview]) -> None:
        """Write the parts as one object."""
        ...


class Repeat(msgspec.Struct, frozen=True):
    """A request to a store that is about to be repeated: to do what (``verb``) with which object, what ``came`` of it,
    the number of the try that failed, and the seconds until the next one."""

    key: str
    verb: str
    came: str
    tries: int
    wait_s: float


@runtime_checkable
class AttendedStore(Protocol):
    """A store that repeats requests, and lets somebody attend to it."""

    def attended(self, left_s: Callable[[], float], told: Callable[[Repeat], bytes | None]) -> ObjectStore:
        """The same store for somebody who has ``left_s()`` seconds left and wants to be ``told`` of each repetition
        before it is made. What that gives is written in the body's place."""
        ...


def attended(store: ObjectStore, left_s: Callable[[], float], told: Callable[[Repeat], bytes | None]) -> ObjectStore:
    """:meth:`AttendedStore.attended`, or the store itself where it repeats nothing."""
    return store.attended(left_s, told) if isinstance(store, AttendedStore) else store


def put_joined(store: ObjectStore, key: str, parts: Sequence[bytes | memoryview]) -> None:
    """Write the parts as one object, joined when somebody reads it where the store can do that."""
    if isinstance(store, JoiningStore):
        store.put_joined(key, parts)
    else:
        store.put(key, b"".join(parts))


def located(store: ObjectStore, key: str) -> tuple[str, str]:
    """(bucket, whole key) of an object. Raises StorageError for a store that AWS services cannot read."""
    if isinstance(store, LocatedStore):
        return store.location(key)
    raise StorageError(
        f"The object `{key}` is in a `{type(store).__name__}`, which no AWS service can read.",
        subject=key,
        hint="keep the data of runs on Step Functions in S3",
    )


def missing(key: str, place: str) -> MissingObject:
    """The error for a key that holds nothing; ``place`` names the store, as in ``s3://bucket``."""
    return MissingObject(f"There is no object `{key}` in `{place}`.", subject=key, path=f"{place}/{key}")


def check_key(key: str) -> str:
    """The key itself, when every store can hold it; raises ``StorageError`` otherwise."""
    problem = "" if _is_plain(key) else _problem_with(key, key.split("/"))
    if problem:
        raise StorageError(
            f"The key {_quoted(key)} cannot be used: {problem}.",
            subject=key,
            hint="use segments of printable characters joined by single slashes, such as `runs/2026/summary.json`",
        )
    return key


def check_prefix(prefix: str) -> str:
    """The prefix itself, when keys may start with it; the empty prefix means every object."""
    segments = prefix.split("/")
    whole = segments[:-1] if segments[-1] in {"", ".", ".."} else segments  # the last one may be the start of a name
    problem = _problem_with(prefix, whole) if whole else ""
    if problem:
        raise StorageError(
            f"The prefix {_quoted(prefix)} cannot be used: {problem}.",
            subject=prefix,
            hint="use the beginning of a key, such as `runs/2026/`",
        )
    return prefix


def _is_plain(key: str) -> bool:
    """Whether nothing can be wrong with a key, at a glance: what is true of nearly every one. Asked for each object
    that is read or written, so it makes do with tests that take no loop in Python and no regular expression."""
    return (
        0 < len(key) <= MAX_SEGMENT_BYTES
        and key.isascii()
        and key.isprintable()
        and key[0] not in "./"
        and key[-1] != "/"
        and "//" not in key
        and "/." not in key
        and "\\" not in key
    )


def _problem_with(key: str, segments: list[str]) -> str:
    if _is_plain(key):
        return ""
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        return "it holds a lone surrogate, which UTF-8 cannot express"
    if length > MAX_KEY_BYTES:
        return f"it has {length:,} bytes and S3 allows {MAX_KEY_BYTES:,}"
    if "\\" in key:
        return "a backslash separates folders on some systems"
    unprintable = next((c for c in key if c < " " or c == "\x7f"), None)
    if unprintable is not None:
        return f"it holds the control character {unprintable!r}"
    for segment in segments:
        if not segment:
            return "it is empty" if not key else "it starts or ends with a slash, or has two in a row"
        if segment in {".", ".."}:
            return f"the segment `{segment}` would lead to another folder"
        if len(segment.encode()) > MAX_SEGMENT_BYTES:
            return f"a segment has {len(segment.encode()):,} bytes and file systems allow {MAX_SEGMENT_BYTES:,}"
    return ""


def _quoted(key: str) -> str:
    text = shown(key)
    return f"`{text[1:] if text.endswith('...') else text[1:-1]}`"
