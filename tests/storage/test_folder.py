"""What is particular to objects in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidstate.errors import StorageError
from solidstate.storage.folder import FolderStore


def test_objects_are_files_at_their_keys_and_nothing_else_stays(tmp_path: Path) -> None:
    """A person may look into the folder; unfinished objects are not left in it."""
    store = FolderStore(tmp_path / "objects")
    store.put("runs/1/summary.json", b"{}")
    store.put("runs/1/summary.json", b"[]", if_absent=True)
    with pytest.raises(ZeroDivisionError), store.writer("runs/2") as sink:  # noqa: PT012  # the block is the subject
        sink.write(b"x")
        raise ZeroDivisionError
    assert (tmp_path / "objects/runs/1/summary.json").read_bytes() == b"{}"
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == [
        tmp_path / "objects/runs/1/summary.json"
    ]


def test_a_store_on_no_folder_is_empty(tmp_path: Path) -> None:
    """Reading makes no folder."""
    store = FolderStore(tmp_path / "nothing")
    assert list(store.list("")) == []
    assert not store.exists("k")
    store.delete("k")
    assert not (tmp_path / "nothing").exists()


def test_a_second_store_sees_the_first(tmp_path: Path) -> None:
    """History survives the process."""
    FolderStore(tmp_path).put("k", b"x")
    assert FolderStore(str(tmp_path)).get("k") == b"x"


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    """Neither a linked folder nor a linked file is followed, nor listed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    root = tmp_path / "objects"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    store = FolderStore(root)
    with pytest.raises(StorageError) as caught:
        store.get("folder/secret")
    assert str(caught.value) == (
        f"The key `folder/secret` cannot be used: its folder is a link that leaves `{root}`.\n"
        f"  at: {outside}\n  fix: remove the link"
    )
    with pytest.raises(StorageError, match="it is a link, not an object"):
        store.get("file")
    with pytest.raises(StorageError):
        store.put("folder/new", b"")
    assert list(store.list("")) == []


def test_the_scratch_folder_is_not_a_key(tmp_path: Path) -> None:
    """Unfinished objects can be neither read nor listed."""
    store = FolderStore(tmp_path)
    with pytest.raises(StorageError) as caught:
        store.get(".partial/x")
    assert caught.value.problem == "The key `.partial/x` cannot be used: `.partial` holds unfinished objects."
    with store.writer("k") as sink:
        sink.write(b"x")
        assert list(store.list("")) == []


def test_a_key_below_an_object_is_refused(tmp_path: Path) -> None:
    """A file cannot be a folder too; S3 has no such limit, so the error explains it."""
    store = FolderStore(tmp_path)
    store.put("a", b"x")
    store.put("c/d", b"x")
    with pytest.raises(StorageError) as caught:
        store.put("a/b", b"y")
    assert str(caught.value) == (
        f"Could not write the object `a/b` in `{tmp_path}`: File exists.\n  at: {tmp_path}/a/b\n"
        "  fix: check that the folder can be written and that no key is also the folder of another"
    )
    with pytest.raises(StorageError):
        store.put("c", b"y")
    with pytest.raises(StorageError):
        store.put("c", b"y", if_absent=True)
    assert store.get("a") == b"x"
