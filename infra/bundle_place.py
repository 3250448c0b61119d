"""Put what was built in its place in one move, and never over anything that a build did not make."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from solidstate.errors import SolidstateError

MANIFEST = "solidstate-bundle.json"
"""In the root of every bundle: what it holds, and the sign that a build made it."""


@contextmanager
def replacing(target: Path, is_ours: Callable[[Path], bool]) -> Generator[Path]:
    """An empty folder to build in, which becomes ``target`` when the body is done and is gone when it fails.

    Raises SolidstateError, before anything is done, when ``target`` holds files and is not ours.
    """
    check_replaceable(target, is_ours)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise SolidstateError(
            f"`{target}` cannot be written: {error.strerror or error}.",
            subject=str(target),
            hint="name a folder that is yours: `--output DIR`",
        ) from error
    try:
        fresh, former = work / "new", work / "old"
        fresh.mkdir()
        yield fresh
        if target.exists():
            target.rename(former)
        try:
            fresh.rename(target)
        except BaseException:
            with contextlib.suppress(OSError):
                former.rename(target)
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def check_replaceable(target: Path, is_ours: Callable[[Path], bool]) -> None:
    """Raises SolidstateError when replacing ``target`` would lose what no build has made."""
    if not target.exists() and not target.is_symlink():
        return
    if not target.is_dir() or target.is_symlink():
        raise SolidstateError(
            f"`{target}` is no folder.", subject=str(target), hint="name another one, or move it away"
        )
    if any(target.iterdir()) and not is_ours(target):
        raise SolidstateError(
            f"`{target}` holds files that no build has made, and would lose them.",
            subject=str(target),
            hint="name another folder, or an empty one",
        )


def is_bundle(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def is_machines(folder: Path) -> bool:
    """A folder with state machine definitions alone."""
    return all(path.name.endswith(".asl.json") for path in folder.iterdir())
