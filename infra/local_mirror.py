"""A bucket of the local AWS kept in a folder as it is written, so that history outlives the process and its crash.

Objects are files of the same path. Every client of moto is covered (boto3, s3fs, the command line), because the mirror
sits where moto stores objects: PutObject, CompleteMultipartUpload and CopyObject write the file, DeleteObject and
DeleteObjects remove it, all before the client has its answer. Files appear whole (written beside, then renamed). They
are not forced to the disk: a power failure may lose the last ones.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import threading
import time
import uuid
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from solidstate.errors import EngineError, StorageError
from solidstate.infra.moto_inside import ACCOUNT_ID, inside, swap

INCOMING = ".incoming"
"""Folder inside the mirror for files that are being written; no key may begin with it."""
_MAX_SEGMENT_BYTES = 255
"""The longest file name common file systems take."""
_ABANDONED_AFTER_S = 3600.0
_ATTEMPTS = 5


def mirrored_path(folder: Path, key: str) -> Path:
    """Where the object ``key`` is kept in ``folder``; ``StorageError`` for a key that has no path inside it."""
    segments = key.split("/")
    wrong = None
    if any(segment in ("", ".", "..") for segment in segments):
        wrong = "an empty, `.` or `..` part between slashes"
    elif "\0" in key or "\\" in key:
        wrong = "a NUL or a backslash"
    elif any(len(segment.encode("utf-8", "surrogatepass")) > _MAX_SEGMENT_BYTES for segment in segments):
        wrong = f"a part of more than {_MAX_SEGMENT_BYTES} bytes between slashes"
    elif segments[0] == INCOMING:
        wrong = f"the reserved first part `{INCOMING}`"
    if wrong is not None:
        raise StorageError(f"The key `{key}` cannot be kept as a file, because it has {wrong}.", subject=key)
    return folder.joinpath(*segments)


@contextmanager
def mirror(bucket: str, folder: Path) -> Generator[None]:
    """Keep ``bucket`` in ``folder`` (made when missing) until exit; the files stay.

    A write that cannot be kept is refused as a whole: the client gets an error and the bucket is unchanged.
    ``EngineError`` when the bucket is mirrored already.
    """
    root = folder.resolve()
    (root / INCOMING).mkdir(parents=True, exist_ok=True)
    _sweep(root / INCOMING)
    _MIRRORS.add(bucket, root)
    try:
        yield
    finally:
        _MIRRORS.remove(bucket)


def preload(bucket: str, folder: Path, prefixes: Iterable[str] = ("",)) -> int:
    """Put the files of ``folder`` whose keys begin with one of ``prefixes`` into ``bucket``; gives how many.

    The objects keep the files' times. Best called before ``mirror``, which would write each file again. Symbolic links
    are left out. ``StorageError`` for a prefix that leads out of the folder.
    """
    root = folder.resolve()
    backend = inside("s3.models").s3_backends[ACCOUNT_ID]["aws"]
    found = {key for prefix in prefixes for key in _keys(root, prefix)}
    for key in sorted(found):
        path = mirrored_path(root, key)
        made = backend.put_object(bucket, key, path.read_bytes(), disable_notification=True)
        made.last_modified = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC).replace(tzinfo=None)
    return len(found)


def _keys(root: Path, prefix: str) -> Iterator[str]:
    within, _, _ = prefix.rpartition("/")
    top = mirrored_path(root, within) if within else root
    for place, folders, files in os.walk(top):
        here = Path(place)
        if here == root:
            folders[:] = [name for name in folders if name != INCOMING]
        for name in files:
            path = here / name
            key = path.relative_to(root).as_posix()
            if key.startswith(prefix) and not path.is_symlink():
                yield key


class _Mirrors:
    """Which bucket is kept where. moto's backend is replaced while there is one."""

    def __init__(self) -> None:
        self._roots: dict[str, Path] = {}
        self._lock = threading.Lock()
        self._put: Any = None
        self._delete: Any = None

    def add(self, bucket: str, root: Path) -> None:
        with self._lock:
            if bucket in self._roots:
                raise EngineError(f"The bucket `{bucket}` is mirrored already, into `{self._roots[bucket]}`.")
            if not self._roots:
                backend = inside("s3.models").S3Backend
                self._put = swap(backend, "put_object", self._putter(backend.put_object))
                self._delete = swap(backend, "delete_object", self._deleter(backend.delete_object))
            self._roots[bucket] = root

    def remove(self, bucket: str) -> None:
        with self._lock:
            del self._roots[bucket]
            if not self._roots:
                backend = inside("s3.models").S3Backend
                swap(backend, "put_object", self._put)
                swap(backend, "delete_object", self._delete)

    def _putter(self, original: Any) -> Any:
        refused = inside("s3.exceptions").S3ClientError

        def put_object(backend: Any, bucket_name: str, key_name: str, value: Any, *rest: Any, **named: Any) -> Any:
            root = self._roots.get(bucket_name)
            if root is None:
                return original(backend, bucket_name, key_name, value, *rest, **named)
            backend.get_bucket(bucket_name)
            try:
                target = mirrored_path(root, key_name)
                written = _written(root, target, value.encode() if isinstance(value, str) else value)
            except StorageError as error:
                raise refused("InvalidArgument", error.problem) from error
            except OSError as error:
                text = f"The object `{key_name}` could not be kept in the folder `{root}`: {error}."
                raise refused("ServiceUnavailable", text) from error
            try:
                made = original(backend, bucket_name, key_name, value, *rest, **named)
                _moved(written, target)
            finally:
                written.unlink(missing_ok=True)
            return made

        return put_object

    def _deleter(self, original: Any) -> Any:
        def delete_object(backend: Any, bucket_name: str, key_name: str, *rest: Any, **named: Any) -> Any:
            answer = original(backend, bucket_name, key_name, *rest, **named)
            root = self._roots.get(bucket_name)
            if root is not None:
                # In a versioned bucket, deleting one version may leave or uncover another.
                left = backend.get_object(bucket_name, key_name)
                with contextlib.suppress(StorageError):  # such a key was never kept
                    target = mirrored_path(root, key_name)
                    if left is None:
                        _removed(root, target)
                    else:
                        _moved(_written(root, target, left.value), target)
            return answer

        return delete_object


