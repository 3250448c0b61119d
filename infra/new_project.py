"""A project to start from: a pipeline with its test, and all that it takes to deploy it."""

from __future__ import annotations

import importlib.util
import keyword
import re
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec

from solidstate.errors import SolidstateError, shown
from solidstate.infra.skeleton_files import filled
from solidstate.infra.stack import Target, stack_of
from solidstate.infra.template_file import Options, new_template

SAM_VERSION = "1.170.0"
"""The SAM CLI that was tried with such a project."""
_FILES = {
    "README.md": "README.md",
    "pyproject.toml": "pyproject.toml",
    "samconfig.toml": "samconfig.toml",
    "Makefile": "Makefile",
    "gitignore": ".gitignore",
    "ci.yml": ".github/workflows/ci.yml",
    "package/__init__.py": "{package}/__init__.py",
    "package/pipeline.py": "{package}/pipeline.py",
    "package/orders.csv": "{package}/orders.csv",
    "tests/test_pipeline.py": "tests/test_pipeline.py",
}
"""Skeletons, and where they come to stand."""


class Names(msgspec.Struct, frozen=True):
    """``name`` of the project and stack, ``package`` of its code and its pipeline."""

    name: str
    package: str


def names_for(folder: Path) -> Names:
    """Made of the folder's name. Raises SolidstateError when no package could be called so."""
    given = folder.name
    name = re.sub(r"[^A-Za-z0-9]+", "-", given).strip("-").lower()
    package = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", package) or not given.isprintable():
        raise SolidstateError(
            f"No project can be called {shown(given)}: expected a letter, then letters, digits, `-` and `_`.",
            subject=given,
            hint="choose another folder, such as `orders`",
        )
    if package in sys.stdlib_module_names or keyword.iskeyword(package) or _is_installed(package):
        raise SolidstateError(
            f"A package `{package}` could not be imported: that name belongs to Python or to an installed package.",
            subject=package,
            hint=f"choose another folder, such as `{package}_pipeline`",
        )
    return Names(name, package)


def _is_installed(package: str) -> bool:
    """Regular packages and modules alone: any folder in the current one would pass for a namespace."""
    spec = importlib.util.find_spec(package)
    return spec is not None and spec.origin is not None


def write_project(folder: Path, names: Names, options: Options) -> list[Path]:
    """Write all files of a new project, or none; gives their paths in it. Raises SolidstateError when there is
    something already."""
    if folder.is_symlink() or folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise SolidstateError(
            f"`{folder}` is there already.", subject=str(folder), hint="name a folder that is new or empty"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        made = work / folder.name
        written = [*_write_skeletons(made, names, options), _write_template(made, names, options)]
        if folder.is_dir():
            folder.rmdir()
        made.rename(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return [path.relative_to(made) for path in written]


def _write_skeletons(folder: Path, names: Names, options: Options) -> list[Path]:
    values = {
        "name": names.name,
        "package": names.package,
        "pipeline": names.package,
        "python": options.runtime.removeprefix("python"),
        "sam": SAM_VERSION,
    }
    written: list[Path] = []
    for skeleton, place in _FILES.items():
        path = folder / place.format(package=names.package)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(filled(f"project/{skeleton}", values), "utf-8")
        written.append(path)
    return written


def _write_template(folder: Path, names: Names, options: Options) -> Path:
    """The template of the very pipeline that was written."""
    module = f"_solidstate_new_{names.package}"
    spec = importlib.util.spec_from_file_location(module, folder / names.package / "pipeline.py")
    if spec is None or spec.loader is None:
        raise TypeError("a Python file has a loader")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded  # where msgspec looks up what annotations name
    try:
        spec.loader.exec_module(loaded)
        target = Target(f"{names.package}.pipeline:{names.package}", getattr(loaded, names.package))
        path = folder / "template.yaml"
        path.write_text(new_template(stack_of([target]), options), "utf-8")
    finally:
        del sys.modules[module]
        shutil.rmtree(folder / names.package / "__pycache__", ignore_errors=True)
    return path


def _unwritable(folder: Path, error: OSError) -> SolidstateError:
    return SolidstateError(
        f"`{folder}` cannot be written: {error.strerror or error}.",
        subject=str(folder),
        hint="name a folder where you may write",
    )
