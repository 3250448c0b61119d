"""What rules find in a template, and how they look into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

Resources = Mapping[str, Mapping[str, Any]]


class Finding(msgspec.Struct, frozen=True):
    """A resource of the template, what is wrong with it (as the rest of a sentence), and a way to repair it."""

    resource: str
    problem: str
    hint: str

    def __str__(self) -> str:
        return f"`{self.resource}` {self.problem}.\n  fix: {self.hint}"


def of_type(resources: Resources, *types: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Names and properties of the resources of these types."""
    for name, resource in resources.items():
        if isinstance(resource, Mapping) and resource.get("Type") in types:
            yield name, properties(resource)


def properties(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    found = resource.get("Properties")
    return found if isinstance(found, Mapping) else {}


def items(value: Any) -> list[Any]:
    """What may be one thing or a list of things, with what an ``!If`` chooses between."""
    found: list[Any] = []
    for one in value if isinstance(value, list) else [] if value is None else [value]:
        if isinstance(one, Mapping) and "Fn::If" in one:
            found += [inner for choice in one["Fn::If"][1:] for inner in items(choice)]
        else:
            found.append(one)
    return found


def texts_in(value: Any) -> list[str]:
    """All texts in a value, keys left out: of ``{"Fn::Sub": "${Data.Arn}/*"}`` the one."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for one in inner for text in texts_in(one)]
