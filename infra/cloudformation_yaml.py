"""Templates as data: YAML with CloudFormation's short forms (``!Ref x`` is ``{"Ref": "x"}``), and text that is none."""

from __future__ import annotations

from typing import Any

import yaml

from solidstate.errors import SolidstateError


class _Loader(yaml.SafeLoader):
    """Knows the short forms; refuses a key that stands twice in one mapping, of which CloudFormation would take one."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    text = str(node.value)
    return {name: text.split(".", 1) if suffix == "GetAtt" else text}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        name = loader.construct_object(key)
        if name in seen:
            raise yaml.constructor.ConstructorError(None, None, f"`{name}` stands twice in one mapping", key.start_mark)
        seen.add(name)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _short_form)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)  # versions of policies


def load_template(text: str, path: str) -> dict[str, Any]:
    """The document. Raises SolidstateError with line and column when the text is no template."""
    try:
        found = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else path
        raise SolidstateError(
            f"The template cannot be read: {error.problem}.", subject=path, path=place, hint="correct it there"
        ) from error
    except yaml.YAMLError as error:
        raise SolidstateError(f"The template cannot be read: {error}.", subject=path, hint="correct it") from error
    if not isinstance(found, dict):
        raise SolidstateError(
            f"`{path}` is no template: expected a mapping with `Resources`, found a {type(found).__name__}.",
            subject=path,
            hint="name another file with `-o`",
        )
    return found
