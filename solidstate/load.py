"""Find a user's pipeline from a target: ``package.module:pipeline`` or ``file.py:pipeline``.

A file is imported as the module it is: its package is found by walking up through the folders that hold an
``__init__.py``, and the first folder without one goes on ``sys.path``.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from solidstate.errors import SolidstateError, TargetError, closest
from solidstate.pipeline import PipelineDefinition


def load_pipeline(target: str) -> PipelineDefinition:
    """The pipeline a target names; without ``:name`` the only one in the module.

    Raises TargetError (no such file, module or pipeline; the module fails to import) and lets the DefinitionErrors of
    the user's own definitions through.
    """
    module, name = _split(target)
    found = pipelines_in(load_module(target))
    if name:
        if name in found:
            return found[name]
        near = closest(name, found)
        raise TargetError(
            f"`{module}` has no pipeline `{name}`.",
            subject=target,
            hint=f"did you mean `{module}:{near}`?" if near else _choices(module, found),
        )
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise TargetError(f"`{module}` has no pipeline.", subject=target, hint="decorate a function with `@pipeline`")
    raise TargetError(f"`{module}` has {len(found)} pipelines.", subject=target, hint=_choices(module, found))


def _choices(module: str, found: dict[str, PipelineDefinition]) -> str:
    if not found:
        return "decorate a function with `@pipeline`"
    return "choose one: " + ", ".join(f"`{module}:{name}`" for name in found)


def pipelines_in(module: ModuleType) -> dict[str, PipelineDefinition]:
    """Pipelines by the name they have in the module, in the order they stand there."""
    return {name: value for name, value in vars(module).items() if isinstance(value, PipelineDefinition)}


def load_module(target: str) -> ModuleType:
    """Import the module part of a target."""
    text, _ = _split(target)
    if text.endswith(".py") or "/" in text or "\\" in text:
        return _import_file(text, target)
    cwd = str(Path.cwd())
    if cwd not in sys.path:
        sys.path.insert(0, cwd)
    return _import(text, target)


def _split(target: str) -> tuple[str, str]:
    module, _, name = target.rpartition(":") if ":" in target else (target, "", "")
    if not module or (":" in target and not name.isidentifier()):
        raise TargetError(
            f"`{target}` is not a target.",
            subject=target,
            hint="write `package.module:pipeline` or `path/to/file.py:pipeline`",
        )
    return module, name


def _import_file(text: str, target: str) -> ModuleType:
    path = Path(text).resolve()
    if not path.is_file():
        near = closest(path.name, [p.name for p in path.parent.glob("*.py")]) if path.parent.is_dir() else None
        raise TargetError(
            f"There is no file `{text}`.",
            subject=target,
            hint=f"did you mean `{Path(text).with_name(near)}`?"
            if near
            else "check the path; it is relative to the current directory",
        )
    parts = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    name = ".".join(parts)
    if path.stem == "__init__":
        name = name.removesuffix(".__init__")
    loaded = sys.modules.get(name)
    if loaded is not None and _same_file(loaded, path):
        return loaded
    if loaded is not None or (importlib.util.find_spec(parts[0]) is not None and not _leads_to(parts[0], folder)):
        # Another module already owns this name: load the file under a name of its own rather than the wrong module.
        return _import_alone(path, target)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return _import(name, target)


def _same_file(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path


def _leads_to(top: str, folder: Path) -> bool:
    spec = importlib.util.find_spec(top)
    origin = spec.origin if spec else None
    return origin is not None and Path(origin).resolve().is_relative_to(folder)


def _import_alone(path: Path, target: str) -> ModuleType:
    name = f"_solidstate_target_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"`{path.name}` is not a Python file.", subject=target, hint="pass a `.py` file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        sys.modules.pop(name, None)
        raise _import_failed(error, target) from error
    return module


def _import(name: str, target: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise TargetError(
                f"There is no module `{error.name}`.",
                subject=target,
                hint="run from the project's root, or pass the path of the file",
            ) from error
        raise _import_failed(error, target) from error
    except Exception as error:
        raise _import_failed(error, target) from error


def _import_failed(error: BaseException, target: str) -> BaseException:
    """The user's module raised while it was imported: say what and on which of their lines."""
    if isinstance(error, SolidstateError) or not isinstance(error, Exception):
        return error
    if isinstance(error, SyntaxError):
        place = f"{error.filename}:{error.lineno}"
        code = (error.text or "").strip()
        problem = f"`{target}` cannot be imported: {type(error).__name__}: {error.msg}."
        return TargetError(problem, subject=target, path=place, hint=f"correct this line: `{code}`" if code else "")
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename and f.filename != __file__
    ]
    last = frames[-1] if frames else None
    install = isinstance(error, ModuleNotFoundError) and error.name
    return TargetError(
        f"`{target}` cannot be imported: {type(error).__name__}: {error}.",
        subject=target,
        path=f"{last.filename}:{last.lineno}" if last else "",
        hint=f"install `{error.name}`, or correct the import"
        if install
        else f"correct this line: `{last.line}`"
        if last
        else "",
    )
