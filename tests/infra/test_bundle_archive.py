"""Bytes that depend on content alone."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

from solidstate.infra.bundle_archive import Entry, archive, stamp


def folder(root: Path, order: list[str], mtime: int) -> Path:
    for name in order:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 40)
        path.chmod(0o755 if name.endswith(".sh") else 0o600)
        os.utime(path, (mtime, mtime))
    return root


def test_equal_content_gives_equal_zips(tmp_path: Path) -> None:
    """Whatever the order in which files came, their times and their owners' modes."""
    names = ["b/c.py", "a.py", "b/d/run.sh"]
    first = archive(folder(tmp_path / "one", names, 1_000_000_000), tmp_path / "one.zip")
    second = archive(folder(tmp_path / "two", names[::-1], 1_500_000_000), tmp_path / "two.zip")
    assert first == second
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert first.digest == hashlib.sha256((tmp_path / "one.zip").read_bytes()).hexdigest()
    assert first.zip_size == (tmp_path / "one.zip").stat().st_size
    with zipfile.ZipFile(tmp_path / "one.zip") as zipped:
        assert [(info.filename, oct(info.external_attr >> 16)) for info in zipped.infolist()] == [
            ("a.py", "0o100644"),
            ("b/c.py", "0o100644"),
            ("b/d/run.sh", "0o100755"),
        ]


def test_measuring_leaves_no_file(tmp_path: Path) -> None:
    """And counts what is on disk beside what is in the zip."""
    root = folder(tmp_path / "one", ["a.py"], 0)
    measured = archive(root)
    assert measured.size == 160
    assert measured.entries == (Entry("a.py", 160, measured.entries[0].zipped),)
    assert 0 < measured.entries[0].zipped < 160
    assert list(tmp_path.iterdir()) == [root]


def test_stamped_folders_differ_in_nothing_but_their_place(tmp_path: Path) -> None:
    """SAM zips the folder by itself."""
    facts = []
    for name, mtime in (("one", 1_000_000_000), ("two", 1_500_000_000)):
        root = folder(tmp_path / name, ["b/c.py", "b/run.sh"], mtime)
        stamp(root)
        paths = [root, *sorted(root.rglob("*"))]
        facts.append([(path.relative_to(root), oct(path.stat().st_mode), path.stat().st_mtime) for path in paths])
    assert facts[0] == facts[1]
    assert {fact[2] for fact in facts[0]} == {315532800.0}
