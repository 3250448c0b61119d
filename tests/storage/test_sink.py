"""Small values stay in hand, large ones stream, failures leave nothing."""

from __future__ import annotations

import hashlib

import pytest

from solidstate.errors import NotStorable
from solidstate.storage.codecs import Codec, codec_for
from solidstate.storage.memory import MemoryStore
from solidstate.storage.sink import INLINE_LIMIT, Stored, store_value
from solidstate.storage.store import ObjectStore, ObjectWriter
from tests.conftest_s3 import AnyS3Store, Requests


@pytest.mark.parametrize("size", [0, 1, INLINE_LIMIT - 1, INLINE_LIMIT])
def test_up_to_the_limit_bytes_stay_inline(any_store: ObjectStore, size: int) -> None:
    """No object is made, up to and including the limit."""
    value = b"x" * size
    stored = store_value(any_store, "k", value, codec_for(value))
    assert stored == Stored(size, hashlib.sha256(value).hexdigest(), value, None)
    assert not any_store.exists("k")


def test_beyond_the_limit_an_object_is_made(any_store: ObjectStore) -> None:
    """One byte more; size and hash are of all bytes."""
    value = b"x" * (INLINE_LIMIT + 1)
    stored = store_value(any_store, "k", value, codec_for(value))
    assert stored == Stored(len(value), hashlib.sha256(value).hexdigest(), None, "k")
    assert any_store.get("k") == value


def test_an_inline_value_costs_no_request_and_a_large_one_a_single_put(
    s3_requests: tuple[AnyS3Store, Requests],
) -> None:
    """What the price of a step is made of."""
    store, requests = s3_requests
    store_value(store, "small", b"x", codec_for(b"x"))
    assert requests == []
    store_value(store, "large", b"x" * INLINE_LIMIT * 2, codec_for(b""))
    assert requests == [("PUT", "large")]


class _Failing:
    """Writes in pieces, then cannot go on."""

    name = "failing"

    def encode(self, value: object, sink: ObjectWriter, /) -> None:
        for _ in range(40):
            sink.write(bytes(1024 * 1024))
        raise NotStorable("Half way.", subject=str(value))

    def decode(self, data: bytes | bytearray | memoryview, /) -> object:
        return bytes(data)


def test_nothing_is_visible_when_encoding_fails_half_way(any_store: ObjectStore) -> None:
    """40 MiB were written, and the store is as before."""
    codec: Codec = _Failing()
    with pytest.raises(NotStorable, match="Half way"):
        store_value(any_store, "k", 1, codec)
    assert list(any_store.list("")) == []


def test_pieces_are_hashed_as_one(any_store: ObjectStore) -> None:
    """Size and hash do not depend on how the codec cuts its output."""
    value = [{"n": n} for n in range(100_000)]
    stored = store_value(any_store, "k", value, codec_for(value))
    assert stored.key == "k"
    data = any_store.get("k")
    assert (stored.size, stored.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_the_limit_is_the_callers_choice() -> None:
    """Zero sends every byte to the store; an empty value has none to send."""
    store = MemoryStore()
    assert store_value(store, "k", b"x", codec_for(b"x"), limit=0).key == "k"
    assert store_value(store, "none", b"", codec_for(b""), limit=0).inline == b""
