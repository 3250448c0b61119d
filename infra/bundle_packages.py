"""Which packages are installed into a bundle, which are left to a layer or to the runtime, and in what versions.

Versions that the project leaves open are those of the environment the build runs in: what was tested is what ships.
"""

from __future__ import annotations

from functools import cache
from importlib import metadata

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from solidstate.errors import EngineError, SolidstateError, closest
from solidstate.infra.bundle_requirements import Requirements, Wanted
from solidstate.infra.bundle_settings import Settings

OURS = "solidstate"
BOTO = ("boto3", "botocore", "s3transfer")
"""What the Lambda runtime brings, in versions that move with it."""
RUNTIME_BRINGS = (*BOTO, "jmespath", "python-dateutil", "six", "urllib3")
AT_HOME = {"dev", "local", "demo"}
"""Extras of solidstate that are of no use in a function."""
FAST = "fast"
"""The extra of solidstate with what makes a function faster; left out where it has no wheel."""
FILE_SYSTEM = "s3fs"
"""Behind ``context.fs``; it comes with aiohttp and botocore, so it is shipped to who uses it."""


class Packages(msgspec.Struct, frozen=True):
    """``wanted`` is what the installer is asked for, ``optional`` what may be left out. ``standing_in`` are packages
    that come from elsewhere, with the version they are taken to have; ``pins`` versions for whatever comes up."""

    wanted: tuple[Wanted, ...]
    optional: tuple[Wanted, ...]
    standing_in: dict[str, str]
    pins: dict[str, str]
    layer: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()


def packages_for(settings: Settings, requirements: Requirements, *, uses_fs: bool) -> Packages:
    """Raises SolidstateError for a layer's package whose version nobody knows."""
    layer = dict(_provided(text) for text in settings.layer_provided)
    asked = {one.name for one in requirements.wanted}
    extras = {
        extra
        for one in requirements.wanted
        if one.name == OURS
        for extra in one.parsed().extras
        if extra not in AT_HOME
    }
    own, fast = _own(extras, uses_fs=uses_fs or FILE_SYSTEM in asked)
    boto = () if settings.boto3 else BOTO
    left = {OURS, *layer, *boto}
    wanted = [one for one in (*requirements.wanted, *own) if one.name not in left]
    if settings.boto3 and "boto3" not in asked:
        wanted.append(Wanted("boto3", "boto3"))
    runtime = {name: version for name in boto if (version := installed_version(name)) is not None}
    return Packages(
        wanted=tuple(_unique(wanted)),
        optional=tuple(one for one in fast if one.name not in left),
        standing_in={**runtime, **layer},
        pins={} if settings.newest else _pins(requirements, exclude=left),
        layer=tuple(sorted(layer)),
        runtime=boto,
    )


def installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def installed_closure(names: list[str]) -> dict[str, metadata.Distribution]:
    """The installed distributions of ``names`` and of all that they require here."""
    found: dict[str, metadata.Distribution] = {}
    todo = list(names)
    while todo:
        name = str(canonicalize_name(todo.pop()))
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        for line in found[name].requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.append(requirement.name)
    return found


def target_environment(settings: Settings) -> dict[str, str]:
    """What environment markers of requirements say in the function."""
    version = ".".join(map(str, settings.python))
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{version}.0",
        "os_name": "posix",
        "platform_machine": "aarch64" if settings.arch == "arm64" else "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": "linux",
        "extra": "",
    }


def _provided(text: str) -> tuple[str, str]:
    """Name and version of what a layer brings: the version written, else the one of this environment."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise SolidstateError(
            f"`{text}` is no package that a layer can bring: expected a name, as in `pandas`, or `pandas==3.0.1`.",
            subject=text,
            hint="write several with a comma between them",
        ) from error
    name = str(canonicalize_name(requirement.name))
    exact = [one.version for one in requirement.specifier if one.operator == "=="]
    version = exact[0] if exact else installed_version(name)
    if version is None:
        near = closest(name, _installed())
        raise SolidstateError(
            f"A layer brings `{name}`, but which version is not known: it is not installed here.",
            subject=name,
            hint=f"did you mean `{near}`?" if near else f"write it: `--layer-provided {name}==VERSION`",
        )
    return name, version


@cache
def _own_requirements() -> list[str]:
    try:
        return metadata.requires(OURS) or []
    except metadata.PackageNotFoundError as error:
        raise EngineError(
            "solidstate is not installed, only its files are there, so what it depends on is not known.",
            subject=OURS,
            hint="install it: `pip install solidstate`, or `pip install -e .` in a checkout",
        ) from error


def _own(extras: set[str], *, uses_fs: bool) -> tuple[list[Wanted], list[Wanted]]:
    """(what solidstate needs in a function, what makes it fast there)."""
    own: list[Wanted] = []
    fast: list[Wanted] = []
    for line in _own_requirements():
        requirement = Requirement(line)
        name = str(canonicalize_name(requirement.name))
        plain = Requirement(line)
        plain.marker = None
        one = Wanted(name, str(plain))
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            own += [one] if name not in BOTO and (name != FILE_SYSTEM or uses_fs) else []
        elif any(marker.evaluate({"extra": extra}) for extra in extras):
            own.append(one)
        elif marker.evaluate({"extra": FAST}):
            fast.append(one)
    return own, fast


def _unique(wanted: list[Wanted]) -> list[Wanted]:
    """The project's own line goes before ours; the same package twice would confuse installers."""
    return list({(one.name, str(one.parsed().marker)): one for one in reversed(wanted)}.values())[::-1]


def _installed() -> list[str]:
    return [str(canonicalize_name(one.metadata["Name"])) for one in metadata.distributions() if one.metadata["Name"]]


def _pins(requirements: Requirements, exclude: set[str]) -> dict[str, str]:
    """The versions of this environment, but where the project itself asks for others."""
    asked = {one.name: one.parsed() for one in requirements.wanted}
    pins: dict[str, str] = {}
    for one in metadata.distributions():
        name = str(canonicalize_name(one.metadata["Name"] or ""))
        if not name or name in exclude or one.read_text("direct_url.json") is not None:
            continue  # from a folder or a URL: no index knows this version
        version = Version(one.version)
        wish = asked.get(name)
        fits = wish is None or (wish.url is None and wish.specifier.contains(version, prereleases=True))
        if fits and version.local is None:
            pins.setdefault(name, str(version))  # the first on the path is the one that is imported
    for name in ("pip", "setuptools", "wheel"):
        pins.pop(name, None)
    return dict(sorted(pins.items()))
