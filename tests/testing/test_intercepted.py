"""Whoever listens to a store hears of each call before and after it, and may stop it."""

from __future__ import annotations

import pytest

from solidstate.errors import StorageError
from solidstate.storage.memory import MemoryStore
from solidstate.testing.intercepted import InterceptedStore, Verb, When


def test_every_call_is_told() -> None:
    """Before and after, with its verb and key; a streamed object is a put."""
    heard: list[str] = []
    store = InterceptedStore(MemoryStore(), lambda when, verb, key: heard.append(f"{when} {verb} {key}"))
    store.put("k", b"1")
    store.get("k")
    store.exists("k")
    list(store.list("k"))
    store.delete("k")
    with store.writer("w") as stream:
        heard.append("writing")
        stream.write(b"2")
    calls = ["put k", "get k", "exists k", "list k", "delete k"]
    expected = [f"{when} {call}" for call in calls for when in ("before", "after")]
    assert heard == [*expected, "before put w", "writing", "after put w"]


def test_what_the_listener_raises_the_call_raises() -> None:
    """Before the call nothing is done; after it, it is."""
    inner = MemoryStore()

    def stop(when: When, verb: Verb, key: str) -> None:
        if (when, verb) == (key, "put"):
            raise RuntimeError(key)

    store = InterceptedStore(inner, stop)
    for key, written in (("before", False), ("after", True)):
        with pytest.raises(RuntimeError):
            store.put(key, b"1")
        assert inner.exists(key) is written
    with pytest.raises(RuntimeError), store.writer("before"):
        pass
    assert not inner.exists("before")


def test_the_location_is_that_of_the_store_inside() -> None:
    """One in memory has none."""
    with pytest.raises(StorageError, match=r"is in a `MemoryStore`, which no AWS service can read\."):
        InterceptedStore(MemoryStore(), lambda when, verb, key: None).location("k")
