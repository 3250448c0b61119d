"""Which packages a project asks for: a requirements file, or the dependencies in pyproject.toml."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from solidstate.errors import Errors, SolidstateError, short
from solidstate.infra.bundle_settings import read_pyproject

FILE = "requirements.txt"
_FILE_OPTIONS = {"-r": "-r", "--requirement": "-r", "-c": "-c", "--constraint": "-c"}
_FIND = "--find-links"
_FOLDER_OPTIONS = {"-f", _FIND}
_OURS = {"--no-binary", "--only-binary"}
"""Options that a build sets by itself."""
_FLAGS = {"--pre", "--no-index", "--prefer-binary", "--require-hashes"}


class Wanted(msgspec.Struct, frozen=True):
    """One requirement. ``line`` is how an installer wants it written, with its hashes."""

    name: str
    line: str

    def parsed(self) -> Requirement:
        return Requirement(self.line.partition(" --hash")[0])


class Requirements(msgspec.Struct, frozen=True):
    """``source`` names where they stand, for people; ``options`` are lines for the installer, such as an index."""

    source: str = ""
    wanted: tuple[Wanted, ...] = ()
    options: tuple[str, ...] = ()


def find_requirements(code: Path, project: Path, chosen: Path | None) -> Requirements:
    """The requirements of the code in the folder ``code``: the chosen file, else the nearest requirements.txt up to the
    project's folder, else the project's dependencies, else none.

    Raises SolidstateError when the chosen file is missing, Errors with every line that cannot be shipped.
    """
    if chosen is not None:
        if not chosen.is_file():
            raise SolidstateError(
                f"There is no file of requirements `{chosen}`.",
                subject=str(chosen),
                hint="name another one with `--requirements FILE`",
            )
        return _from_file(chosen)
    for folder in (code, *code.parents):
        if (folder / FILE).is_file():
            return _from_file(folder / FILE)
        if folder == project:
            break
    return _from_pyproject(project / "pyproject.toml")


def _from_pyproject(path: Path) -> Requirements:
    project: Any = read_pyproject(path).get("project")
    if not isinstance(project, dict) or project.get("name") == "solidstate":
        return Requirements()
    if "dependencies" in (project.get("dynamic") or ()):
        raise SolidstateError(
            f"The dependencies in `{path.name}` are made by its build system, which is not asked here.",
            subject="dependencies",
            path=str(path),
            hint=f"write them to `{FILE}` beside it",
        )
    problems: list[SolidstateError] = []
    wanted: list[Wanted] = []
    for line in project.get("dependencies") or []:
        one = _requirement(str(line), "", path, None, problems)
        wanted += [one] if one is not None else []
    _raise(problems)
    return Requirements(path.name, tuple(wanted))


def _from_file(path: Path) -> Requirements:
    problems: list[SolidstateError] = []
    wanted: dict[str, Wanted] = {}
    options: list[str] = []
    for one in _entries(path, problems, set()):
        if isinstance(one, Wanted):
            wanted[f"{one.name} {one.parsed().marker}"] = one
        else:
            options.append(one)
    _raise(problems)
    return Requirements(path.name, tuple(wanted.values()), tuple(dict.fromkeys(options)))


def _entries(path: Path, problems: list[SolidstateError], seen: set[Path]) -> Iterator[Wanted | str]:
    """Requirements and options of a file and those it refers to, in order."""
    if path.resolve() in seen:
        return
    seen.add(path.resolve())
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        problems.append(SolidstateError(f"`{path.name}` cannot be read: {error}.", subject=path.name, path=str(path)))
        return
    for number, line in _logical_lines(text):
        if not line.startswith("-"):
            body, mark, hashes = line.partition(" --hash")
            one = _requirement(body.strip(), mark + hashes, path, number, problems)
            if one is not None:
                yield one
            continue
        yield from _option(line, path, number, problems, seen)


def _option(
    line: str, path: Path, number: int, problems: list[SolidstateError], seen: set[Path]
) -> Iterator[Wanted | str]:
    name, _, value = line.replace("=", " ", 1).partition(" ")
    value = value.strip()
    if _FILE_OPTIONS.get(name) == "-r":
        yield from _entries(path.parent / value, problems, seen)
    elif name in _FILE_OPTIONS:
        yield f"-c {shlex.quote(str((path.parent / value).absolute()))}"
    elif name in ("-e", "--editable"):
        if value.partition("[")[0] not in (".", "./"):  # the project itself is what a bundle is made of
            problems.append(_unshippable(value, path, number))
    elif name in _FOLDER_OPTIONS:
        folder = path.parent / value
        yield f"{_FIND} {shlex.quote(str(folder.absolute()))}" if folder.exists() else line
    elif name not in _OURS:
        yield line if value or name in _FLAGS else name


def _requirement(
    text: str, hashes: str, path: Path, number: int | None, problems: list[SolidstateError]
) -> Wanted | None:
    if text.partition("[")[0] in (".", "./"):
        return None
    if text.endswith(".whl") and " @ " not in text and "://" not in text:
        file = (path.parent / text).absolute()
        try:
            name = str(parse_wheel_filename(file.name)[0])
        except InvalidWheelFilename:
            problems.append(_unshippable(text, path, number))
            return None
        return Wanted(name, f"{name} @ {file.as_uri()}{hashes}")
    try:
        name = str(canonicalize_name(Requirement(text).name))
    except InvalidRequirement:
        problems.append(_unshippable(text, path, number))
        return None
    return Wanted(name, text + hashes)


def _unshippable(text: str, path: Path, number: int | None) -> SolidstateError:
    return SolidstateError(
        f"`{short(text)}` is no requirement that can be put into a bundle.",
        subject=short(text),
        path=f"{path}:{number}" if number is not None else str(path),
        hint="expected `NAME==VERSION`, `NAME @ URL` or the path of a wheel",
    )


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(number of the first line, text) without comments, continued lines joined."""
    start, held = 0, ""
    for number, raw in enumerate(text.splitlines(), 1):
        start = start if held else number
        if raw.rstrip().endswith("\\"):
            held += raw.rstrip()[:-1] + " "
            continue
        whole = " ".join(_uncommented(held + raw).split())
        held = ""
        if whole:
            yield start, whole
    if held.strip():
        yield start, " ".join(_uncommented(held).split())


def _uncommented(line: str) -> str:
    """``#`` begins a comment at the beginning of a line and after white space."""
    return "" if line.lstrip().startswith("#") else line.partition(" #")[0]


def _raise(problems: list[SolidstateError]) -> None:
    if problems:
        raise Errors("the requirements cannot be put into a bundle", problems)
