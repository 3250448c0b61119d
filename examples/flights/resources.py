"""Where reports go: a folder while working on a laptop, S3 in production. Solids know only ``save``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec

from solidstate import Permission, resource


class Reports(Protocol):
    """The resource ``reports``: a place for finished files."""

    def save(self, context: Any, name: str, data: bytes, /) -> str:
        """Keep ``data`` as ``name``, replacing what was there; returns its path. Saving twice is as good as once, so a
        step may be repeated."""
        ...


class FolderConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``folder`` is relative to the directory the run was started in."""

    folder: str = "build/flights"


class FolderReports:
    """Files in a local folder, made when the first is saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, _context: Any, name: str, data: bytes, /) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        # First beside, then in place: whoever looks at the folder never sees half a file.
        handle, unfinished = tempfile.mkstemp(prefix=f".{name}.", dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(unfinished).chmod(0o644)
            Path(unfinished).replace(self.folder / name)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        return (self.folder / name).as_posix()


@resource
def folder_reports(config: FolderConfig) -> FolderReports:
    """Reports in a local folder."""
    return FolderReports(Path(config.folder))


class BucketConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``url`` is a bucket and a prefix in it. Steps are allowed to write below ``reports/`` in the data bucket."""

    url: Annotated[str, msgspec.Meta(pattern="^s3://[^/]+")]


class BucketReports:
    """Objects in S3, written through the run's own file system. A run without AWS has one too, so that this mode can be
    tried anywhere."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def save(self, context: Any, name: str, data: bytes, /) -> str:
        path = f"{self.url}/{name}"
        context.fs.pipe_file(path.removeprefix("s3://"), data)
        return path


@resource(permissions=[Permission("s3:PutObject", "arn:aws:s3:::${DataBucket}/reports/*")])
def bucket_reports(config: BucketConfig) -> BucketReports:
    """Reports in S3."""
    return BucketReports(config.url)
