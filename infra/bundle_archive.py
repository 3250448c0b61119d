"""The bytes of a bundle, the same for the same content: modes and times that do not vary, and a zip in fixed order."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold; SAM writes the same."""
_EPOCH_S = 315_532_800
_MODE, _RUN_MODE, _FOLDER_MODE = 0o644, 0o755, 0o755


class Entry(msgspec.Struct, frozen=True):
    """One file: its path in the bundle, bytes on disk, bytes in the zip."""

    path: str
    size: int
    zipped: int


class Archived(msgspec.Struct, frozen=True):
    """A bundle measured. ``digest`` is the SHA-256 of its zip."""

    entries: tuple[Entry, ...]
    zip_size: int
    digest: str

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries)


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """(path in the bundle, file) in order of the paths."""
    found = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    yield from sorted((path.relative_to(folder).as_posix(), path) for path in found)


def stamp(folder: Path) -> None:
    """Give every file and folder the one time and a mode that says no more than whether it can be run."""
    for place, folders, files in os.walk(folder, topdown=False):
        for name in files:
            path = Path(place) / name
            runs = path.stat().st_mode & stat.S_IXUSR
            path.chmod(_RUN_MODE if runs else _MODE)
            os.utime(path, (_EPOCH_S, _EPOCH_S))
        for name in folders:
            (Path(place) / name).chmod(_FOLDER_MODE)
            os.utime(Path(place) / name, (_EPOCH_S, _EPOCH_S))
    folder.chmod(_FOLDER_MODE)
    os.utime(folder, (_EPOCH_S, _EPOCH_S))


def archive(folder: Path, target: Path | None = None) -> Archived:
    """Zip the folder into the file ``target``, or into one that is gone again, only to measure it."""
    entries: list[Entry] = []
    with tempfile.TemporaryFile() if target is None else target.open("w+b") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as zipped:
            for name, path in files_below(folder):
                information = zipfile.ZipInfo(name, EPOCH)
                information.compress_type = zipfile.ZIP_DEFLATED
                information.create_system = 3  # Unix, whatever this machine is: modes are read on Linux
                runs = path.stat().st_mode & stat.S_IXUSR
                information.external_attr = (stat.S_IFREG | (_RUN_MODE if runs else _MODE)) << 16
                body = path.read_bytes()
                zipped.writestr(information, body)
                entries.append(Entry(name, len(body), information.compress_size))
        size = file.tell()
        file.seek(0)
        return Archived(tuple(entries), size, hashlib.file_digest(file, "sha256").hexdigest())
