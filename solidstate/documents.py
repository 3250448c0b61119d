"""A run request as a document: bounded, writable as JSON, laid over its preset. What is in it is judged elsewhere.

Everything after this may walk a document by recursion and write it down, because here it is refused when it is too
deep, too large, or contains itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from solidstate.config_errors import ConfigError
from solidstate.errors import short, shown

MAX_REQUEST_BYTES = 256 * 1024
"""Step Functions' limit on an execution's input; held everywhere, so that what runs locally can be started there."""

_LEAVES = frozenset({str, int, float, bool, type(None)})

MAX_DEPTH = 64
"""Mappings and lists within each other; no config people write comes near it."""


def document_problem(document: Any) -> ConfigError | None:
    """Why a document cannot be a run request, whatever it says; None when it can."""
    problem = _unbounded(document)
    if problem is not None:
        return problem
    try:
        size = len(msgspec.json.encode(plain(document)))
    except Exception as error:  # noqa: BLE001 - writing calls the user's own properties and paths, so anything can come out
        return ConfigError(
            "mismatch",
            (),
            f"The run request cannot be written as JSON: {short(str(error), 200)}.",
            hint="use text, numbers, booleans, dates, lists and mappings with text as keys",
        )
    return _too_large(f"{size} bytes") if size > MAX_REQUEST_BYTES else None


def _unbounded(document: Any) -> ConfigError | None:
    """Stops at the limits, so that a YAML document of aliases to aliases, or one that contains itself, costs little."""
    todo: list[tuple[Any, int]] = [(document, 1)]
    seen = 1
    while todo:
        value, depth = todo.pop()
        if not isinstance(value, (dict, list, tuple, set, frozenset, Mapping)) or not value:
            continue
        if depth == MAX_DEPTH:
            problem = f"The run request is more than {MAX_DEPTH} levels deep, or contains itself."
            return ConfigError("constraint", (), problem, hint="flatten it, or remove the alias to an outer part")
        seen += len(value)
        if seen > MAX_REQUEST_BYTES:
            return _too_large(f"more than {MAX_REQUEST_BYTES} values")
        inner = value.values() if isinstance(value, (dict, Mapping)) else value
        todo.extend([(one, depth + 1) for one in inner if type(one) not in _LEAVES])
    return None


def _too_large(found: str) -> ConfigError:
    return ConfigError(
        "constraint",
        (),
        f"The run request has {found}; Step Functions takes at most {MAX_REQUEST_BYTES} bytes.",
        hint="put large values in S3 and pass their address",
    )


def plain(value: Any) -> Any:
    """JSON data: what YAML made into dates becomes text again. Raises TypeError for what JSON has no form for."""
    return _lists(msgspec.to_builtins(value, str_keys=True, enc_hook=_form))


def _lists(value: Any) -> Any:
    """JSON knows no tuples; what is compared and stored must not either."""
    if isinstance(value, dict):
        return {key: _lists(one) for key, one in value.items()}
    return [_lists(one) for one in value] if isinstance(value, (list, tuple)) else value


def _form(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{shown(value)} is of type `{type(value).__name__}`")


def merge(below: Any, above: Any) -> Any:
    """``above`` laid over ``below``, mapping by mapping; anything else is replaced whole."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return {
            key: merge(below[key], above[key]) if key in below and key in above else above.get(key, below.get(key))
            for key in [*below, *(k for k in above if k not in below)]
        }
    return above


def written(document: Mapping[str, Any]) -> dict[str, Any]:
    """The sections that say something: in YAML a heading without anything below it is null; it hides no preset's."""
    return {key: value for key, value in document.items() if value is not None}
