"""What `sam deploy` remembers in ``samconfig.toml``: which stack it made, where, and with whose credentials."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from solidstate.errors import SolidstateError, closest, name_list

FILE = "samconfig.toml"
DEFAULT_ENVIRONMENT = "default"
_COMMANDS = ("global", "deploy")
"""Tables that are read, the later over the earlier (SAM developer guide, "AWS SAM CLI configuration file")."""


class SamSettings(msgspec.Struct, frozen=True):
    """The settings of one environment of the file that say where its stack is."""

    stack_name: str
    region: str | None = None
    profile: str | None = None


def read_samconfig(folder: Path, environment: str = DEFAULT_ENVIRONMENT) -> SamSettings:
    """Raises SolidstateError when there is no file, no such environment, or no stack named in it."""
    path = folder / FILE
    try:
        document = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise SolidstateError(
            f"There is no `{FILE}` in the current folder, so it is not known which stack is meant.",
            subject=FILE,
            path=str(folder),
            hint="name it with `--stack NAME` or `--machine ARN`, or go to the folder that `sam deploy` is run in",
        ) from None
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise SolidstateError(
            f"`{FILE}` cannot be read: {error}.", subject=FILE, path=str(path), hint="correct the file"
        ) from error
    known = [name for name, table in document.items() if isinstance(table, dict)]
    if environment not in known:
        near = closest(environment, known)
        raise SolidstateError(
            f"`{FILE}` has no environment `{environment}`.",
            subject=environment,
            path=str(path),
            hint=f"did you mean `{near}`?" if near else f"environments: {name_list(known) or 'none'}",
        )
    found: dict[str, Any] = {}
    for command in _COMMANDS:
        found.update(_parameters(document[environment], command))
    try:
        return msgspec.convert(found, SamSettings)
    except msgspec.ValidationError as error:
        missing = "stack_name" not in found
        problem = "names no stack" if missing else f"cannot be understood: {error}"
        raise SolidstateError(
            f"The environment `{environment}` of `{FILE}` {problem}.",
            subject=environment,
            path=str(path),
            hint="deploy with `sam deploy --guided`, which writes it, or name the stack with `--stack NAME`",
        ) from error


def _parameters(environment: Any, command: str) -> dict[str, Any]:
    table = environment.get(command) if isinstance(environment, dict) else None
    parameters = table.get("parameters") if isinstance(table, dict) else None
    return parameters if isinstance(parameters, dict) else {}
