"""All that a bundle will be made from, found and judged before anything is written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from solidstate import __version__
from solidstate.errors import SolidstateError
from solidstate.infra.bundle_code import UserCode, root_of, user_code
from solidstate.infra.bundle_packages import Packages, packages_for
from solidstate.infra.bundle_requirements import Requirements, find_requirements
from solidstate.infra.bundle_settings import Choices, Settings, project_folder, settings_for
from solidstate.infra.bundle_subset import runtime_modules
from solidstate.load import load_module, load_pipeline, pipelines_in
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.plan import ExecutionPlan

_FILE_SYSTEM_ATTRIBUTE = b".fs"


class Found(msgspec.Struct, frozen=True):
    """A pipeline, where an import in the bundle finds it, and its plan."""

    target: str
    definition: PipelineDefinition
    plan: ExecutionPlan


class Recipe(msgspec.Struct, frozen=True):
    """``inputs`` is a digest over everything here: as long as it stays the same, so does the bundle."""

    pipelines: tuple[Found, ...]
    code: UserCode
    settings: Settings
    requirements: Requirements
    packages: Packages
    inputs: str


def recipe_for(targets: Sequence[str], asked: Choices) -> Recipe:
    """Raises SolidstateError for whatever is wrong with the targets, the settings, the code or the requirements."""
    pipelines: list[Found] = []
    roots: dict[Path, str] = {}
    folder = Path()
    for target in targets:
        module: Any = load_module(target)
        roots.setdefault(root_of(module), target)
        folder = folder if pipelines else Path(str(module.__file__)).resolve().parent
        pipelines += _pipelines(target, module)
    if len(roots) > 1:
        first, second, *_ = roots.values()
        raise SolidstateError(
            f"`{first}` and `{second}` are imported from different folders, so that one bundle cannot hold both.",
            subject=second,
            hint="build a bundle for each, with `--output DIR`",
        )
    _check_names(pipelines)
    (root,) = roots
    project = project_folder(root)
    settings = settings_for(project, asked)
    modules = [found.target.partition(":")[0] for found in pipelines]
    code = user_code(root, modules, settings.include, settings.exclude)
    requirements = find_requirements(folder, project, settings.requirements)
    packages = packages_for(settings, requirements, uses_fs=_uses_fs(code))
    return Recipe(
        pipelines=tuple(pipelines),
        code=code,
        settings=settings,
        requirements=requirements,
        packages=packages,
        inputs=_digest(pipelines, code, settings, requirements, packages),
    )


def _pipelines(target: str, module: Any) -> list[Found]:
    """The pipeline a target names, or all of its module."""
    chosen = load_pipeline(target) if ":" in target or not pipelines_in(module) else None
    named: dict[int, tuple[str, PipelineDefinition]] = {}
    for name, value in pipelines_in(module).items():
        if chosen is None or value is chosen:
            named.setdefault(id(value), (name, value))
    return [Found(f"{module.__name__}:{name}", value, build_plan(value)) for name, value in named.values()]


def _check_names(pipelines: list[Found]) -> None:
    by_name: dict[str, Found] = {}
    for found in pipelines:
        other = by_name.setdefault(found.definition.name, found)
        if other is not found:
            raise SolidstateError(
                f"`{other.target}` and `{found.target}` are both called `{found.definition.name}`.",
                subject=found.definition.name,
                hint="give one of them another name, or name the one to build: `module:pipeline`",
            )


def _uses_fs(code: UserCode) -> bool:
    """Whether any of the code says ``.fs``, as in ``context.fs``."""
    return any(_FILE_SYSTEM_ATTRIBUTE in path.read_bytes() for name, path in code.files.items() if name.endswith(".py"))


def _digest(
    pipelines: list[Found], code: UserCode, settings: Settings, requirements: Requirements, packages: Packages
) -> str:
    files = code.files | runtime_modules()
    facts = {
        "solidstate": __version__,
        "plans": {found.target: found.plan for found in pipelines},
        "files": {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(files.items())},
        "settings": msgspec.structs.replace(settings, requirements=None),
        "options": requirements.options,
        "packages": packages,
    }
    return hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()
