"""What every object store promises, and which keys none of them takes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.errors import MissingObject, StorageError
from solidstate.storage.folder import FolderStore
from solidstate.storage.memory import MemoryStore
from solidstate.storage.store import MAX_KEY_BYTES, ObjectInfo, ObjectStore, check_key, check_prefix, put_joined

LARGE = 16 * 1024 * 1024


def test_get_returns_what_put_wrote(any_store: ObjectStore) -> None:
    """The body comes back, and a second put replaces it."""
    assert any_store.put("a/b.txt", b"one") is True
    assert any_store.get("a/b.txt") == b"one"
    assert any_store.put("a/b.txt", b"") is True
    assert any_store.get("a/b.txt") == b""


def test_get_of_nothing_is_missing(any_store: ObjectStore) -> None:
    """A key without an object raises MissingObject that names it, also when it is the folder of another."""
    any_store.put("a/b", b"x")
    for key in ("nothing", "a", "a/b/c"):
        with pytest.raises(MissingObject) as caught:
            any_store.get(key)
        assert caught.value.subject == key
        assert f"There is no object `{key}` in `" in caught.value.problem


def test_a_part_is_read_by_itself(any_store: ObjectStore) -> None:
    """From a byte on, as many as are asked for and there; a part of nothing is missing."""
    any_store.put("a/b", b"0123456789")
    parts = [(0, 4), (3, 1), (6, 4), (6, 100), (10, 1), (99, 5)]
    assert [any_store.get_part("a/b", *part) for part in parts] == [b"0123", b"3", b"6789", b"6789", b"", b""]
    with pytest.raises(MissingObject) as caught:
        any_store.get_part("a/c", 0, 4)
    assert caught.value.subject == "a/c"


def test_parts_are_one_object(any_store: ObjectStore) -> None:
    """Whenever they are joined: its size, its bytes, and the next thing that is put there."""
    body = b"0123456789"
    put_joined(any_store, "a/b", [b"<", memoryview(body)[3:], b"", b">"])
    assert [info.size for info in any_store.list("a/")] == [9]
    assert any_store.exists("a/b")
    assert any_store.get_part("a/b", 1, 3) == b"345"
    assert any_store.get("a/b") == b"<3456789>"
    assert any_store.put("a/b", b"x", if_absent=True) is False
    any_store.put("a/b", b"x")
    assert any_store.get("a/b") == b"x"


def test_put_if_absent_leaves_what_is_there(any_store: ObjectStore) -> None:
    """The second conditional put says False and changes nothing."""
    assert any_store.put("commit", b"first", if_absent=True) is True
    assert any_store.put("commit", b"second", if_absent=True) is False
    assert any_store.get("commit") == b"first"


def test_exists_is_about_the_exact_key(any_store: ObjectStore) -> None:
    """A longer key or a folder is not the object."""
    any_store.put("run/1/commit", b"x")
    assert any_store.exists("run/1/commit")
    assert not any_store.exists("run/1/comm")
    assert not any_store.exists("run/1")


def test_list_is_sorted_by_key_and_by_string_prefix(any_store: ObjectStore) -> None:
    """Order is that of whole keys, in which `/` sorts after `.` and `-`; a prefix may end inside a name."""
    keys = ["a-b", "a.b/x", "a/b", "a/b-c", "ab", "b/c/d", "é/ü", "z"]
    for key in reversed(keys):
        any_store.put(key, key.encode())
    assert [info.key for info in any_store.list("")] == sorted(keys)
    assert list(any_store.list("a/")) == [ObjectInfo("a/b", 3), ObjectInfo("a/b-c", 5)]
    assert [info.key for info in any_store.list("a")] == ["a-b", "a.b/x", "a/b", "a/b-c", "ab"]
    assert [info.key for info in any_store.list("b/c")] == ["b/c/d"]
    assert list(any_store.list("nothing/")) == []
    assert list(any_store.list("a/b/")) == []


def test_delete_is_idempotent(any_store: ObjectStore) -> None:
    """Deleting twice, or a folder's name, is no error and touches nothing else."""
    any_store.put("a/b", b"x")
    any_store.put("a/c", b"x")
    for key in ("a/b", "a/b", "a"):
        any_store.delete(key)
    assert [info.key for info in any_store.list("")] == ["a/c"]


