"""Scaffold and JSON Schema of Selectors, secrets and composites: pasteable, and of one mind with `config check`."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no stubs

from solidstate import composite_solid, pipeline, solid
from solidstate.cli.request_schema import request_schema
from solidstate.cli.scaffold import document_of, request_entries, yaml_of
from solidstate.errors import RequestErrors
from solidstate.request import resolve_request
from tests.author.choices import choices, strict
from tests.author.test_choice_errors import CASES, loading

MINIMAL = """\
# title
solids:
  load:
    config:  # {source, token, backup?, fallback?, more?, extra?}
      source:  # {csv} | {database} | {empty}: Where rows come from.
        csv:  # {path, comma?}: Text, one line a row.
          path: "..."  # str
      token: {"env": "NAME_OF_VARIABLE"}  # {env} | {ssm} | {secretsmanager}
"""

FULL = """\
      source:  # {csv} | {database} | {empty}: Where rows come from.
        csv:  # {path, comma?}: Text, one line a row.
          path: "..."  # str
          # comma: ","  # str of at least 1 characters of at most 1 characters: Between columns.
        # database: {"host": "...", "password": {"env": "NAME_OF_VARIABLE"}}  # {host, password}
        # empty: 0  # int
      token: {"env": "NAME_OF_VARIABLE"}  # {env} | {ssm} | {secretsmanager}
      # backup: null  # {env} | {ssm} | {secretsmanager} | None
      # fallback: null  # {csv} | {database} | {empty} | None: Where rows come from.
      # more: {}  # dict[str, {env} | {ssm} | {secretsmanager}]
      # extra: {}  # dict[str, Any]
"""


def scaffold(*, full: bool) -> str:
    return yaml_of(request_entries(strict, strict.modes[0]), ["title"], full=full)


def test_the_minimal_scaffold_makes_a_choice() -> None:
    """The first field of a Selector, and a reference for a secret."""
    text = scaffold(full=False)
    assert (
        text.replace("    config:\n", "    config:  # {source, token, backup?, fallback?, more?, extra?}\n") == MINIMAL
    )
    resolve_request(strict, yaml.safe_load(text))


def test_the_full_scaffold_shows_the_other_choices_commented_out() -> None:
    """With defaults, types and descriptions; as it stands it is valid, as YAML and as JSON."""
    text = scaffold(full=True)
    assert FULL in text
    resolve_request(strict, yaml.safe_load(text))
    resolve_request(strict, document_of(request_entries(strict, strict.modes[0]), full=True))


def test_each_commented_line_can_be_taken_in() -> None:
    """Every optional field of the config, uncommented alone, keeps the document valid, unless it is another choice."""
    lines = scaffold(full=True).splitlines()
    begin = lines.index("    config:")
    taken = 0
    for number in range(begin + 1, len(lines)):
        line = lines[number]
        if line.startswith("      # ") and "null" not in line:
            text = "\n".join([*lines[:number], line.replace("# ", "", 1), *lines[number + 1 :]])
            resolve_request(strict, yaml.safe_load(text))
            taken += 1
    assert taken >= 2


VALIDATOR = Draft202012Validator(request_schema(strict))

VALID: list[Any] = [
    loading(),
    loading(source={"empty": 3}),
    loading(source={"database": {"host": "h", "password": {"secretsmanager": "id", "key": "k"}}}),
    loading(token={"ssm": "/a"}, backup=None, more={"a": {"env": "A"}}, extra={"x": [1, {"y": None}]}),
    loading() | {"steps": "tag:owner=ops", "tags": {"a": "b"}},
]


@pytest.mark.parametrize("document", VALID, ids=lambda document: json.dumps(document)[:60])
def test_the_schema_accepts_what_is_valid(document: Any) -> None:
    """As `config check` does."""
    resolve_request(strict, document)
    VALIDATOR.validate(document)


NOT_BY_SCHEMA = {"nothing", "a preset and another choice", "a section that is a list"}


@pytest.mark.parametrize("name", [name for name in CASES if name not in NOT_BY_SCHEMA])
def test_the_schema_refuses_what_is_malformed(name: str) -> None:
    """Whatever `config check` refuses inside a config, an editor marks too."""
    with pytest.raises(RequestErrors):
        resolve_request(strict, CASES[name])
    assert not VALIDATOR.is_valid(CASES[name])


def test_schemas_are_valid_schemas() -> None:
    """By the dialect they name."""
    for one in (choices, strict, nested):
        Draft202012Validator.check_schema(request_schema(one))


class Inner(msgspec.Struct):
    """What the inner solid needs."""

    limit: int


class Outer(msgspec.Struct):
    both: int


@solid
def inner(config: Inner, factor: int) -> int:
    """An inner solid."""
    return config.limit * factor


@composite_solid
def plain() -> Any:
    return inner()


@composite_solid(config=Outer, config_fn=lambda config: {"inner": {"config": {"limit": config.both}}})
def mapped() -> Any:
    return inner()


@pipeline
def nested() -> None:
    plain()
    mapped()


NESTED: dict[str, Any] = {
    "solids": {
        "plain": {"solids": {"inner": {"config": {"limit": 0}, "inputs": {"factor": 0}}}},
        "mapped": {"config": {"both": 0}, "solids": {"inner": {"inputs": {"factor": 0}}}},
    }
}


def test_composites_nest_in_the_scaffold() -> None:
    """Config that a `config_fn` makes is not asked for; inputs are."""
    entries = request_entries(nested, nested.modes[0])
    assert document_of(entries, full=False) == NESTED
    assert yaml.safe_load(yaml_of(entries, ["title"], full=False)) == NESTED
    resolve_request(nested, NESTED)


def test_composites_nest_in_the_schema() -> None:
    """As they do in a request."""
    validator = Draft202012Validator(request_schema(nested))
    validator.validate(NESTED)
    masked: dict[str, Any] = copy.deepcopy(NESTED)
    masked["solids"]["mapped"]["solids"]["inner"]["config"] = {"limit": 1}
    assert not validator.is_valid(masked)
    assert not validator.is_valid({"solids": {"plain.inner": {}}})


def test_the_schema_of_a_project_is_a_file_for_editors(tmp_path: Path) -> None:
    """Plain JSON, without references that lead out of it."""
    text = json.dumps(request_schema(choices))
    assert '"$ref": "#/$defs/' in text
    assert text.count('"$ref"') == text.count('"$ref": "#/$defs/')
