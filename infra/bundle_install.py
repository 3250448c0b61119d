"""Install packages into a folder, for another machine than this one, with whichever installer there is: uv or pip.

Only wheels are taken, and only those that Lambda's Amazon Linux can load: nothing is compiled, no setup script is run.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from solidstate.errors import EngineError, SolidstateError, shown
from solidstate.infra.bundle_settings import Settings

_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_OLDEST_GLIBC = 17
"""Of manylinux2014."""
_GLIBC_OF_2 = 26
_GLIBC_OF_2023 = 34
_UV_2023 = "manylinux_2_34"
_ABSENT = (
    re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)(\S*)"),
    re.compile(r"([A-Za-z0-9._-]+?)(==[^\s,]+) has no (?:usable )?wheels"),
    re.compile(r"Because ([A-Za-z0-9._-]+?) was not found in the (?:package registry|provided package locations)()"),
)
"""What pip says, and what uv says, of a package without a wheel that fits."""
_PIN = re.compile(r"\(constraint\) ([A-Za-z0-9._-]+)(==\S+)")
_CONFLICTS = ("ResolutionImpossible", "No solution found when resolving dependencies")
_NOISE = re.compile(r"WARNING:|warning:|\[notice\]|hint:|To fix this|\d\. |ERROR: ResolutionImpossible")
_TOLD_LINES = 12
MAX_INSTALLED_BYTES = 2 * 1024**3
"""All packages of a bundle, before anything is taken away from them."""


class Absent(SolidstateError):
    """No wheel of the package ``name`` fits the runtime; ``wish`` is the version that was asked for, as ``==1.2``."""

    def __init__(self, name: str, wish: str, settings: Settings) -> None:
        super().__init__(
            f"There is no wheel of `{name}{wish}` for {settings.runtime} on {settings.arch}.",
            subject=name,
            hint="ask for another version in the requirements, let versions move with `--newest`, take the package "
            f"from a layer with `--layer-provided {name}`, or build for another `--runtime` or `--arch`",
        )
        self.name = name


class Order(NamedTuple):
    """What to install: lines of requirements, options of the project's own, and wheels made here."""

    lines: Sequence[str]
    options: Sequence[str]
    pins: Sequence[str]
    wheels: Path


def installer() -> str:
    """``uv`` or ``pip``. Raises EngineError when there is neither."""
    if shutil.which("uv") is not None:
        return "uv"
    if importlib.util.find_spec("pip") is not None:
        return "pip"
    raise EngineError(
        "There is neither `uv` nor `pip`, one of which installs the packages of a bundle.",
        subject="pip",
        hint="install one: `python -m ensurepip`, or https://docs.astral.sh/uv",
    )


def install(order: Order, settings: Settings, target: Path, scratch: Path) -> None:
    """Install into ``target``. Raises Absent for a package without a fitting wheel, SolidstateError when versions
    exclude each other or what was installed has no place in a bundle, EngineError when the installer fails otherwise.
    """
    target.mkdir(parents=True, exist_ok=True)
    if not order.lines:
        return
    tool = installer()
    said = _installed(tool, order, settings, target, scratch)
    if said is None:
        check_installed(target)
        return
    absent = _absent(said)
    if absent is None and any(sign in said for sign in _CONFLICTS):
        # pip calls a version that must be taken, but has no wheel, a conflict with whatever asks for it.
        for name, wish in dict.fromkeys(_PIN.findall(said)):
            alone = order._replace(lines=[f"{name}{wish}"], pins=[])
            told = _installed(tool, alone, settings, scratch / "probe", scratch, "--no-deps")
            if told is not None and _absent(told) is not None:
                absent = (name, wish)
                break
    raise Absent(*absent, settings) if absent is not None else _failure(said, tool)


