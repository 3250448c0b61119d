"""The file systems behind ``context.fs``: large data by path. fsspec and s3fs are imported only when one is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def open_s3(endpoint_url: str | None = None) -> Any:
    """s3fs with the credentials of the surroundings; ``endpoint_url`` for a local S3."""
    import s3fs

    return s3fs.S3FileSystem(endpoint_url=endpoint_url, skip_instance_cache=True)


def open_folder(root: Path) -> Any:
    """A folder that looks like S3: ``bucket/key`` paths below ``root``, folders made as needed."""
    from fsspec.implementations.dirfs import DirFileSystem
    from fsspec.implementations.local import LocalFileSystem

    root.mkdir(parents=True, exist_ok=True)
    return DirFileSystem(path=str(root), fs=LocalFileSystem(auto_mkdir=True))


def open_memory() -> Any:
    """Files that live as long as the object does, shared with nobody."""
    from fsspec.implementations.memory import MemoryFileSystem

    fs = MemoryFileSystem(skip_instance_cache=True)
    fs.store, fs.pseudo_dirs = {}, [""]  # the class keeps them in common for the whole process
    return fs
