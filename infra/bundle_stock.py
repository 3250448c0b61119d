"""The packages of a bundle, installed and pruned: with what a layer or the runtime brings left out, and nothing that
they do not need."""

from __future__ import annotations

import shutil
from importlib.metadata import Distribution
from pathlib import Path

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from solidstate.errors import name_list
from solidstate.infra.bundle_install import Absent, Order, install
from solidstate.infra.bundle_packages import BOTO, installed_closure, target_environment
from solidstate.infra.bundle_prune import (
    distributions_in,
    imports_below,
    keep_reachable,
    missing_and_surplus,
    prune,
    remove_stand_ins,
    uninstall,
)
from solidstate.infra.bundle_recipe import Recipe
from solidstate.infra.bundle_requirements import Wanted
from solidstate.infra.bundle_subset import runtime_imports
from solidstate.infra.bundle_wheels import ELSEWHERE, is_stand_in, packed, stand_in

PINS_BOTO = "aiobotocore"
"""It works with one version of botocore only, so that the runtime's own will not do."""
POWERTOOLS = "aws-lambda-powertools"
HTTP = "aiohttp"
BEHIND_FILE_SYSTEM = {"aiobotocore", "fsspec", "s3fs"}
"""Through these aiohttp comes to a function that says ``context.fs``: the client, and a web server with it."""
_BRING_IT = {PINS_BOTO, "s3fs", "aioboto3"}
_ROUNDS = 8


class Stocked(msgspec.Struct, frozen=True):
    """``versions`` of what was installed; ``owners`` says which package brought a top-level file or folder."""

    versions: dict[str, str]
    owners: dict[str, str]
    remarks: tuple[str, ...]


def stock(recipe: Recipe, folder: Path, scratch: Path) -> Stocked:
    """Install what the recipe asks for into the empty ``folder``. Raises as :func:`bundle_install.install` does."""
    return _Stock(recipe, folder, scratch).fill()


class _Stock:
    def __init__(self, recipe: Recipe, folder: Path, scratch: Path) -> None:
        packages = recipe.packages
        self._recipe = recipe
        self._folder = folder
        self._scratch = scratch
        self._wheels = scratch / "wheels"
        self._wheels.mkdir()
        self._wanted: list[Wanted] = [*packages.wanted, *packages.optional]
        self._standing_in = dict(packages.standing_in)
        self._pins = dict(packages.pins)
        self._packed: set[str] = set()
        self._remarks: list[str] = []
        if not recipe.settings.boto3 and any(one.name in _BRING_IT for one in self._wanted):
            self._ship_boto()
        if not recipe.requirements.source:
            self._remarks.append(
                "no requirements were found: neither a requirements.txt nor dependencies in pyproject.toml"
            )

    def fill(self) -> Stocked:
        for _ in range(_ROUNDS):
            try:
                installed = self._install()
            except Absent as absent:
                self._do_without(absent)
                continue
            if PINS_BOTO in installed and any(name in self._standing_in for name in BOTO):
                self._ship_boto()
                continue
            roots = [one.parsed() for one in self._wanted]
            missing, surplus = missing_and_surplus(installed, roots, target_environment(self._recipe.settings))
            if not missing:
                return self._finished(installed, surplus)
            self._wanted += [_plain(one) for one in missing]
        raise RuntimeError("the packages never settled")

    def _install(self) -> dict[str, Distribution]:
        attempt = len(list(self._scratch.glob("round-*")))
        target = self._scratch / f"round-{attempt}"
        for path in self._wheels.glob(f"*+{ELSEWHERE}-*.whl"):  # of a round before, and perhaps no longer meant
            path.unlink()
        lines = [stand_in(name, version, self._wheels) for name, version in sorted(self._standing_in.items())]
        pins = [f"{name}=={version}" for name, version in self._pins.items()]
        # A stand-in constrains; it is installed only where something requires the package.
        order = Order(
            [one.line for one in self._wanted], self._recipe.requirements.options, [*pins, *lines], self._wheels
        )
        install(order, self._recipe.settings, target, self._scratch)
        self._target = target
        return distributions_in(target)

    def _trim_own(self, installed: dict[str, Distribution]) -> None:
        """Of the large packages that are there for our sake alone, keep what can be imported: of Powertools what its
        Logger needs, of aiohttp the client. Asked for by the project or by a package of its own, they stay whole."""
        own = [one for imports in self._recipe.code.imports.values() for one in imports]
        if self._is_ours(installed, POWERTOOLS, set()):
            # What it imports late is for models of pydantic, and half of all.
            late = "pydantic" in {*installed, *installed_closure(list(self._recipe.packages.layer))}
            keep_reachable(self._target, POWERTOOLS.replace("-", "_"), [*runtime_imports(), *own], late=late)
        if self._is_ours(installed, HTTP, BEHIND_FILE_SYSTEM):
            (self._target / HTTP / "worker.py").unlink(missing_ok=True)  # Gunicorn's, which leads to the web server
            users = [one for name in sorted(BEHIND_FILE_SYSTEM) for one in imports_below(self._target / name)]
            keep_reachable(self._target, HTTP, [*users, *own])

    def _is_ours(self, installed: dict[str, Distribution], name: str, through: set[str]) -> bool:
        """Whether ``name`` is there for none but us, or those of ours that it came ``through``."""
        others = [one for key, one in installed.items() if key not in through]
        wanted = {canonicalize_name(Requirement(line).name) for one in others for line in one.requires or []}
        return name in installed and name not in wanted | {one.name for one in self._recipe.requirements.wanted}

    def _do_without(self, absent: Absent) -> None:
        """Leave an optional package out, pack one of pure Python as it is installed here; else raise."""
        optional = {one.name for one in self._recipe.packages.optional}
        if absent.name in optional:
            self._wanted = [one for one in self._wanted if one.name != absent.name]
            self._remarks.append(f"{absent.problem.rstrip('.')}; it would make the function faster, and is left out")
        elif absent.name in self._packed or packed(absent.name, self._wheels) is None:
            raise absent
        else:
            self._packed.add(absent.name)

    def _ship_boto(self) -> None:
        for name in BOTO:
            version = self._standing_in.pop(name, None)
            if version is not None and self._pins:
                self._pins[name] = version
        self._wanted.append(Wanted("boto3", "boto3"))
        self._remarks.append(f"boto3 and botocore are shipped, because `{PINS_BOTO}` works with one version of them")

    def _finished(self, installed: dict[str, Distribution], surplus: set[str]) -> Stocked:
        for name in sorted(surplus):
            uninstall(self._target, installed[name])
        kept = {name: one for name, one in installed.items() if name not in surplus and not is_stand_in(one.version)}
        owners = _owners(kept)
        versions = {name: one.version for name, one in sorted(kept.items())}
        remove_stand_ins(self._target)
        prune(self._target)
        self._trim_own(kept)
        (self._target / ".lock").unlink(missing_ok=True)  # uv's own
        for path in list(self._target.iterdir()):
            shutil.move(path, self._folder / path.name)
        if self._packed:
            self._remarks.append(
                f"packed as they are installed here, for want of wheels: {name_list(sorted(self._packed))}"
            )
        return Stocked(
            versions, {top: name for top, name in owners.items() if (self._folder / top).exists()}, tuple(self._remarks)
        )


def _owners(installed: dict[str, Distribution]) -> dict[str, str]:
    return {path.parts[0]: name for name, one in installed.items() for path in one.files or []}


def _plain(requirement: Requirement) -> Wanted:
    """A requirement whose marker is known to hold in the function."""
    plain = Requirement(str(requirement))
    plain.marker = None
    return Wanted(requirement.name, str(plain))
