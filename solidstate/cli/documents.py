"""Run requests as people write them: a YAML or JSON file, standard input, and ``--set`` on the command line.

Keys that stand twice are refused, whichever the format: one of the two would silently win.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from solidstate.cli.document_errors import DocumentError, line_hint, repeated
from solidstate.cli.places import Places, json_places, locate
from solidstate.documents import MAX_DEPTH
from solidstate.errors import RequestErrors, short

MAX_BYTES = 256 * 1024
"""Step Functions' limit on an execution's input; a larger document could not be started there."""
STDIN = "-"
STDIN_LABEL = "standard input"


class Source(msgspec.Struct, frozen=True):
    """The text of a document, and how it reads. ``label`` is what it is called in errors."""

    label: str
    text: str
    as_json: bool

    def parse(self) -> Any:
        """What it holds; an empty document is an empty mapping. Whether it is a mapping at all is judged with the rest
        of the request, in the same words as everywhere. Raises DocumentError."""
        value = _parse_json(self.text, self.label) if self.as_json else _parse_yaml(self.text, self.label)
        return {} if value is None else value

    @contextmanager
    def blamed(self, assignments: Iterable[str] = ()) -> Generator[None]:
        """Errors of the request that leave the body say where in this document they are. ``assignments`` are those laid
        over it."""
        try:
            yield
        except RequestErrors as errors:
            over = [tuple(text.partition("=")[0].strip().split(".")) for text in assignments]
            locate(errors, self._places(), over)
            raise

    def _places(self) -> Places:
        if self.label == STDIN_LABEL and "\n" not in self.text.strip():
            return {}  # one line that was piped in: its errors read as those of the same input in the console
        if self.as_json:
            return json_places(self.text) if self.text.strip() else {}
        from solidstate.cli.yaml_documents import yaml_places  # only for who writes YAML

        return yaml_places(self.text)


def read_source(name: str) -> Source:
    """A file, or standard input for ``-``. ``.json`` is JSON; anything else is YAML, unless it is JSON all the same.
    Raises DocumentError."""
    text = _text(name)
    as_json = Path(name).suffix.lower() == ".json" or _is_json(text)
    return Source(STDIN_LABEL if name == STDIN else name, text, as_json)


def read_document(name: str) -> Any:
    """What is in a file, or on standard input for ``-``. Raises DocumentError."""
    return read_source(name).parse()


def overlay(document: Mapping[str, Any], assignments: Iterable[str]) -> dict[str, Any]:
    """``document`` with each ``a.b.c=VALUE`` laid over it. VALUE is JSON where it can be read as JSON, else text;
    what begins like a mapping or list and is no JSON is refused. Raises DocumentError."""
    result = dict(document)
    for text in assignments:
        path, equals, value = text.partition("=")
        keys = path.strip().split(".")
        if not equals or not all(keys):
            raise DocumentError(
                f"`--set {text}` is not an assignment.",
                subject="--set",
                hint="write `--set solids.STEP.config.FIELD=VALUE`",
            )
        if len(keys) > MAX_DEPTH:
            raise DocumentError(
                f"`--set {short(path)}=...` leads {len(keys):,} levels down; a run request has at most {MAX_DEPTH}.",
                subject="--set",
                hint="write `--set solids.STEP.config.FIELD=VALUE`",
            )
        result = _assign(result, keys, _value(value, path), text)
    return result


def tags_from(assignments: Iterable[str]) -> dict[str, str]:
    """``key=value`` of each ``--tag``; values are always text."""
    tags: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise DocumentError(f"`--tag {text}` is not a tag.", subject="--tag", hint="write `--tag owner=ops`")
        tags[key.strip()] = value
    return tags


def _assign(below: Any, keys: list[str], value: Any, text: str, done: str = "") -> Any:
    if not keys:
        return value
    if below is not None and not isinstance(below, Mapping):
        raise DocumentError(
            f"`--set {text.partition('=')[0]}=...` cannot be applied: `{done}` is a `{type(below).__name__}`, which "
            "has no fields.",
            subject="--set",
            hint=f"set `{done}` as a whole, or correct the path",
        )
    here = f"{done}.{keys[0]}" if done else keys[0]
    inner = (below or {}).get(keys[0])
    return {**(below or {}), keys[0]: _assign(inner, keys[1:], value, text, here)}


def _value(text: str, path: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        if not text.lstrip().startswith(("{", "[")):
            return text
        raise DocumentError(
            f"`--set {path}={short(text)}`: VALUE is JSON, or text; this begins like JSON and is none.",
            subject="--set",
            hint="write keys and texts in double quotes, as in `'{\"a\": 1}'`; a text as a whole, as in `'\"[a-z]\"'`",
        ) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"`{name}` is not JSON")


def _text(name: str) -> str:
    try:
        if name == STDIN:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise DocumentError(
            f"There is no file `{name}`.", subject=name, hint="check the path; it is relative to the current directory"
        ) from None
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise DocumentError(
            f"`{name}` cannot be read: {problem}.", subject=name, hint="pass the path of a readable file"
        ) from error
    if len(data) > MAX_BYTES:
        raise DocumentError(
            f"`{name}` is larger than {MAX_BYTES:,} bytes, the most a run request may have.",
            subject=name,
            hint="put large values in S3 and pass their address",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"`{name}` is not UTF-8 text: byte {error.start} is {data[error.start]:#04x}.",
            subject=name,
            hint="save it as UTF-8",
        ) from error


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


class _Repeated(ValueError):
    """A key stands twice in one mapping."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _Repeated(key)
        result[key] = value
    return result


def _parse_json(text: str, label: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"`{label}` is not valid JSON: {error.msg}.",
            subject=label,
            path=f"{label}:{error.lineno}:{error.colno}",
            hint=line_hint(text, error.lineno),
        ) from error
    except _Repeated as error:
        raise repeated(label, error.args[0], "") from error
    except RecursionError as error:
        raise DocumentError(f"`{label}` is nested too deeply.", subject=label, hint="flatten it") from error
    except ValueError as error:  # NaN, Infinity, or a number of thousands of digits
        raise DocumentError(
            f"`{label}` holds a value that JSON cannot: {error}.", subject=label, hint="remove it"
        ) from error


def _parse_yaml(text: str, label: str) -> Any:
    try:
        from solidstate.cli.yaml_documents import parse_yaml  # only for who writes YAML
    except ModuleNotFoundError as error:
        raise DocumentError(
            "Reading YAML needs PyYAML, which is not installed.",
            subject=label,
            hint="`pip install 'solidstate[local]'`, or write the document as JSON",
        ) from error
    return parse_yaml(text, label)
