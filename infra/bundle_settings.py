"""What a bundle is to be made for: options of the command line over ``[tool.solidstate.build]`` in pyproject.toml.

[tool.solidstate.build]
runtime = "python3.12"              # else the one in template.yaml, else this interpreter's
arch = "x86_64"                     # or "arm64"; else the one in template.yaml, else x86_64
requirements = "requirements.txt"   # else requirements.txt beside the code, else the project's dependencies
layer-provided = ["pandas"]         # packages that a layer brings, with what only they need
include = ["sql/"]                  # beside the code, to be shipped too
exclude = ["notebooks/"]            # inside the code, not to be shipped
aws-services = ["dynamodb"]         # boto3 services whose names stand nowhere in the code
boto3 = false                       # ship boto3 although the runtime has one
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

from solidstate.errors import SolidstateError, closest, name_list

Architecture = Literal["x86_64", "arm64"]
RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")
"""Lambda's Python runtimes that solidstate runs on."""
ARCHITECTURES: tuple[Architecture, ...] = ("x86_64", "arm64")
TABLE = "tool.solidstate.build"

_RUNTIME = re.compile(r"^\s*Runtime:\s*[\"']?(python3\.\d+)[\"']?\s*(?:#.*)?$", re.MULTILINE)
_ARCHITECTURE = re.compile(r"^\s*Architectures:\s*\[?\s*(?:\n\s*-\s*)?[\"']?(x86_64|arm64)", re.MULTILINE)


class Choices(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What somebody asked for, in pyproject.toml or on the command line; None and empty leave it open."""

    runtime: str | None = None
    arch: str | None = None
    requirements: str | None = None
    layer_provided: list[str] = []
    include: list[str] = []
    exclude: list[str] = []
    aws_services: list[str] = []
    boto3: bool = False
    newest: bool = False


class Settings(msgspec.Struct, frozen=True):
    """What holds, with nothing left open but the requirements, which may be looked for."""

    runtime: str
    arch: Architecture
    requirements: Path | None = None
    layer_provided: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    aws_services: tuple[str, ...] = ()
    boto3: bool = False
    newest: bool = False

    @property
    def python(self) -> tuple[int, int]:
        """(3, 12) of ``python3.12``."""
        major, minor = self.runtime.removeprefix("python").split(".")
        return int(major), int(minor)


def local_runtime() -> str:
    """The runtime of this interpreter's version."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def settings_for(project: Path, asked: Choices) -> Settings:
    """The settings of the project in the folder ``project``.

    Raises SolidstateError when pyproject.toml cannot be read, says something unknown, or a choice is none there is.
    """
    written = _written(project / "pyproject.toml")
    runtimes, architectures = _in_template(project)
    local = local_runtime()
    runtime = asked.runtime or written.runtime or _only(runtimes) or (local if local in RUNTIMES else RUNTIMES[0])
    _one_of(runtime, RUNTIMES, "runtime")
    arch = asked.arch or written.arch or _only(architectures) or ARCHITECTURES[0]
    _one_of(arch, ARCHITECTURES, "architecture")
    requirements = Path(asked.requirements) if asked.requirements else None
    if requirements is None and written.requirements:
        requirements = project / written.requirements
    return Settings(
        runtime=runtime,
        arch=msgspec.convert(arch, Architecture),
        requirements=requirements,
        layer_provided=(*written.layer_provided, *asked.layer_provided),
        include=(*written.include, *asked.include),
        exclude=(*written.exclude, *asked.exclude),
        aws_services=(*written.aws_services, *asked.aws_services),
        boto3=written.boto3 or asked.boto3,
        newest=written.newest or asked.newest,
    )


def project_folder(root: Path) -> Path:
    """The nearest folder above the code that has a pyproject.toml, not going beyond a repository; else ``root``."""
    for folder in (root, *root.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
        if (folder / ".git").exists():
            break
    return root


def read_pyproject(path: Path) -> dict[str, Any]:
    """The document; empty when there is none. Raises SolidstateError when it cannot be read."""
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SolidstateError(
            f"`{path.name}` cannot be read: {error}.", subject=path.name, path=str(path), hint="correct the file"
        ) from error


def _written(path: Path) -> Choices:
    found: Any = read_pyproject(path)
    for part in TABLE.split("."):
        found = found.get(part, {}) if isinstance(found, dict) else {}
    try:
        return msgspec.convert(found, Choices)
    except msgspec.ValidationError as error:
        known = [field.encode_name for field in msgspec.structs.fields(Choices)]
        unknown = next((key for key in found if key not in known), None) if isinstance(found, dict) else None
        near = closest(unknown, known) if unknown else None
        raise SolidstateError(
            f"`[{TABLE}]` in `{path.name}` is not valid: {str(error).replace(' - at `$`', '')}.",
            subject=TABLE,
            path=str(path),
            hint=f"did you mean `{near}`?" if near else f"it may have {name_list(known)}",
        ) from error


def _in_template(project: Path) -> tuple[set[str], set[str]]:
    """The runtimes and architectures that the SAM template names, which the bundle has to fit."""
    for folder in dict.fromkeys((Path.cwd(), project)):
        path = folder / "template.yaml"
        if path.is_file():
            text = path.read_text("utf-8", "replace")
            return set(_RUNTIME.findall(text)), set(_ARCHITECTURE.findall(text))
    return set(), set()


def _only(values: set[str]) -> str | None:
    return next(iter(values)) if len(values) == 1 else None


def _one_of(value: str, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise SolidstateError(
            f"There is no {what} `{value}` to build for.", subject=value, hint=f"choose one of {name_list(known)}"
        )
