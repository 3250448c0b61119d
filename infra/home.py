"""The local home: a folder that remembers runs between commands.

.solidstate/
  store/             the objects of all local runs, keys as on S3
  files/             what inline runs wrote through ``context.fs``
  logs/<run>.ndjson  log lines
  running/<run>      there, and locked, while a process computes the run
  executions/<run>/  definition, execution and history of a run on moto, as the console would show them
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from solidstate.errors import EngineError
from solidstate.storage.folder import FolderStore

DEFAULT_HOME = ".solidstate"


class Home:
    """Paths below one folder. Nothing is created before it is written to, but the folder itself by :meth:`prepare`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.objects = root / "store"

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.objects)

    @property
    def files(self) -> Path:
        return self.root / "files"

    def log(self, run: str) -> Path:
        return self.root / "logs" / f"{run}.ndjson"

    def execution(self, run: str) -> Path:
        return self.root / "executions" / run

    @contextmanager
    def running(self, run: str) -> Generator[None]:
        """Say that this process computes the run. However it ends, the operating system takes the lock away."""
        path = self._mark(run)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as mark:
            _locked(mark.fileno())
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def is_running(self, run: str) -> bool:
        """Whether a process computes the run that has no end on record. True where that cannot be told."""
        try:
            with self._mark(run).open("r+") as mark:
                return not _locked(mark.fileno(), wait=False)
        except FileNotFoundError:
            return False
        except OSError:  # another user's
            return True

    def _mark(self, run: str) -> Path:
        return self.root / "running" / run

    def prepare(self) -> None:
        """Make the folder. Raises EngineError when that is not possible."""
        try:
            for folder in (self.objects, self.root / "logs"):
                folder.mkdir(parents=True, exist_ok=True)
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
        except OSError as error:
            raise EngineError(
                f"The folder for local runs cannot be written: {error.strerror or error}.",
                subject="home",
                path=str(self.root),
                hint="pass another one with `--home DIR` or the environment variable SOLIDSTATE_HOME",
            ) from error


def _locked(file: int, *, wait: bool = True) -> bool:
    """Take the lock of an open file; False when it is another's. Where there are no such locks nobody has one."""
    try:
        import fcntl
    except ImportError:  # Windows
        return wait
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def home_from(path: str | None = None) -> Home:
    """The home that was asked for, else that of the environment, else ``.solidstate`` in the current directory."""
    return Home(Path(path or os.environ.get("SOLIDSTATE_HOME") or DEFAULT_HOME).absolute())


def new_run_id() -> str:
    """Sorts by time, reads well, and is the run's execution name: ``2026-11-23-143002-9f3a1c``."""
    return time.strftime("%Y-%m-%d-%H%M%S", time.gmtime()) + "-" + secrets.token_hex(3)
