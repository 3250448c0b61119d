"""``solidstate build``: assemble the Lambda bundle, and say what is in it and how large it is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from solidstate.cli.exit_codes import SUCCESS
from solidstate.cli.render_build import built_lines
from solidstate.cli.terminal import Terminal
from solidstate.errors import EngineError

BUNDLE = "lambda"
MACHINES = "machines"


class BuildOptions(msgspec.Struct, frozen=True):
    """What was typed after ``solidstate build``."""

    targets: list[str]
    runtime: str | None
    arch: str | None
    requirements: str | None
    layer_provided: list[str]
    include: list[str]
    exclude: list[str]
    boto3: bool
    newest: bool
    output: str
    into: str | None
    zip: str | None
    json: bool


def build(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), BuildOptions)
    try:
        from solidstate.infra.bundle_build import build_bundle, write_machines
        from solidstate.infra.bundle_recipe import recipe_for
        from solidstate.infra.bundle_settings import Choices
    except ModuleNotFoundError as error:
        raise EngineError(
            f"Building needs `{error.name}`, which is not installed.",
            subject="build",
            hint="`pip install 'solidstate[local]'`",
        ) from error
    asked = Choices(
        runtime=options.runtime,
        arch=options.arch,
        requirements=options.requirements,
        layer_provided=_names(options.layer_provided),
        include=options.include,
        exclude=options.exclude,
        boto3=options.boto3,
        newest=options.newest,
    )
    recipe = recipe_for(options.targets, asked)
    # Machines first: they are judged by quotas, which takes no time.
    machines = write_machines(recipe, Path(options.output) / MACHINES) if options.into is None else []
    folder = Path(options.output) / BUNDLE if options.into is None else Path(options.into)
    built = build_bundle(recipe, folder, Path(options.zip) if options.zip else None)
    if options.json:
        terminal.show_json(_document(built, machines))
    else:
        terminal.show(built_lines(built, machines))
    return SUCCESS


def _names(values: list[str]) -> list[str]:
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _document(built: Any, machines: list[Path]) -> dict[str, Any]:
    return {
        "bundle": str(built.folder),
        "machines": [str(path) for path in machines],
        "unzipped_bytes": built.archived.size,
        "zipped_bytes": built.archived.zip_size,
        "sha256": built.archived.digest,
        "shares": built.shares,
        "remarks": built.remarks,
        "manifest": built.manifest,
    }
