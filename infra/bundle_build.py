"""Assemble the bundle that Lambda runs: user code, plans, solidstate's own part, packages, byte code. The same inputs
give the same bytes, and a build that fails leaves what was there."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import msgspec

from solidstate import __version__
from solidstate.errors import Errors, SolidstateError, name_list
from solidstate.infra.bundle_archive import Archived, archive, stamp
from solidstate.infra.bundle_bytecode import compile_bundle
from solidstate.infra.bundle_check import check_imports
from solidstate.infra.bundle_manifest import Manifest, encode_manifest
from solidstate.infra.bundle_place import MANIFEST, is_bundle, is_machines, replacing
from solidstate.infra.bundle_prune import keep_services
from solidstate.infra.bundle_recipe import Recipe
from solidstate.infra.bundle_stock import stock
from solidstate.infra.bundle_subset import bundled_path, runtime_modules
from solidstate.planner.compile import Compiled, compile_plan
from solidstate.planner.plan import encode_plan, plan_hash

MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
"""Of a function and its layers together (Lambda developer guide, "Lambda quotas")."""
CODE = "your code"
OWN = "solidstate"


class Share(msgspec.Struct, frozen=True):
    """What one package takes of a bundle, in bytes on disk and in the zip."""

    name: str
    size: int
    zipped: int


class Built(msgspec.Struct, frozen=True):
    """A finished bundle. ``shares`` are largest first; ``remarks`` are sentences for the one who built it."""

    folder: Path
    manifest: Manifest
    archived: Archived
    shares: tuple[Share, ...]
    remarks: tuple[str, ...]


def build_bundle(recipe: Recipe, target: Path, zip_to: Path | None = None) -> Built:
    """Build into the folder ``target``, replacing an earlier bundle in one move.

    Raises SolidstateError for what the user can repair (a package without a wheel, an import that finds nothing, a
    bundle that is too large, a folder that is not ours) and EngineError when the installer breaks down.
    """
    with replacing(target, is_bundle) as folder:
        with tempfile.TemporaryDirectory(prefix="solidstate-build-") as scratch:
            stocked = stock(recipe, folder, Path(scratch))
        remarks = list(stocked.remarks)
        owners = _add_code(recipe, folder, stocked.owners)
        kept = keep_services(folder, recipe.code.files, recipe.settings.aws_services)
        if kept:
            remarks.append(
                f"boto3 is shipped with {len(kept)} services: {', '.join(kept)}; `aws-services` in pyproject.toml "
                "adds others"
            )
        remarks += check_imports(folder, recipe.code, recipe.packages.layer)
        compiled = compile_bundle(folder, recipe.settings)
        if not compiled:
            remarks.append(
                f"there is no {recipe.settings.runtime} here to make byte code with, so cold starts will compile what "
                "they import"
            )
        manifest = _manifest(recipe, stocked.versions, byte_code=compiled)
        (folder / MANIFEST).write_bytes(encode_manifest(manifest))
        stamp(folder)
        archived = archive(folder, zip_to)
        shares = _shares(archived, owners)
        _check_size(archived, shares)
    return Built(target, manifest, archived, shares, tuple(remarks))


def write_machines(recipe: Recipe, target: Path) -> list[Path]:
    """The definitions of all pipelines, and of the parts they start, as ``<pipeline>.asl.json`` and
    ``<pipeline>.<part>.asl.json``. Raises Errors when a plan does not fit into Step Functions."""
    machines = {found.definition.name: compile_plan(found.plan) for found in recipe.pipelines}
    with replacing(target, is_machines) as folder:
        for name, compiled in machines.items():
            for file, definition in _definitions(name, compiled):
                (folder / file).write_bytes(definition)
    return sorted(target.iterdir())


def _definitions(name: str, compiled: Compiled) -> list[tuple[str, bytes]]:
    parts = [(f"{name}.{part.name}.asl.json", part.definition) for part in compiled.parts]
    return [(f"{name}.asl.json", compiled.definition), *parts]


def _add_code(recipe: Recipe, folder: Path, owners: dict[str, str]) -> dict[str, str]:
    """Copy user code, our modules and the plans; whose is what, by the first part of the path."""
    brought = {_imported_as(top): owner for top, owner in owners.items()}
    tops = {name.partition("/")[0] for name in recipe.code.files}
    clashes = sorted(top for top in tops if _imported_as(top) in brought)
    if clashes:
        raise Errors(
            "the code and its packages need the same names",
            [
                SolidstateError(
                    f"Both your code and the package `{brought[_imported_as(top)]}` bring `{_imported_as(top)}`.",
                    subject=top,
                    path=str(recipe.code.root / top),
                    hint="rename yours",
                )
                for top in clashes
            ],
        )
    for name, source in {**recipe.code.files, **_own_files()}.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for found in recipe.pipelines:
        path = folder / "plans" / f"{found.definition.name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode_plan(found.plan))
    return owners | dict.fromkeys(tops, CODE) | dict.fromkeys(("plans", MANIFEST, OWN), OWN)


def _imported_as(top: str) -> str:
    """``a`` of a package ``a``, a module ``a.py`` and an extension ``a.abi3.so``."""
    return top.partition(".")[0] if top.endswith((".py", ".so")) else top


def _own_files() -> dict[str, Path]:
    return {bundled_path(module, file): file for module, file in runtime_modules().items()}


def _manifest(recipe: Recipe, versions: dict[str, str], *, byte_code: bool) -> Manifest:
    shipped = set(versions)
    return Manifest(
        solidstate=__version__,
        runtime=recipe.settings.runtime,
        arch=recipe.settings.arch,
        targets={found.definition.name: found.target for found in recipe.pipelines},
        plans={found.definition.name: plan_hash(found.plan) for found in recipe.pipelines},
        packages=versions,
        layer=recipe.packages.layer,
        from_runtime=tuple(name for name in recipe.packages.runtime if name not in shipped),
        byte_code=byte_code,
        inputs=recipe.inputs,
    )


def _shares(archived: Archived, owners: dict[str, str]) -> tuple[Share, ...]:
    found: dict[str, Share] = {}
    for entry in archived.entries:
        top, _, rest = entry.path.partition("/")
        if top == "__pycache__":  # of a module that lies in the root
            top = f"{rest.partition('.')[0]}.py"
        owner = owners.get(top) or owners.get(top.removesuffix(".py")) or CODE
        before = found.get(owner, Share(owner, 0, 0))
        found[owner] = Share(owner, before.size + entry.size, before.zipped + entry.zipped)
    return tuple(sorted(found.values(), key=lambda share: (-share.size, share.name)))


def _check_size(archived: Archived, shares: tuple[Share, ...]) -> None:
    if archived.size <= MAX_UNZIPPED_BYTES:
        return
    largest = [f"{share.name} ({share.size / 1024 / 1024:,.0f} MB)" for share in shares[:5]]
    raise SolidstateError(
        f"The bundle has {archived.size / 1024 / 1024:,.0f} MB unzipped; Lambda takes 250 MB, layers included. "
        f"Largest: {name_list(largest)}.",
        subject="bundle",
        hint="take the largest from a layer (`--layer-provided NAME`), or deploy the function as a container image, "
        "which may have 10 GB",
    )