@pytest.mark.parametrize("size", [0, 1, LARGE, LARGE + 1, 2 * LARGE + 5])
def test_writer_streams_an_object(any_store: ObjectStore, size: int) -> None:
    """All that was written arrives in order, whatever the pieces, and only after the block."""
    body = bytes(range(251)) * (size // 251 + 1)
    body = body[:size]
    with any_store.writer("large") as sink:
        assert not sink.closed
        assert sink.writable()
        position = 0
        for piece in (1, 1000, 20 * 1024 * 1024, size):
            data = memoryview(body)[position : position + piece]
            assert sink.write(data) == data.nbytes
            position += data.nbytes
        assert not any_store.exists("large")
    assert any_store.get("large") == body


def test_writer_leaves_nothing_after_an_exception(any_store: ObjectStore) -> None:
    """A block that raises makes no object, and what was there before stays."""
    any_store.put("kept", b"old")
    for key in ("kept", "new"):
        with pytest.raises(KeyboardInterrupt), any_store.writer(key) as sink:  # noqa: PT012  # the block is the subject
            sink.write(bytes(2 * LARGE + 1))
            raise KeyboardInterrupt
    assert list(any_store.list("")) == [ObjectInfo("kept", 3)]
    assert any_store.get("kept") == b"old"


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_of_sixteen_racing_conditional_puts_one_wins(kind: str, tmp_path: Path) -> None:
    """Exactly one put says True, and its body is the one that stays."""
    store: ObjectStore = MemoryStore() if kind == "memory" else FolderStore(tmp_path)
    barrier = Barrier(16)

    def put(round_and_name: tuple[int, int]) -> bool:
        barrier.wait()
        return store.put(f"commit-{round_and_name[0]}", str(round_and_name[1]).encode() * 1000, if_absent=True)

    with ThreadPoolExecutor(16) as pool:
        for number in range(30):
            won = list(pool.map(put, [(number, name) for name in range(16)]))
            assert won.count(True) == 1
            assert store.get(f"commit-{number}") == str(won.index(True)).encode() * 1000


REFUSED = {
    "": "The key `` cannot be used: it is empty.",
    "/etc/passwd": "The key `/etc/passwd` cannot be used: it starts or ends with a slash, or has two in a row.",
    "a//b": "The key `a//b` cannot be used: it starts or ends with a slash, or has two in a row.",
    "a/": "The key `a/` cannot be used: it starts or ends with a slash, or has two in a row.",
    "../x": "The key `../x` cannot be used: the segment `..` would lead to another folder.",
    "a/./b": "The key `a/./b` cannot be used: the segment `.` would lead to another folder.",
    "a\\b": "The key `a\\\\b` cannot be used: a backslash separates folders on some systems.",
    "a\0b": "The key `a\\x00b` cannot be used: it holds the control character '\\x00'.",
    "a\n": "The key `a\\n` cannot be used: it holds the control character '\\n'.",
    "a\ud800": "The key `a\\ud800` cannot be used: it holds a lone surrogate, which UTF-8 cannot express.",
    "é" * 128: f"The key `{'é' * 56}...` cannot be used: a segment has 256 bytes and file systems allow 255.",
}


@pytest.mark.parametrize("key", REFUSED)
def test_a_key_no_store_can_hold_is_refused_by_every_verb(any_store: ObjectStore, key: str) -> None:
    """The same sentence whatever the store and the verb."""
    for use in (any_store.get, any_store.exists, any_store.delete, lambda k: any_store.put(k, b"")):
        with pytest.raises(StorageError) as caught:
            use(key)
        assert caught.value.problem == REFUSED[key]
    with pytest.raises(StorageError), any_store.writer(key):
        pass


def test_a_key_may_be_as_long_as_s3_allows(any_store: ObjectStore) -> None:
    """1,024 bytes are taken, one more is not."""
    longest = "/".join(["x" * 204] * 5)
    assert len(longest) == MAX_KEY_BYTES
    any_store.put(longest, b"x")
    assert any_store.exists(longest)
    with pytest.raises(StorageError, match="1,025 bytes and S3 allows 1,024"):
        any_store.put(longest + "x", b"")


@given(st.lists(st.sampled_from(["a", "/", ".", "..", "\\", "%2e", "\0", "~", " ", "é", "\ud800"]), max_size=8))
def test_no_key_leads_out_of_the_folder(pieces: list[str]) -> None:
    """What check_key lets through names a path below the root."""
    key = "".join(pieces)
    root = Path("/srv/objects")
    try:
        check_key(key)
    except StorageError:
        return
    path = Path(f"{root}/{key}")
    assert path.is_relative_to(root)
    assert ".." not in path.parts
    assert path != root


def test_a_prefix_may_end_anywhere_but_not_leave() -> None:
    """The beginning of a name is a prefix, also a dot; a way out is not."""
    for prefix in ("", "a", "a/", "a/.", "a/..", "a/b"):
        assert check_prefix(prefix) == prefix
    for prefix in ("/", "../a", "a//", "a\\", "a/../b"):
        with pytest.raises(StorageError, match=r"^The prefix `.*` cannot be used: "):
            check_prefix(prefix)


def test_listing_reads_pages_only_as_they_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first object of a folder store comes before its last folder is opened."""
    import os

    store = FolderStore(tmp_path)
    for key in ("a/1", "b/1", "c/1"):
        store.put(key, b"")
    opened: list[str] = []
    scandir = os.scandir

    def noted(path: Any) -> Iterator[Any]:
        opened.append(Path(path).name)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noted)
    assert next(store.list("")).key == "a/1"
    assert "c" not in opened
