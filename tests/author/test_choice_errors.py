"""Selectors and secrets in a run request: what is refused in which words, what is accepted, how presets give way."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import inspect as inspection

from solidstate import Secret, Selector, SolidstateError, pipeline, pipeline_from_dependencies, solid
from solidstate.errors import DefinitionError, RequestErrors
from solidstate.request import resolve_request
from tests.author.choices import Load, Source, choices, strict
from tests.author.golden_texts import compare


def loading(**config: Any) -> dict[str, Any]:
    right = {"source": {"csv": {"path": "a"}}, "token": {"env": "TOKEN"}}
    return {"solids": {"load": {"config": right | config}}}


CASES: dict[str, Any] = {
    "nothing": {},
    "two of a selector": loading(source={"csv": {"path": "a"}, "database": {"host": "h"}}),
    "three of a selector": loading(source={"csv": {}, "database": {}, "empty": 1}),
    "none of a selector": loading(source={}),
    "a selector that is text": loading(source="csv"),
    "a selector that is a list": loading(source=["csv"]),
    "a selector that is null": loading(source=None),
    "an unknown choice": loading(source={"cvs": {"path": "a"}}),
    "an unknown choice beside a known one": loading(source={"cvs": {}, "csv": {"path": "a"}}),
    "a choice without its config": loading(source={"csv": None}),
    "inside a choice": loading(source={"csv": {"path": 1, "coma": ";"}}),
    "what a choice needs": loading(source={"database": {}}),
    "a scalar choice": loading(source={"empty": "no"}),
    "an optional selector": loading(fallback={"csv": {"path": "a"}, "empty": 1}),
    "a literal": loading(token="hunter2"),
    "a literal that is a number": loading(token=12345),
    "a literal in a list": loading(token=["hunter2"]),
    "a literal under a made-up key": loading(token={"value": "hunter2"}),
    "a null secret": loading(token=None),
    "two references": loading(token={"env": "A", "ssm": "/a"}),
    "a key without its secret": loading(token={"env": "A", "key": "b"}),
    "no reference": loading(token={}),
    "a key alone": loading(token={"key": "b"}),
    "a variable that is no name": loading(token={"env": "hunter 2"}),
    "a parameter that is a number": loading(token={"ssm": 2}),
    "an optional secret": loading(backup="hunter2"),
    "secrets in a mapping": loading(more={"a": "hunter2", "b": {"env": "B"}, "c": 1}),
    "a mapping of secrets that is a list": loading(more=["hunter2"]),
    "a secret inside a choice": loading(source={"database": {"host": "h", "password": "hunter2"}}),
    "a secret under a misspelt name": loading(source={"database": {"host": "h", "pasword": "hunter2"}}),
    "a mapping with a secret where text belongs": loading(source={"csv": {"path": {"token": "hunter2"}}}),
    "config that is a secret": {"solids": {"load": {"config": "hunter2"}}},
    "a section that is a list": {"solids": [{"load": {"config": {"token": "hunter2"}}}]},
    "a secret of a resource": loading() | {"resources": {"account": {"config": {"secret": "hunter2"}}}},
    "a preset and another choice": {"preset": "csv", "solids": {"load": {"config": {"source": {"empty": "x"}}}}},
}


def text_of(document: Any) -> str:
    with pytest.raises(RequestErrors) as caught:
        resolve_request(choices, document)
    return str(caught.value)


def test_every_text_is_the_golden_one() -> None:
    """Each document is refused with a text that is on file as a whole."""
    compare("choices", {name: text_of(document) for name, document in CASES.items()})


@pytest.mark.parametrize("name", CASES)
def test_no_literal_is_repeated(name: str) -> None:
    """Neither the text nor the data of an error has what stands where a secret belongs."""
    with pytest.raises(RequestErrors) as caught:
        resolve_request(choices, CASES[name])
    assert "hunter" not in str(caught.value)
    assert "hunter" not in "".join(repr(vars(error)) for error in caught.value.items)


def config_of(document: dict[str, Any]) -> Load:
    return msgspec.convert(resolve_request(choices, document).solids["load"]["config"], Load)


def test_what_is_right_arrives_typed() -> None:
    """The one choice, references, and a mapping of anything."""
    config = config_of(loading(source={"empty": 0}, more={"a": {"secretsmanager": "id", "key": "k"}}, extra={"x": [1]}))
    assert config.source.selected == ("empty", 0)
    assert config.token == Secret(env="TOKEN")
    assert config.more["a"].reference == "secretsmanager: id, key: k"
    assert config.extra == {"x": [1]}


def test_a_request_chooses_in_place_of_its_preset() -> None:
    """Another choice replaces the preset's; the same one is laid over it, field by field."""
    other = config_of(
        {"preset": "csv", "solids": {"load": {"config": {"source": {"empty": 1}, "token": {"ssm": "/t"}}}}}
    )
    assert (other.source.selected, other.token) == (("empty", 1), Secret(ssm="/t"))
    same = config_of({"preset": "csv", "solids": {"load": {"config": {"source": {"csv": {"path": "b"}}}}}})
    assert same.source.csv is not None
    assert (same.source.csv.path, same.source.csv.comma) == ("b", ";")