_MIRRORS = _Mirrors()


def _written(root: Path, target: Path, value: bytes) -> Path:
    """``value`` in a file beside its place, which is made sure to be free; the bytes are not copied."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise StorageError(f"The key `{target.relative_to(root)}` lies below another object's key.") from error
    if not target.parent.resolve().is_relative_to(root):
        raise StorageError(f"The key `{target.relative_to(root)}` leads out of the folder through a symbolic link.")
    if target.is_dir():
        raise StorageError(f"The key `{target.relative_to(root)}` is the beginning of other objects' keys.")
    beside = root / INCOMING / uuid.uuid4().hex
    try:
        with beside.open("wb", buffering=0) as file:
            rest = memoryview(value)
            while rest:
                rest = rest[file.write(rest) :]
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    return beside


def _moved(written: Path, target: Path) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            written.replace(target)
            return
        except FileNotFoundError:  # another process has just removed the folder, which was empty for a moment
            if attempt + 1 == _ATTEMPTS:
                raise
            target.parent.mkdir(parents=True, exist_ok=True)


def _removed(root: Path, target: Path) -> None:
    with contextlib.suppress(OSError):
        target.unlink()
        for parent in target.parents:  # S3 has no folders: one that is empty is not there
            if parent == root:
                return
            parent.rmdir()


def _sweep(incoming: Path) -> None:
    """Remove what a process that crashed left half written; recent files may belong to one that lives."""
    for path in incoming.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_AFTER_S:
                path.unlink()
