"""YAML as a run request may use it: plain data, nothing written twice, no surprises.

Plain scalars are read by the core schema of YAML 1.2, not by the rules of 1.1: ``no`` and ``12:30`` are text, ``010``
is ten. Aliases and tags are refused: Step Functions, which takes the same request as JSON, knows neither, and a few
nested aliases can stand for gigabytes.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from solidstate.cli.document_errors import DocumentError, line_hint, repeated
from solidstate.cli.places import Places

_CORE_SCHEMA: tuple[tuple[str, str, list[str]], ...] = (
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
)
"""Plain scalars by YAML 1.2, section 10.3.2; the last field is what one may begin with."""


class _Repeated(yaml.YAMLError):
    def __init__(self, key: object, mark: Any) -> None:
        super().__init__(key)
        self.key = key
        self.mark = mark


class _PlainLoader(yaml.SafeLoader):
    yaml_implicit_resolvers: Any = {}  # noqa: RUF012 - PyYAML keeps its rules on the class

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it untyped
            problem = f"the alias `*{event.anchor}` is not allowed"
            raise yaml.constructor.ConstructorError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            try:
                again = key in seen
                seen.add(key)
            except TypeError:
                continue  # not hashable: the loader itself refuses it, with its place
            if again:
                raise _Repeated(key, key_node.start_mark)
        return super().construct_mapping(node, deep)


def _whole(_loader: Any, node: Any) -> int:
    text: str = node.value
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


for _name, _pattern, _first in _CORE_SCHEMA:
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(rf"(?:{_pattern})\Z"), _first)
_PlainLoader.yaml_constructors = {
    tag: constructor
    for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in ("null", "bool", "float", "str", "seq", "map")
}
_PlainLoader.add_constructor("tag:yaml.org,2002:int", _whole)
# Its own, since whoever adds one to SafeLoader (moto does, for any tag at all) adds it to every loader made from it.
_PlainLoader.yaml_multi_constructors = {}


def parse_yaml(text: str, label: str) -> Any:
    """The one document in ``text``, None when it is empty. Raises DocumentError with line and column."""
    try:
        return yaml.load(text, _PlainLoader)  # noqa: S506 - the loader is a SafeLoader with more refusals
    except _Repeated as error:
        raise repeated(label, error.key, _place(label, error.mark)) from error
    except yaml.YAMLError as error:
        raise _refusal(error, label, text) from error
    except RecursionError as error:
        raise DocumentError(f"`{label}` is nested too deeply.", subject=label, hint="flatten it") from error
    except (ValueError, KeyError) as error:  # a number of thousands of digits, or `!!bool` before what is none
        raise DocumentError(
            f"`{label}` holds a value that cannot be read: {error}.", subject=label, hint="quote it"
        ) from error


def yaml_places(text: str) -> Places:
    """Of a document that :func:`parse_yaml` has read."""
    root = yaml.compose(text, _PlainLoader)
    places: Places = {}

    def note(node: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*path, str(key.value))
                places[inner] = _mark(key), _mark(value)
                note(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                places[*path, number] = _mark(value), _mark(value)
                note(value, (*path, number))

    note(root, ())
    return places


def _mark(node: Any) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _place(label: str, mark: Any) -> str:
    return f"{label}:{mark.line + 1}:{mark.column + 1}" if mark is not None else ""


def _refusal(error: Any, label: str, text: str) -> DocumentError:
    if isinstance(error, yaml.reader.ReaderError):
        return DocumentError(
            f"`{label}` is not valid YAML: it holds the character {chr(int(error.character))!r}.",
            subject=label,
            hint="remove it, or write it as an escape in double quotes",
        )
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    tag = re.match(r"could not determine a constructor for the tag '(?:tag:yaml.org,2002:)?([^']*)'", problem)
    if tag:
        problem = f"the tag `{tag[1]}` is not allowed"
    context = getattr(error, "context", None)
    return DocumentError(
        f"`{label}` is not valid YAML: {f'{context}, {problem}' if context and not tag else problem}.",
        subject=label,
        path=_place(label, mark),
        hint=line_hint(text, mark.line + 1) if mark is not None else "",
    )
