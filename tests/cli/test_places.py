"""Errors of a request that came from a file say where in the file to look."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from solidstate.cli.places import Places, json_places
from solidstate.cli.yaml_documents import parse_yaml, yaml_places
from tests.cli.project import Project

KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def every(value: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    """All parts of a document by path."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = {(*path, step): inner for step, inner in pairs}
    return {**found, **{key: part for step, inner in found.items() for key, part in every(inner, step).items()}}


def check(text: str, document: Any, places: Places) -> None:
    lines = text.split("\n")
    assert places.keys() == every(document).keys()
    for path, value in every(document).items():
        line, column = places[path][1]
        begins = json.JSONDecoder().raw_decode("\n".join([lines[line - 1][column - 1 :], *lines[line:]]))[0]
        assert begins == value
        line, column = places[path][0]
        if isinstance(path[-1], str):
            assert lines[line - 1][column - 1 :].startswith(json.dumps(path[-1], ensure_ascii=False))


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from([None, 0, 2]))
def test_each_part_of_a_json_document_is_found(document: dict[str, Any], indent: int | None) -> None:
    """What stands at the place of a path is its value, and its key stands at the key's."""
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    check(text, document, json_places(text))


YAML = """\
mode: local
solids:
  read:
    config: {path: 3, names: [a, 5]}
    inputs:
      - x
      -
        deep: [1]
"""


def test_each_part_of_a_yaml_document_is_found() -> None:
    """Block and flow style, mappings and lists."""
    places = yaml_places(YAML)
    assert places.keys() == every(parse_yaml(YAML, "r.yaml")).keys()
    assert places["solids", "read", "config"] == ((4, 5), (4, 13))
    assert places["solids", "read", "config", "names", 1] == ((4, 34), (4, 34))
    assert places["solids", "read", "inputs", 1, "deep"] == ((8, 9), (8, 15))


REQUEST = """\
# a comment
mode: prd
colour: red
solids:
  read:
    config:
      limit: "5"
      limt: 5
  split:
    inputs: {threshold: x}
"""

SAID = """\
error: Run request for pipeline `words`: 6 errors
  1. Unknown field 'colour'.
    at: colour (line 3, column 1)
    fix: known here: `mode`, `preset`, `solids`, `resources`, `tags`, `steps`, `from_run`
  2. There is no mode 'prd'.
    at: mode (line 2, column 7)
    fix: did you mean `prod`?
  3. Expected `int | None`, got '5' of type `str`.
    at: solids.read.config.limit (line 7, column 14)
    fix: for example `0`
  4. Unknown field 'limt'.
    at: solids.read.config.limt (line 8, column 7)
    fix: did you mean `limit`?
  5. Missing required field `path` of type `str`.
    at: solids.read.config.path (line 6, column 5)
    fix: add it, for example `{"solids":{"read":{"config":{"path":"..."}}}}`
  6. Expected `int`, got 'x' of type `str`.
    at: solids.split.inputs.threshold (line 10, column 25)
    fix: for example `0`
"""


def test_config_check_and_run_tell_line_and_column(words: Project) -> None:
    """Wrong values where they begin, unknown keys where they stand, what is missing at the mapping that lacks it."""
    words.write("r.yaml", REQUEST)
    assert words.run("config", "check", "words.py", "r.yaml").err == SAID
    assert words.run("run", "words.py", "--config", "r.yaml").err == SAID


def test_what_the_command_line_set_has_no_place(words: Project) -> None:
    """The file is not to blame for what was laid over it."""
    words.write("r.yaml", "mode: local\nsolids: {read: {config: {path: a, limit: 3}}}\n")
    ran = words.run("run", "words.py", "--config", "r.yaml", "--set", "solids.read.config.limit=many")
    assert "  at: solids.read.config.limit\n" in ran.err


def test_programs_get_line_and_column_as_numbers(words: Project) -> None:
    """The path in the JSON document of an error stays a path."""
    words.write("r.json", '{\n  "mode": "prd"\n}')
    errors = words.run("config", "check", "words.py", "r.json", "--json").json()["error"]["errors"]
    assert [(one["path"], one["line"], one["column"]) for one in errors if one["path"] == "mode"] == [("mode", 2, 11)]
