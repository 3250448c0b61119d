"""Find a user's pipeline from a target: ``package.module:pipeline`` or ``file.py:pipeline``.

A file is imported as the module it is: its package is found by walking up through the folders that hold an
``__init__.py``, and the first folder without one goes on ``sys.path``.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from solidstate.errors import SolidstateError, TargetError, closest, short
from solidstate.pipeline import PipelineDefinition

LONGEST = 200
"""Characters of a target or a line of code that a message shows."""


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
            f"`{short(module, LONGEST)}` has no pipeline `{short(name)}`.",
            subject=target,
            hint=f"did you mean `{module}:{near}`?" if near else _choices(module, found),
        )
    if found and len({id(value) for value in found.values()}) == 1:
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
    if _is_path(text):
        return _import_file(text, target)
    cwd = str(Path.cwd())
    if cwd not in sys.path:
        sys.path.insert(0, cwd)
    return _import(text, target)


def _is_path(text: str) -> bool:
    return text.endswith(".py") or "/" in text or "\\" in text


def _split(target: str) -> tuple[str, str]:
    module, _, name = target.rpartition(":") if ":" in target else (target, "", "")
    if _is_path(name):  # the colon is a drive's: `C:\\flights.py`
        module, name = target, ""
    dotted = all(part.isidentifier() for part in module.split("."))
    if not module.isprintable() or not (dotted or _is_path(module)) or (target != module and not name.isidentifier()):
        raise TargetError(
            f"`{short(target, LONGEST)}` is not a target.",
            subject=short(target, LONGEST),
            hint="write `package.module:pipeline` or `path/to/file.py:pipeline`",
        )
    return module, name


def _import_file(text: str, target: str) -> ModuleType:
    path = _file(text, target)
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
    owner = _owner(parts[0], folder)
    if owner is not None and len(parts) > 1:
        # Its absolute imports would lead into the other package, so it cannot be loaded under another name either.
        raise TargetError(
            f"`{short(text, LONGEST)}` is part of a package `{parts[0]}`, but that name already belongs to {owner}.",
            subject=target,
            path=str(folder / parts[0]),
            hint=f"rename the folder `{parts[0]}`, or run where the other one is not installed",
        )
    if owner is not None or loaded is not None or not all(part.isidentifier() for part in parts):
        # No import leads to this file: load it under a name of its own rather than the wrong module.
        return _import_alone(path, target)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()  # the file may be younger than the listing of its folder
    return _import(name, target)


def _file(text: str, target: str) -> Path:
    try:
        path = Path(text).resolve()
        if path.is_file() and path.suffix == ".py":
            return path
        problem = "is not a Python file" if path.is_file() else "is a folder" if path.is_dir() else ""
        beside = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
    except (OSError, RuntimeError) as error:  # a name longer than the file system allows, a loop of links
        raise TargetError(
            f"There is no file `{short(text, LONGEST)}`: {getattr(error, 'strerror', None) or error}.",
            subject=short(target, LONGEST),
            hint="check the path; it is relative to the current directory",
        ) from error
    if problem:
        hint = "name the file in it that defines the pipeline" if path.is_dir() else "pass a `.py` file"
        raise TargetError(f"`{short(text, LONGEST)}` {problem}.", subject=target, hint=hint)
    near = closest(path.name, beside)
    raise TargetError(
        f"There is no file `{short(text, LONGEST)}`.",
        subject=short(target, LONGEST),
        hint=f"did you mean `{Path(text).with_name(near)}`?"
        if near
        else "check the path; it is relative to the current directory",
    )


def _same_file(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path


def _owner(top: str, folder: Path) -> str | None:
    """Who has the name ``top``, when importing it would not lead into ``folder``."""
    loaded = sys.modules.get(top)
    try:
        spec = importlib.util.find_spec(top)
    except (ValueError, ImportError):  # `__main__` has no spec
        return f"the loaded module `{top}`"
    if spec is None:
        return None
    origin = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
    if origin and Path(origin).resolve().is_relative_to(folder):
        return None
    if loaded is None and spec.origin is None:  # a mere folder elsewhere on the path; a real package goes before it
        return None
    return "Python itself" if top in sys.stdlib_module_names else f"`{origin}`"


def _import_alone(path: Path, target: str) -> ModuleType:
    # Two files of one name must not share a module: types look their names up in `sys.modules`.
    name = f"_solidstate_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
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
    except BaseException as error:
        raise _import_failed(error, target) from error


def _import_failed(error: BaseException, target: str) -> BaseException:
    """The user's module raised while it was imported: say what and on which of their lines. Ctrl-C stays what it is."""
    if isinstance(error, SolidstateError) or not isinstance(error, (Exception, SystemExit)):
        return error
    if isinstance(error, SyntaxError):
        place = f"{error.filename}:{error.lineno}"
        code = (error.text or "").strip()
        problem = f"`{target}` cannot be imported: {type(error).__name__}: {error.msg}."
        hint = f"correct this line: `{short(code, LONGEST)}`" if code else "correct the file"
        return TargetError(problem, subject=target, path=place, hint=hint)
    place, line = _users_line(error)
    text = short(str(error), 500)
    if isinstance(error, SystemExit):
        problem = f"`{target}` cannot be imported: it ends the program (`sys.exit({error.code!r:.40})`)."
        hint = 'move what a script does below `if __name__ == "__main__":`'
        return TargetError(problem, subject=target, path=place, hint=hint)
    problem = f"`{target}` cannot be imported: {type(error).__name__}{': ' if text else ''}{text.rstrip('.')}."
    if isinstance(error, ModuleNotFoundError) and error.name:
        return TargetError(problem, subject=target, path=place, hint=f"install `{error.name}`, or correct the import")
    hint = f"correct this line: `{short(line, LONGEST)}`" if line else "correct the module; `--debug` shows more"
    return TargetError(problem, subject=target, path=place, hint=hint)


def _users_line(error: BaseException) -> tuple[str, str]:
    """``file:line`` and text of the innermost line that is neither Python's, nor a library's, nor ours."""
    import sysconfig  # reads the interpreter's build settings when it is loaded

    libraries = {Path(__file__).parent, *(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))}
    theirs = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and not any(Path(frame.filename).is_relative_to(lib) for lib in libraries)
    ]
    return (f"{theirs[-1].filename}:{theirs[-1].lineno}", theirs[-1].line or "") if theirs else ("", "")
