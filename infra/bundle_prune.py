"""What installed packages hold that no function needs: scripts, tests, sources of extensions, the installer's notes.

And botocore's descriptions of AWS services, 28 MB of them: kept are those that some code in the bundle names.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from solidstate.infra.bundle_imports import Import, imports_of
from solidstate.infra.bundle_wheels import is_stand_in

KEPT_METADATA = {"METADATA", "entry_points.txt"}
"""What libraries read about themselves and others at run time."""
_SOURCES = {".pyi", ".pyx", ".pxd", ".pxi", ".c", ".cc", ".cpp", ".h", ".hpp", ".f", ".f90", ".a", ".pyc"}
_ALWAYS = ("s3", "secretsmanager", "ssm", "stepfunctions", "sts", "sso", "sso-oidc")
"""Services that are used without being named by users: what steps ask for, and whatever credentials come from."""
_WORD = re.compile(rb"[\"']([a-z][a-z0-9-]*)[\"']")
_CLIENT = re.compile(rb"(?:client|resource)\(\s*(?:service_name\s*=\s*)?[\"']([a-z][a-z0-9-]*)[\"']")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_SPEAKING = re.compile(rb"\b(?:boto3|botocore|aiobotocore)\b|\.(?:client|resource)\(")
_SPEAKERS = ("boto3", "botocore", "aiobotocore", "s3transfer")
"""These name services in passing, not because anybody uses them."""


def distributions_in(folder: Path) -> dict[str, Distribution]:
    """What is installed there, by canonical name."""
    found = (PathDistribution(path) for path in sorted(folder.glob("*.dist-info")))
    return {str(canonicalize_name(one.metadata["Name"])): one for one in found}


def missing_and_surplus(
    installed: dict[str, Distribution], roots: Iterable[Requirement], environment: dict[str, str]
) -> tuple[list[Requirement], set[str]]:
    """What the roots need in ``environment`` and is not there, and what is there but not needed.

    pip evaluates environment markers for the interpreter it runs in, which may not be the function's.
    """
    missing: dict[str, Requirement] = {}
    reached: dict[str, set[str]] = {}
    todo = [(one, "") for one in roots]
    while todo:
        requirement, extra = todo.pop()
        name = str(canonicalize_name(requirement.name))
        marker = requirement.marker
        if marker is not None and not marker.evaluate({**environment, "extra": extra}):
            continue
        if name not in installed:
            missing.setdefault(name, requirement)
            continue
        for wanted in {"", *requirement.extras} - reached.setdefault(name, set()):
            reached[name].add(wanted)
            todo += [(Requirement(line), wanted) for line in installed[name].requires or []]
    return list(missing.values()), installed.keys() - reached.keys()


def uninstall(folder: Path, distribution: Distribution) -> None:
    """Remove the files of one distribution, those of others in the same folders not."""
    for path in distribution.files or []:
        place = (folder / path).resolve()
        if place.is_relative_to(folder.resolve()):
            place.unlink(missing_ok=True)
            for parent in place.parents:
                if parent == folder.resolve() or any(parent.iterdir()):
                    break
                parent.rmdir()


def remove_stand_ins(folder: Path) -> None:
    for path in folder.glob("*.dist-info"):
        if is_stand_in(PathDistribution(path).version):
            shutil.rmtree(path)


def prune(folder: Path) -> None:
    """Take away what the module's docstring names."""
    for name in ("bin", "share/man"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in sorted(folder.rglob("__pycache__")):
        shutil.rmtree(path)
    for path in sorted(folder.rglob("tests")):
        if path.is_dir() and not _imported(folder, path):
            shutil.rmtree(path)
    for path in list(folder.rglob("*")):
        information = path.parent.name.endswith(".dist-info") and path.parent.parent == folder
        if information and path.name not in KEPT_METADATA:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        elif information and path.name == "METADATA":
            path.write_bytes(_BLANK_LINE.split(path.read_bytes(), maxsplit=1)[0] + b"\n")  # below is the README
        elif path.is_file() and path.suffix in _SOURCES:
            path.unlink()


def _imported(folder: Path, tests: Path) -> bool:
    """Whether the package around a folder of tests needs it; some keep there what they import themselves."""
    if tests.parent == folder:
        return False
    dotted = re.escape(".".join(tests.relative_to(folder).parts).encode())
    imports = re.compile(
        rb"^\s*(?:from\s+(?:%b|\.tests)[.\s]|import\s+%b\b|from\s+\.\s+import\s[^\n]*\btests\b)" % (dotted, dotted),
        re.MULTILINE,
    )
    return any(imports.search(path.read_bytes()) for path in tests.parent.glob("*.py"))


def keep_services(folder: Path, code: Iterable[str], named: Iterable[str]) -> list[str]:
    """Remove botocore's descriptions of services that nobody uses; gives those that are kept: ``named`` ones, those
    that anything makes a client of, and, when the files ``code`` speak of clients at all, those whose names stand as
    text anywhere in them: ``config`` and ``events`` are words before they are services."""
    data = folder / "botocore" / "data"
    if not data.is_dir():
        return []
    known = {path.name for path in data.iterdir() if path.is_dir()}
    texts = [(folder / name).read_bytes() for name in code if name.endswith(".py")]
    words = {*_ALWAYS, *named}
    if any(_SPEAKING.search(text) for text in texts):
        words.update(word.decode() for text in texts for word in _WORD.findall(text))
    for path in folder.rglob("*.py"):
        if path.relative_to(folder).parts[0] not in _SPEAKERS:
            words.update(word.decode() for word in _CLIENT.findall(path.read_bytes()))
    for name in known - words:
        shutil.rmtree(data / name)
    return sorted(known & words)


def imports_below(package: Path) -> list[Import]:
    """All that the modules of an installed package import."""
    files = sorted(package.rglob("*.py"))
    names = [".".join(file.relative_to(package.parent).with_suffix("").parts) for file in files]
    return [
        one
        for name, file in zip(names, files, strict=True)
        for one in imports_of(file.read_bytes(), name.removesuffix(".__init__"), package=file.name == "__init__.py")
    ]


def keep_reachable(folder: Path, package: str, imports: Iterable[Import], *, late: bool = True) -> None:
    """Remove the modules of ``package`` that none of the imports leads to, through its own imports or, when ``late`` is
    off, through those alone that its modules cannot do without. For a package that only we asked for: a name that is
    made at run time is not seen."""
    wanted = {name for one in imports for name in _names(one) if one.top == package}
    reached: set[Path] = set()
    todo = list(wanted)
    while todo:
        name = todo.pop()
        path = _module_file(folder, name)
        if path is None or path in reached:
            continue
        reached.add(path)
        todo.append(name.rpartition(".")[0])
        for one in imports_of(path.read_bytes(), name, package=path.name == "__init__.py"):
            if one.top == package and (late or one.needed):
                todo += _names(one)
    for place, folders, files in os.walk(folder / package):
        here = Path(place)
        if "__init__.py" in files and here / "__init__.py" not in reached:
            folders.clear()
            shutil.rmtree(here)  # its data can be read by its modules alone
            continue
        for name in files:
            if name.endswith(".py") and here / name not in reached:
                (here / name).unlink()


def _names(one: Import) -> list[str]:
    return [one.module, f"{one.module}.{one.name}"] if one.name else [one.module]


def _module_file(folder: Path, name: str) -> Path | None:
    if not name:
        return None
    place = folder.joinpath(*name.split("."))
    found = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((path for path in found if path.is_file()), None)
