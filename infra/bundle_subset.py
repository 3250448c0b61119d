"""solidstate's own part of a bundle: what the Lambda function can ever import, and nothing else.

The set is not written down anywhere. It is the closure of the imports, those inside functions included, of the
function's entry and of every name that users import from ``solidstate``, without the layers that stay at home.
"""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from pathlib import Path

from solidstate.infra.bundle_imports import Import, imports_of

ENTRIES = ("solidstate.handler.entry", "solidstate.handler.deployment")
AT_HOME = ("solidstate.cli", "solidstate.infra", "solidstate.testing")
"""Layers that only a user's own machine has: the command line, the local engines, this builder, the test kit."""


@cache
def runtime_modules() -> dict[str, Path]:
    """The modules of ours that a bundle holds, by name, each with its file."""
    found: dict[str, Path] = {}
    todo = [*ENTRIES, *_public_modules()]
    while todo:
        name = todo.pop()
        if name in found or stays_at_home(name):
            continue
        file = _file_of(name)
        if file is None:
            continue
        found[name] = file
        if name != "solidstate":
            todo.append(name.rpartition(".")[0])  # a package is imported before what is in it
        for one in imports_of(file.read_bytes(), name, package=file.name == "__init__.py"):
            if one.top == "solidstate":
                todo += [one.module, f"{one.module}.{one.name}"] if one.name else [one.module]
    return dict(sorted(found.items()))


@cache
def runtime_imports() -> tuple[Import, ...]:
    """All that these modules import, from wherever."""
    return tuple(
        one
        for name, file in runtime_modules().items()
        for one in imports_of(file.read_bytes(), name, package=file.name == "__init__.py")
    )


def stays_at_home(module: str) -> bool:
    return any(module == layer or module.startswith(f"{layer}.") for layer in AT_HOME)


def home_of(name: str) -> str | None:
    """The module that defines what users import as ``from solidstate import name``; None when there is no such name."""
    top = importlib.import_module("solidstate")
    value = getattr(top, name, None)
    return None if value is None else str(getattr(value, "__module__", "solidstate"))


def bundled_path(module: str, file: Path) -> str:
    """Where a module's file stands in a bundle."""
    parts = module.split(".")
    return "/".join([*parts, "__init__.py"]) if file.name == "__init__.py" else "/".join(parts) + ".py"


def _public_modules() -> list[str]:
    top = importlib.import_module("solidstate")
    homes = (home_of(name) for name in top.__all__)
    return sorted({home for home in homes if home is not None and home.startswith("solidstate.")})


def _file_of(name: str) -> Path | None:
    """None for what is no module: an import may have named an attribute."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None
