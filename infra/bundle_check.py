"""Does the code find in its bundle what it imports? Better told by a build than by the first invocation."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from solidstate.errors import Errors, SolidstateError
from solidstate.infra.bundle_code import UserCode
from solidstate.infra.bundle_imports import Import
from solidstate.infra.bundle_packages import RUNTIME_BRINGS, installed_closure
from solidstate.infra.bundle_subset import home_of, runtime_modules, stays_at_home

_IMPORTED_AS = {"python-dateutil": "dateutil"}
_RUNTIME = {*(_IMPORTED_AS.get(name, name) for name in RUNTIME_BRINGS), "awslambdaric"}


def check_imports(folder: Path, code: UserCode, layer: Iterable[str]) -> list[str]:
    """Remarks about imports that may fail when they are reached. Raises Errors with those that fail at once."""
    elsewhere = _RUNTIME | layer_modules(layer)
    problems: list[SolidstateError] = []
    remarks: list[str] = []
    for file, imports in code.imports.items():
        for one, missing in _missing(folder, imports, elsewhere):
            if one.needed:
                problems.append(_problem(code.root / file, file, one, missing))
            else:
                remarks.append(f"`{file}`, line {one.line}, imports `{missing}`, which the bundle does not hold")
    if problems:
        raise Errors("the code does not find in the bundle what it imports", problems)
    return list(dict.fromkeys(remarks))


def layer_modules(layer: Iterable[str]) -> set[str]:
    """Top-level names that a layer with these packages brings: theirs, and those of what they require."""
    names = list(layer)
    closure = installed_closure(names)
    by_module = metadata.packages_distributions()
    wanted = {one.metadata["Name"] for one in closure.values()}
    found = {module for module, owners in by_module.items() if wanted & set(owners)}
    return found | {name.replace("-", "_") for name in names}


def _missing(folder: Path, imports: list[Import], elsewhere: set[str]) -> Iterator[tuple[Import, str]]:
    for one in imports:
        if one.top in sys.stdlib_module_names or one.top in elsewhere:
            continue
        if one.top == "solidstate":
            if not _ours(one):
                yield one, f"{one.module}.{one.name}" if one.name else one.module
        elif not _holds(folder, one.top):
            yield one, one.top
        elif (folder / one.top).is_dir() and not _holds(folder, one.module):
            yield one, one.module


def _ours(one: Import) -> bool:
    modules = runtime_modules()
    if one.module == "solidstate" and one.name:
        home = home_of(one.name)
        return f"solidstate.{one.name}" in modules or (home is not None and not stays_at_home(home))
    return one.module in modules


def _holds(folder: Path, module: str) -> bool:
    place = folder.joinpath(*module.split("."))
    if place.is_dir() or place.with_name(f"{place.name}.py").is_file():
        return True
    return any(place.parent.glob(f"{place.name}.*.so")) or place.with_name(f"{place.name}.so").is_file()


def _problem(path: Path, file: str, one: Import, missing: str) -> SolidstateError:
    if one.top == "solidstate":
        return SolidstateError(
            f"`{file}` imports `{missing}`, which runs on your own machine and is not in a bundle.",
            subject=missing,
            path=f"{path}:{one.line}",
            hint='import it in the function that uses it, or below `if __name__ == "__main__":`',
        )
    if "." in missing:
        return SolidstateError(
            f"`{file}` imports `{missing}`, which is not in the bundle.",
            subject=missing,
            path=f"{path}:{one.line}",
            hint="tests and what `exclude` names are left out; import what is left",
        )
    return SolidstateError(
        f"`{file}` imports `{missing}`, which is not in the bundle.",
        subject=missing,
        path=f"{path}:{one.line}",
        hint=f"add the package to the requirements, or take it from a layer: `--layer-provided {missing}`",
    )
