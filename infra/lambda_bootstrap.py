"""The first code that runs in a local execution environment; it ends in awslambdaric, as ``bootstrap`` does on Lambda.

Run by its path, with ``python -I -S -B``, so that nothing of this machine's packages is seen but what is named on the
command line. It imports nothing of solidstate: the bundle has a solidstate of its own.
"""

from __future__ import annotations

import errno
import os
import runpy
import signal
import sys
from collections.abc import Callable
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.link": (1,),
    "os.truncate": (0,),
}
"""What changes a file system, by the arguments that are paths (Python documentation, "Audit events table")."""
_ALWAYS_WRITABLE = ("/tmp", "/dev", "/proc")  # noqa: S108 - /tmp is what Lambda has
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """HANDLER PARENT TEMPORARY TASK_ROOT LAYERS RUNTIME: where there are several layers, ``os.pathsep`` is between."""
    handler, parent, temporary, root, layers, runtime = arguments
    _end_with(int(parent))
    # The order of Lambda: the bundle, layers, Python's own, and last what the runtime brings.
    sys.path[:0] = [root, *filter(None, layers.split(os.pathsep))]
    sys.path.append(runtime)
    sys.addaudithook(read_only(root, (temporary, *_ALWAYS_WRITABLE)))
    sys.argv = ["bootstrap", handler]
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


def read_only(root: str, writable: tuple[str, ...]) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that refuses what Lambda's file system refuses: to write anywhere but below /tmp.

    It sees what Python code does, not what compiled libraries do by themselves.
    """

    def check(path: Any) -> None:
        if isinstance(path, (str, bytes, os.PathLike)):
            place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - pathlib would have to be imported
            if _below(place, root) or not any(_below(place, folder) for folder in writable):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), place)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING:
                check(path)
        elif event in _CHANGES:
            for number in _CHANGES[event]:
                check(arguments[number])

    return hook


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _end_with(parent: int) -> None:
    """Never outlive the process that started this one, however that ends (Linux: prctl(2), PR_SET_PDEATHSIG)."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before this line
        os._exit(1)


if __name__ == "__main__":
    __name__ = "solidstate.infra.lambda_bootstrap"  # a step's error is then not blamed on this file
    main(sys.argv[1:])
