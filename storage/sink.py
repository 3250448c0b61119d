"""From a value to stored bytes: small ones stay in hand, large ones stream to an object of their own.

A step's small outputs travel inside its commit, so whether a value needs an object is known only once enough of its
bytes were made. :class:`SpoolingSink` decides on the fly and hashes everything that passes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import msgspec

from solidstate.storage.codecs import Codec, TypedCodec
from solidstate.storage.store import ObjectStore, ObjectWriter

INLINE_LIMIT = 256 * 1024
"""Bytes up to which an encoded value is kept inline."""


class Stored(msgspec.Struct, frozen=True):
    """Where the encoded bytes are: ``inline``, or in the object ``key``; never both. ``size`` in bytes, ``sha256`` in
    hex, both of all encoded bytes."""

    size: int
    sha256: str
    inline: bytes | None
    key: str | None


class SpoolingSink:
    """A write-only binary file. Up to ``limit`` bytes stay in memory; the first byte more opens the object ``key`` (or
    what it returns: most values never need one).

    Write, then :meth:`finish`; or :meth:`abort`, and nothing becomes visible in the store.
    """

    # What most values never change stands here once, instead of being set for each.
    _size = 0
    _sha: Any = None
    _held: bytes | bytearray | None = b""  # a single write is kept as it came
    _opened: str | None = None
    _writer: ObjectWriter | None = None
    _open: ExitStack | None = None
    _closed = False

    def __init__(self, store: ObjectStore, key: str | Callable[[], str], limit: int = INLINE_LIMIT) -> None:
        self._store = store
        self._key = key
        self._limit = limit

    def finish(self) -> Stored:
        """Where the bytes are now that there are no more of them."""
        self._closed = True
        held = self._held
        if held is not None:
            inline = held if type(held) is bytes else bytes(held)
            return Stored(len(inline), hashlib.sha256(inline).hexdigest(), inline, None)
        if self._open is not None:
            self._open.close()
        return Stored(self._size, self._sha.hexdigest(), None, self._opened)

    def abort(self, error: BaseException) -> None:
        """Encoding has failed with ``error``: leave nothing behind."""
        self._closed = True
        if self._open is not None:
            self._open.__exit__(type(error), error, error.__traceback__)

    @property
    def closed(self) -> bool:
        return self._closed

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        if type(data) is bytes and not self._size and len(data) <= self._limit:
            self._held = data
            self._size = len(data)
            return len(data)
        view = memoryview(data).cast("B")  # pyarrow hands over its own buffers, which have no length in bytes
        self._size += view.nbytes
        if self._held is not None:
            if self._size <= self._limit:
                self._hold(view)
                return view.nbytes
            self._open = ExitStack()
            self._sha = hashlib.sha256(self._held)
            self._opened = self._key if isinstance(self._key, str) else self._key()
            self._writer = self._open.enter_context(self._store.writer(self._opened))
            self._writer.write(self._held)
            self._held = None
        if self._writer is not None:
            self._sha.update(view)
            self._writer.write(view)
        return view.nbytes

    def _hold(self, data: bytes | memoryview) -> None:
        if not isinstance(self._held, bytearray):
            self._held = bytearray(self._held or b"")
        self._held += data

    def flush(self) -> None:
        """Nothing to do: what is written is passed on at once."""

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._size


def store_value(
    store: ObjectStore, key: str | Callable[[], str], value: object, codec: Codec, limit: int = INLINE_LIMIT
) -> Stored:
    """Encode ``value``; write an object only beyond ``limit`` bytes. Raises ``NotStorable`` from the codec and
    ``StorageError`` from the store; then nothing is visible under ``key``."""
    if type(codec) is TypedCodec:
        data = codec.at_once(value)
        if data is not None and len(data) <= limit:
            return Stored(len(data), hashlib.sha256(data).hexdigest(), data, None)
    sink = SpoolingSink(store, key, limit)
    try:
        codec.encode(value, sink)
    except BaseException as error:
        sink.abort(error)
        raise
    return sink.finish()