def test_selectors_are_checked_in_code_too() -> None:
    """What one writes in Python is held to the same rule."""

    class Pick(Selector):
        a: int | None = None
        b: int | None = None

    assert Pick(b=2).selected == ("b", 2)
    for given in ({}, {"a": 1, "b": 2}):
        with pytest.raises(SolidstateError, match="Expected exactly one of `a`, `b`, got"):
            Pick(**given)


class Wrong(Selector):
    a: int = 3


class Needs(msgspec.Struct):
    wrong: Wrong


def test_a_selector_with_a_default_is_refused_where_it_is_used() -> None:
    """A field that is always there could never be the one that is not given."""
    with pytest.raises(DefinitionError) as caught:

        @solid
        def pick(config: Needs) -> None: ...

    assert caught.value.problem == (
        "The config type `Needs` of solid `pick` cannot be written in a run request: each field of the selector "
        "`Wrong` must be `X | None = None`, but the field `a` is not."
    )


def test_a_secret_is_its_reference_wherever_it_is_written() -> None:
    """In a recorded request, in its repr, and as a default."""
    request = resolve_request(strict, loading())
    assert request.solids["load"]["config"]["token"] == {"env": "TOKEN"}
    assert repr(Secret(ssm="/a")) == "Secret(ssm: /a)"
    assert msgspec.to_builtins(Secret(secretsmanager="id", key="k")) == {"secretsmanager": "id", "key": "k"}


class Own(msgspec.Struct):
    limit: int
    source: Source


def test_types_are_looked_into_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many steps share a solid, and however many requests are validated."""
    asked: list[Any] = []
    type_info = inspection.type_info

    def counted(annotation: Any) -> Any:
        asked.append(annotation)
        return type_info(annotation)

    @solid
    def one(config: Own, x: int) -> int:
        return x

    monkeypatch.setattr(inspection, "type_info", counted)
    many = pipeline_from_dependencies("many", [one.alias(f"s{number}") for number in range(100)], {})
    entry = {"config": {"limit": 1, "source": {"empty": 2}}, "inputs": {"x": 1}}
    for _ in range(3):
        resolve_request(many, {"solids": {f"s{number}": entry for number in range(100)}})
    assert asked.count(Own) <= 1
    assert len(asked) <= 3


def test_secrets_can_be_inputs() -> None:
    """An input of type Secret is given in config like a field."""

    @solid
    def use(token: Secret) -> str:
        return token.reference

    @pipeline
    def uses() -> None:
        use()

    request = {"solids": {"use": {"inputs": {"token": {"env": "TOKEN"}}}}}
    assert resolve_request(uses, request).solids == request["solids"]
    with pytest.raises(RequestErrors, match="Expected a reference to a secret"):
        resolve_request(uses, {"solids": {"use": {"inputs": {"token": "hunter2"}}}})
