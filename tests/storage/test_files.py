"""The file systems behind `context.fs`: a folder and memory behave as S3 does for those who use paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solidstate.storage.files import open_folder, open_memory, open_s3


@pytest.fixture(params=["folder", "memory"])
def fs(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Both local ones."""
    return open_folder(tmp_path / "files") if request.param == "folder" else open_memory()


def test_bucket_and_key_paths(fs: Any) -> None:
    """Folders are made as needed; what is written is read, found and removed."""
    fs.pipe_file("bucket/a/b.txt", b"hello")
    with fs.open("bucket/a/c.txt", "wb") as file:
        file.write(b"there")
    assert fs.cat_file("bucket/a/b.txt") == b"hello"
    assert sorted(path.strip("/") for path in fs.find("bucket")) == ["bucket/a/b.txt", "bucket/a/c.txt"]
    fs.rm("bucket/a/b.txt")
    assert not fs.exists("bucket/a/b.txt")


def test_a_folder_keeps_files_between_runs(tmp_path: Path) -> None:
    """And they can be looked at with any tool."""
    open_folder(tmp_path / "files").pipe_file("bucket/report.txt", b"kept")
    assert (tmp_path / "files" / "bucket" / "report.txt").read_bytes() == b"kept"
    assert open_folder(tmp_path / "files").cat_file("bucket/report.txt") == b"kept"


def test_memory_is_shared_with_nobody() -> None:
    """Two runs in one process do not see each other's files."""
    one, two = open_memory(), open_memory()
    one.pipe_file("bucket/a", b"1")
    assert not two.exists("bucket/a")


def test_s3_goes_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is made before the first use."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    assert open_s3("http://127.0.0.1:9").endpoint_url == "http://127.0.0.1:9"
