"""How the repairs reach into moto: find a private module, replace one attribute of it, complain when it has moved.

moto's interpreter is untyped and private, so it is looked up by name here, in one place, instead of being imported
with a type checker's suppression at every use.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from solidstate.errors import EngineError

INTERPRETER = "moto.stepfunctions.parser"
ACCOUNT_ID = "123456789012"
"""moto's default account."""
ENGINE_KEY = "solidstate-engine"
"""The access key of requests that the local engine makes itself, and moto's interpreter for it."""


def inside(name: str) -> Any:
    """The module ``moto.<name>``; ``EngineError`` when this version of moto has none."""
    try:
        return import_module(f"moto.{name}")
    except ModuleNotFoundError as error:
        raise EngineError(
            f"The module `moto.{name}`, which a repair of moto needs, could not be imported: {error}.",
            subject="moto",
            hint='install the local engine completely: pip install "solidstate[local]"',
        ) from error


def load_interpreter() -> None:
    """Import moto's interpreter without EC2 and IAM.

    It wants one enumeration of ``moto.batch.utils``, whose package imports moto's EC2: a third of the time a local run
    takes to open. A stand-in package lets that one module in and is gone again before anyone else can see it.
    """
    spec = find_spec("moto")
    if "moto.batch" not in sys.modules and spec is not None and spec.submodule_search_locations:
        package = ModuleType("moto.batch")
        package.__path__ = [f"{place}/batch" for place in spec.submodule_search_locations]
        sys.modules["moto.batch"] = package
        try:
            inside("batch.utils")
        finally:
            del sys.modules["moto.batch"]
    inside("stepfunctions.parser.models")


def swap(owner: Any, name: str, replacement: Any) -> Any:
    """Set ``owner.name`` to ``replacement`` and return what was there; ``EngineError`` when nothing was."""
    missing = object()
    original = getattr(owner, name, missing)
    if original is missing:
        where = getattr(owner, "__qualname__", None) or getattr(owner, "__name__", repr(owner))
        raise EngineError(f"moto has no `{where}.{name}` to repair.", subject="moto", hint="install the pinned moto")
    setattr(owner, name, replacement)
    return original


def swap_everywhere(name: str, original: Any, replacement: Any) -> None:
    """Replace a module-level name of the interpreter wherever ``from ... import name`` has copied it."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith(INTERPRETER) and getattr(module, name, None) is original:
            setattr(module, name, replacement)