def check_installed(folder: Path) -> None:
    """Installers keep what they unpack below the folder. What follows reads each file, so beyond that no link may lead
    out of it, and nothing that was small in its wheel may be without end. Raises SolidstateError."""
    size = 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place) / name
            if path.is_symlink():
                raise SolidstateError(
                    f"A package brings the link {shown(path.relative_to(folder).as_posix())}, and a bundle holds none.",
                    subject=shown(name),
                    path=str(folder),
                    hint="ask for another version of the package, or take it from a layer",
                )
            size += path.lstat().st_size
    if size > MAX_INSTALLED_BYTES:
        raise SolidstateError(
            f"The packages have {size / 1024**2:,.0f} MB; a bundle has at most 250 MB, and "
            f"{MAX_INSTALLED_BYTES / 1024**2:,.0f} MB before what it does not need is taken away.",
            subject="packages",
            hint="take the largest from a layer (`--layer-provided NAME`)",
        )


def _installed(tool: str, order: Order, settings: Settings, target: Path, scratch: Path, *more: str) -> str | None:
    """None when it went well, else what the installer said."""
    requirements, constraints = scratch / "requirements.txt", scratch / "constraints.txt"
    requirements.write_text("\n".join([*order.options, *order.lines, ""]), "utf-8")
    constraints.write_text("\n".join([*order.pins, ""]), "utf-8")
    command = [*command_for(tool, settings, target, requirements, constraints, order.wheels), *more]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"{done.stdout}\n{done.stderr}"


def command_for(
    tool: str, settings: Settings, target: Path, requirements: Path, constraints: Path, wheels: Path
) -> list[str]:
    """The command line of ``uv`` or ``pip``."""
    version = ".".join(map(str, settings.python))
    files = ["--requirement", str(requirements), "--constraint", str(constraints), "--find-links", str(wheels)]
    common = ["--target", str(target), "--python-version", version, "--only-binary", ":all:", *files]
    if tool == "uv":
        platform = f"{_MACHINES[settings.arch]}-{_UV_2023 if settings.python >= (3, 12) else 'manylinux2014'}"
        places = ["--python-platform", platform, "--python", sys.executable]
        return ["uv", "pip", "install", "--quiet", "--no-progress", "--color", "never", *places, *common]
    platforms = [part for tag in platform_tags(settings) for part in ("--platform", tag)]
    # Not --quiet: it would hide what a conflict is caused by.
    quiet = [
        "--progress-bar",
        "off",
        "--disable-pip-version-check",
        "--no-input",
        "--no-compile",
        "--no-warn-conflicts",
    ]
    quiet += ["--root-user-action", "ignore", "--implementation", "cp"]
    return [sys.executable, "-m", "pip", "install", *quiet, *platforms, *common]


def platform_tags(settings: Settings) -> list[str]:
    """The platforms whose wheels the runtime can load, best first. Amazon Linux 2023 is under Python 3.12 and later,
    Amazon Linux 2 under 3.11 (Lambda developer guide, "Lambda runtimes")."""
    machine = _MACHINES[settings.arch]
    newest = _GLIBC_OF_2023 if settings.python >= (3, 12) else _GLIBC_OF_2
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, _OLDEST_GLIBC - 1, -1)]
    tags.append(f"manylinux2014_{machine}")
    if machine == "x86_64":
        tags += [f"manylinux2010_{machine}", f"manylinux1_{machine}"]
    return [*tags, f"linux_{machine}"]


def _absent(said: str) -> tuple[str, str] | None:
    """(name, wish) of the first package that the installer says has no wheel."""
    flat = " ".join(said.split())
    found = next((match for pattern in _ABSENT if (match := pattern.search(flat)) is not None), None)
    return None if found is None else (found[1], found[2].rstrip(".,;:)"))


def _failure(said: str, tool: str) -> SolidstateError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = next((number for number, line in enumerate(lines) if line.lower().startswith("error:")), 0)
    told = [line.removeprefix("ERROR: ").removeprefix("error: ") for line in lines[first:] if not _NOISE.match(line)]
    text = " ".join(told[:_TOLD_LINES]).rstrip(".") or "it does not say why"
    if any(sign in said for sign in _CONFLICTS):
        return SolidstateError(
            f"The requirements exclude each other. {tool} says: {text}.",
            subject="requirements",
            hint="versions that the project leaves open are those of this environment; let them move with `--newest`, "
            "or change the requirements",
        )
    return EngineError(
        f"{tool} could not install the packages. It says: {text}.",
        subject="packages",
        hint="see whether the package index can be reached, and how the installer is set up",
    )
