"""A store laid over another shows both, writes to one."""

from __future__ import annotations

import pytest

from solidstate.errors import MissingObject
from solidstate.storage.memory import MemoryStore
from solidstate.testing.overlay import OverlayStore


@pytest.fixture
def below() -> MemoryStore:
    """What there was."""
    store = MemoryStore()
    for key in ("a/1", "a/2", "b/1"):
        store.put(key, key.encode())
    return store


def test_what_was_there_is_read_and_never_written(below: MemoryStore) -> None:
    """What is written over it is seen, above only."""
    store = OverlayStore(below, ())
    assert store.get("a/1") == b"a/1"
    assert not store.put("a/1", b"new", if_absent=True)
    assert store.put("a/1", b"new")
    with store.writer("c") as stream:
        stream.write(b"streamed")
    assert (store.get("a/1"), store.get("c")) == (b"new", b"streamed")
    assert [info.key for info in store.list("")] == ["a/1", "a/2", "b/1", "c"]
    assert below.get("a/1") == b"a/1"
    assert not below.exists("c")


def test_what_is_hidden_is_not_there(below: MemoryStore) -> None:
    """It can be created anew, and is listed then."""
    store = OverlayStore(below, ("a/",))
    assert not store.exists("a/1")
    with pytest.raises(MissingObject):
        store.get("a/1")
    assert [info.key for info in store.list("")] == ["b/1"]
    assert store.put("a/1", b"new", if_absent=True)
    assert not store.put("a/1", b"newer", if_absent=True)
    assert (store.get("a/1"), store.exists("a/1")) == (b"new", True)
    assert [info.key for info in store.list("a/")] == ["a/1"]


def test_what_is_deleted_is_gone_above_alone(below: MemoryStore) -> None:
    """Whether it was above or below; and it can come back."""
    store = OverlayStore(below, ())
    store.put("c", b"new")
    for key in ("b/1", "c"):
        store.delete(key)
        assert not store.exists(key)
    assert below.exists("b/1")
    assert store.put("b/1", b"again", if_absent=True)
    assert store.get("b/1") == b"again"
