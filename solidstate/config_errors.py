"""What can be wrong with a run request, one error at a time: why, where, what was given, what was expected, a way out.

Names in a request are whatever somebody typed, so paths and examples are bounded and printable before they are shown.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from solidstate.config import Schema, describe, example_of
from solidstate.errors import SolidstateError, closest, name_list, shown
from solidstate.hiding import Hidden, masked

Path = tuple[str | int, ...]
LONGEST_EXAMPLE = 1_000
LARGEST_QUOTED = 10**18
_PLAIN_KEY = re.compile(r"[\w-]{1,80}", re.ASCII)
Reason = Literal["mismatch", "missing", "unknown", "constraint", "choice", "selector", "secret"]


class ConfigError(SolidstateError):
    """One thing wrong with a run request, as data: why, where, what was given, what was expected, a way out."""

    def __init__(
        self,
        reason: Reason,
        path: Path,
        problem: str,
        *,
        given: Any = msgspec.UNSET,
        expected: str = "",
        suggestion: str | None = None,
        example: Any = msgspec.UNSET,
        hint: str = "",
    ) -> None:
        super().__init__(problem, subject=path_text(path), path=path_text(path), hint=hint)
        self.place: tuple[int, int] | None = None  # line and column, noted by whoever read the request from a file
        self.reason: Reason = reason
        self.steps = path
        self.given = given
        self.expected = expected
        self.suggestion = suggestion
        self.example = example


def path_text(path: Path) -> str:
    """``solids.read.config.names[1]``; a key that is no plain name is quoted: ``tags['cost center']``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{shown(step, 40)}]"
    return text


def nested(path: Path, value: Any) -> Any:
    """The value inside the mappings and lists its path spells."""
    for step in reversed(path):
        value = [value] if isinstance(step, int) else {step: value}
    return value


def pasteable(path: Path, value: Any) -> str:
    """JSON that is also YAML, ready to paste into a run request; empty when it would be too long to show."""
    text = msgspec.json.encode(nested(path, value), enc_hook=str).decode()
    if len(text) > LONGEST_EXAMPLE:
        return ""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def mismatch(path: Path, value: Any, expected: str, hint: str = "") -> ConfigError:
    return ConfigError(
        "mismatch",
        path,
        f"Expected `{expected}`, got {shown(value)} of type `{_kind(value)}`.",
        given=value,
        expected=expected,
        hint=hint,
    )


def misfit(schema: Schema, value: Any, path: Path) -> ConfigError:
    """A mismatch with a value that would fit."""
    return mismatch(path, masked(schema, value), describe(schema), example_hint(schema))


def without_echo(error: ConfigError) -> ConfigError:
    """The error of a pipeline that has secrets somewhere: what stands in a wrong place of its request is not repeated,
    since it may hold one of them."""
    if error.given is msgspec.UNSET or isinstance(error.given, Hidden):
        return error
    container = isinstance(error.given, (Mapping, list, tuple, set, frozenset))
    if error.reason == "mismatch" and (container or error.expected == "a mapping"):
        return mismatch(error.steps, Hidden(error.given), error.expected, error.hint)
    if error.reason == "unknown" and error.steps and str(error.given) != error.steps[-1]:
        error.given = Hidden(error.given)
    return error


def example_hint(schema: Schema) -> str:
    text = pasteable((), example_of(schema))
    return f"for example `{text}`" if text else "look it up with `solidstate config schema`"


def quoted(value: Any) -> str:
    """How to make text of a value that YAML read as something else; empty when quotes would not help."""
    if value is None or isinstance(value, (Mapping, list, tuple, set)):
        return ""
    if isinstance(value, int) and abs(value) > LARGEST_QUOTED:  # Python refuses to write very long numbers
        return ""
    scalar = isinstance(value, (bool, int, float, datetime.date, datetime.time))
    return f"quote it: `{shown(str(value))}`" if scalar else ""


def unknown(path: Path, key: Any, known: list[str]) -> ConfigError:
    near = closest(str(key), known)
    if near:
        hint = f"did you mean `{near}`?"
    else:
        hint = f"known here: {name_list(known)}" if known else "nothing can be set here; remove it"
    return ConfigError(
        "unknown", (*path, str(key)), f"Unknown field {shown(str(key))}.", given=key, suggestion=near, hint=hint
    )


def missing(path: Path, schema: Schema) -> ConfigError:
    example = example_of(schema)
    return ConfigError(
        "missing",
        path,
        f"Missing required field `{path_text(path[-1:])}` of type `{describe(schema)}`.",
        expected=describe(schema),
        example=example,
        hint=f"add it, for example `{text}`" if (text := pasteable(path, example)) else "add it",
    )


def _kind(value: Any) -> str:
    if isinstance(value, Hidden):
        return value.kind
    return "None" if value is None else type(value).__name__
