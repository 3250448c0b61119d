"""Which of a user's files belong into a bundle.

One rule: the package (or the module) that holds the pipeline, and every package or module beside it that this code
imports, wherever the import stands. A package is taken whole, data files included; tests and what tools leave behind
are not. ``include`` adds files beside the code, ``exclude`` takes files away.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType

import msgspec

from solidstate.errors import Errors, SolidstateError
from solidstate.infra.bundle_imports import Import, imports_of

UNTESTED = ("conftest.py", "test_*.py")
NEVER_FOLDERS = ("tests", "__pycache__", "node_modules", "*.egg-info", "*.dist-info")
NEVER_FILES = (*UNTESTED, "*.pyc", "*.pyo")
BUILT = ("build", "dist")
"""Folders that builds write, unless they are packages."""
RESERVED = {"solidstate", "plans"}
_INSTALLED = tuple({Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")})


class UserCode(msgspec.Struct, frozen=True):
    """The files to ship by their path in the bundle, and where in them which imports stand."""

    root: Path
    files: dict[str, Path]
    imports: dict[str, list[Import]]


def root_of(module: ModuleType) -> Path:
    """The folder from which a module is imported. Raises SolidstateError when no import in a bundle would find it."""
    file = getattr(module, "__file__", None)
    if file is None or module.__name__.startswith("_solidstate_"):
        raise SolidstateError(
            f"`{Path(file).name if file else module.__name__}` cannot be imported by name, which is how the Lambda "
            "function finds it.",
            subject=module.__name__,
            path=str(file or ""),
            hint="give the file a name that can be imported and no installed package has, such as `my_pipeline.py`",
        )
    path = Path(file).resolve()
    depth = len(module.__name__.split(".")) + (path.name == "__init__.py")
    return path.parents[depth - 1]


def user_code(root: Path, modules: list[str], include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> UserCode:
    """The files below ``root`` that the modules need. Raises Errors with every file that cannot be shipped."""
    walk = _Walk(root, exclude)
    todo = [module.partition(".")[0] for module in modules]
    for pattern in include:
        todo += walk.take_matching(pattern)
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += walk.take(name)
    walk.refuse()
    return UserCode(root, dict(sorted(walk.files.items())), walk.imports)


def _beside(root: Path, name: str) -> bool:
    """Whether ``name`` is user code. Where everything is installed in one folder, only the target's own package is."""
    if name in sys.stdlib_module_names or name in RESERVED or root.resolve() in _INSTALLED:
        return False
    return (root / f"{name}.py").is_file() or _holds_python(root / name)


def _holds_python(folder: Path) -> bool:
    """A package, or a namespace package: a folder with modules below it."""
    if (folder / "__init__.py").is_file():
        return True
    return folder.is_dir() and any(folder.rglob("*.py"))


