"""An object store in a folder: the local history that survives between commands.

A key is a path below the root. Writes go to a scratch folder beside the objects and are moved into place by one system
call, so a reader, or the next command after a crash, sees whole objects only.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from solidstate.errors import StorageError
from solidstate.storage.store import ObjectInfo, ObjectWriter, check_key, check_prefix, missing

SCRATCH = ".partial"
"""Where unfinished objects are; a key may not start with it."""
BUFFER_BYTES = 1024 * 1024


class FolderStore:
    """Objects as files below ``root``, which is created on the first write."""

    def __init__(self, root: Path | str) -> None:
        self._root = Path(root).absolute()
        self._resolved = os.path.realpath(self._root)

    def __repr__(self) -> str:
        return f"FolderStore({str(self._root)!r})"

    def get(self, key: str) -> bytes:
        path = self._path(key)
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise missing(key, str(self._root)) from None
        except OSError as error:
            raise self._failed("read", key, error) from error

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        path = self._path(key)
        try:
            with path.open("rb") as file:
                file.seek(begin)
                return file.read(size)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise missing(key, str(self._root)) from None
        except OSError as error:
            raise self._failed("read", key, error) from error

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        path = self._path(key)
        with self._scratch(key) as (file, scratch):
            try:
                file.write(body)
                file.close()
                return self._publish(scratch, path, if_absent=if_absent)
            except OSError as error:
                raise self._failed("write", key, error) from error

    def exists(self, key: str) -> bool:
        try:
            return self._path(key).is_file()
        except OSError as error:
            raise self._failed("look up", key, error) from error

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        folder, _, _ = prefix.rpartition("/")
        return self._walk(f"{folder}/" if folder else "", prefix)

    def delete(self, key: str) -> None:
        try:
            self._path(key).unlink()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return
        except OSError as error:
            if self._path(key).is_dir():  # some systems answer EPERM for the unlinking of a folder
                return
            raise self._failed("delete", key, error) from error

    @contextmanager
    def writer(self, key: str) -> Generator[ObjectWriter, None, None]:
        path = self._path(key)
        with self._scratch(key) as (file, scratch):
            yield _Guarded(key, file, self._failed)
            try:
                file.close()
                self._publish(scratch, path, if_absent=False)
            except OSError as error:
                raise self._failed("write", key, error) from error

    def _path(self, key: str) -> Path:
        check_key(key)
        if key.split("/", 1)[0] == SCRATCH:
            raise StorageError(
                f"The key `{key}` cannot be used: `{SCRATCH}` holds unfinished objects.",
                subject=key,
                hint="choose another first segment",
            )
        path = self._root / key
        # A link inside the root may lead anywhere; the folder that really holds the object must be ours.
        folder = os.path.realpath(path.parent)
        if folder != self._resolved and not folder.startswith(self._resolved.rstrip(os.sep) + os.sep):
            raise StorageError(
                f"The key `{key}` cannot be used: its folder is a link that leaves `{self._root}`.",
                subject=key,
                path=folder,
                hint="remove the link",
            )
        if path.is_symlink():
            raise StorageError(
                f"The key `{key}` cannot be used: it is a link, not an object.",
                subject=key,
                path=str(path),
                hint="remove the link",
            )
        return path

    @contextmanager
    def _scratch(self, key: str) -> Generator[tuple[BinaryIO, str], None, None]:
        """An open file that is gone afterwards unless it was moved away."""
        try:
            folder = self._root / SCRATCH
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder)
        except OSError as error:
            raise self._failed("write", key, error) from error
        try:
            with os.fdopen(handle, "wb", buffering=BUFFER_BYTES) as file:
                yield file, name
        finally:
            Path(name).unlink(missing_ok=True)

    def _publish(self, scratch: str, path: Path, *, if_absent: bool) -> bool:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not if_absent:
            Path(scratch).replace(path)
            return True
        try:
            os.link(scratch, path)  # unlike a rename, a link never replaces
        except FileExistsError:
            if path.is_dir():
                raise
            return False
        return True

    def _walk(self, folder: str, prefix: str) -> Iterator[ObjectInfo]:
        """Objects below ``folder`` ("" or ending in a slash) in key order, without reading folders ahead of need."""
        try:
            with os.scandir(self._root / folder) as entries:
                names = [
                    (
                        f"{folder}{entry.name}/" if entry.is_dir(follow_symlinks=False) else f"{folder}{entry.name}",
                        entry,
                    )
                    for entry in entries
                    if not entry.is_symlink() and (folder or entry.name != SCRATCH)
                ]
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise self._failed("list", folder, error) from error
        for key, entry in sorted(names, key=lambda pair: pair[0]):
            if key.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(key, prefix)
            elif key.startswith(prefix):
                try:
                    yield ObjectInfo(key, entry.stat(follow_symlinks=False).st_size)
                except FileNotFoundError:  # deleted since the folder was read
                    continue

    def _failed(self, verb: str, key: str, error: OSError) -> StorageError:
        reason = error.strerror or str(error)
        free = ""
        try:
            if shutil.disk_usage(self._root).free < BUFFER_BYTES:
                free = "free some space on the disk"
        except OSError:
            pass
        return StorageError(
            f"Could not {verb} the object `{key}` in `{self._root}`: {reason}.",
            subject=key,
            path=str(self._root / key),
            hint=free or "check that the folder can be written and that no key is also the folder of another",
        )


class _Guarded:
    """The writer's face to its user: a file whose errors speak of the object."""

    def __init__(self, key: str, file: BinaryIO, failed: Callable[[str, str, OSError], StorageError]) -> None:
        self._failed = failed
        self._key = key
        self._file = file

    @property
    def closed(self) -> bool:
        return self._file.closed

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            raise self._failed("write", self._key, error) from error

    def flush(self) -> None:
        return

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._file.tell()
