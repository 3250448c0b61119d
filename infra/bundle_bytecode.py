"""Byte code beside the sources, since a function's code folder is read-only: without it every cold start compiles anew.

The files are of the kind that Python never checks against their sources ("unchecked hash", PEP 552): times, which a zip
changes, do not matter, and neither does the place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from solidstate.infra.bundle_settings import Settings

TASK_ROOT = "/var/task"
"""Where Lambda puts a bundle."""

_COMPILE = """
import compileall, pathlib, py_compile, sys
root = sys.argv[1]
for path in sorted(pathlib.Path(root).rglob("*.py")):
    compileall.compile_file(
        path, stripdir=root, prependdir=sys.argv[2], quiet=2, optimize=0,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
"""


def compile_bundle(folder: Path, settings: Settings) -> bool:
    """Compile every module; files that are no Python of this version stay as they are. False when no interpreter of the
    runtime's version was found: byte code of another version would never be read."""
    python = interpreter_for(settings)
    if python is None:
        return False
    # The same bytes each time: sets in constants are ordered by hashes. One process in fixed order, because what is
    # shared between constants depends on what was compiled before.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [python, "-S", "-c", _COMPILE, str(folder), TASK_ROOT]
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return True


def interpreter_for(settings: Settings) -> str | None:
    """An interpreter of the runtime's version: this one, one on the path, or one that uv knows."""
    if sys.version_info[:2] == settings.python and sys.implementation.name == "cpython":
        return sys.executable
    version = ".".join(map(str, settings.python))
    candidates = [shutil.which(f"python{version}"), _from_uv(version)]
    return next((one for one in candidates if one is not None and _is_version(one, settings.python)), None)


def _from_uv(version: str) -> str | None:
    if shutil.which("uv") is None:
        return None
    command = ["uv", "python", "find", "--no-python-downloads", version]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _is_version(python: str, wanted: tuple[int, int]) -> bool:
    """Being on the path is not enough: version managers put names there that do not run."""
    script = "import sys; print(*sys.version_info[:2], sys.implementation.name)"
    command = [python, "-S", "-c", script]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout.split() == [str(wanted[0]), str(wanted[1]), "cpython"]