class _Walk:
    def __init__(self, root: Path, exclude: tuple[str, ...]) -> None:
        self._root = root
        self._exclude = exclude
        self.files: dict[str, Path] = {}
        self.imports: dict[str, list[Import]] = {}
        self._problems: list[SolidstateError] = []

    def take(self, name: str) -> list[str]:
        """A package or module; what stands beside it and is imported by it."""
        if name in RESERVED:
            self._problems.append(
                SolidstateError(
                    f"The name `{name}` is taken: a bundle has something of its own there.",
                    subject=name,
                    path=str(self._root / name),
                    hint="rename the package",
                )
            )
            return []
        folder = self._root / name
        if _holds_python(folder):
            paths = [] if self._excluded(folder, folder=True) else list(self._below(folder))
        else:
            paths = [self._root / f"{name}.py"]
        return [other for path in paths for other in self._add(path)]

    def take_matching(self, pattern: str) -> list[str]:
        """The same for the files that match a pattern."""
        matching = sorted(self._root.glob(pattern.rstrip("/")))
        if not matching:
            self._problems.append(
                SolidstateError(
                    f"Nothing matches `{pattern}`, which is to be included.",
                    subject=pattern,
                    path=str(self._root),
                    hint="write it relative to the folder that holds the code, as in `sql/` or `data/*.csv`",
                )
            )
        paths = [file for path in matching for file in (self._below(path) if path.is_dir() else [path])]
        return [other for path in paths for other in self._add(path)]

    def refuse(self) -> None:
        if self._problems:
            raise Errors("the code cannot be put into a bundle", self._problems)

    def _add(self, path: Path) -> list[str]:
        name = path.relative_to(self._root).as_posix()
        if name in self.files:
            return []
        try:
            source = path.read_bytes()
            if not path.resolve().is_relative_to(self._project):
                self._problem(path, "leads out of the project through a link", "copy what is there, or exclude it")
        except (OSError, RuntimeError) as error:
            text = f"cannot be read: {getattr(error, 'strerror', None) or error}"
            self._problem(path, text, f"make it readable, or exclude it: `--exclude {name}`")
            return []
        self.files[name] = path
        if path.suffix != ".py":
            return []
        parts = list(path.relative_to(self._root).with_suffix("").parts)
        package = parts[-1] == "__init__"
        try:
            self.imports[name] = imports_of(source, ".".join(parts[:-1] if package else parts), package=package)
        except (SyntaxError, ValueError) as error:
            line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            reason = error.msg if isinstance(error, SyntaxError) else error
            self._problem(path, f"is no Python{line}: {reason}", f"correct it, or exclude it: `--exclude {name}`")
        return [one.top for one in self.imports.get(name, []) if _beside(self._root, one.top)]

    @property
    def _project(self) -> Path:
        """Links may lead to other places of the same repository."""
        root = self._root.resolve()
        return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)

    def _problem(self, path: Path, what: str, hint: str) -> None:
        name = path.relative_to(self._root).as_posix()
        self._problems.append(SolidstateError(f"`{name}` {what}.", subject=name, path=str(path), hint=hint))

    def _below(self, top: Path) -> Iterator[Path]:
        seen: set[Path] = set()
        for place, folders, files in os.walk(top, followlinks=True, onerror=self._unlistable):
            here = Path(place)
            real = here.resolve()
            if real in seen:  # a loop of links
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if not self._skips_folder(here / name))
            yield from (here / name for name in sorted(files) if not self._skips_file(here / name))

    def _unlistable(self, error: OSError) -> None:
        path = Path(error.filename)
        self._problem(path, f"cannot be listed: {error.strerror}", "make it readable, or exclude it")

    def _skips_folder(self, path: Path) -> bool:
        name = path.name
        return (
            name.startswith(".")
            or any(fnmatchcase(name, pattern) for pattern in NEVER_FOLDERS)
            or (name in BUILT and not (path / "__init__.py").exists())
            or (path / "pyvenv.cfg").exists()
            or self._excluded(path, folder=True)
        )

    def _skips_file(self, path: Path) -> bool:
        return (
            path.name.startswith(".")
            or any(fnmatchcase(path.name, pattern) for pattern in NEVER_FILES)
            or not (path.is_file() or path.is_symlink())
            or self._excluded(path)
        )

    def _excluded(self, path: Path, *, folder: bool = False) -> bool:
        name = path.relative_to(self._root).as_posix()
        return any(matches(name, pattern, folder=folder) for pattern in self._exclude)


def matches(name: str, pattern: str, *, folder: bool = False) -> bool:
    """Whether a path, relative to the root, is meant: a pattern with a slash inside is one from the root, any other a
    name at whatever depth; one that ends in a slash means folders alone."""
    if pattern.endswith("/") and not folder:
        return False
    wanted = pattern.strip("/")
    if "/" in wanted or pattern.startswith("/"):
        return fnmatchcase(name, wanted)
    return fnmatchcase(name.rpartition("/")[2], wanted)
