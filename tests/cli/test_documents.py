"""Run requests from files, standard input and the command line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from solidstate.cli.document_errors import DocumentError
from solidstate.cli.documents import MAX_BYTES, overlay, read_document, tags_from
from solidstate.cli.yaml_documents import parse_yaml
from tests.cli.project import Project

# YAML has no surrogate pairs, so escapes beyond the first plane mean something else there; and a key may not take more
# than 1,024 characters.
TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=40)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def documents(text: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Run requests of any content."""
    values = st.recursive(
        st.none() | st.booleans() | NUMBERS | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=8,
    )
    return st.dictionaries(text, values, max_size=4)


@given(documents(TEXT))
def test_json_is_yaml(document: dict[str, Any]) -> None:
    """What is JSON means the same when it is read as YAML, so that examples in JSON can be pasted into YAML."""
    assert parse_yaml(json.dumps(document), "r.yaml") == document


@given(documents(st.text()))
def test_json_in_a_file_of_any_name_is_json(tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]) -> None:
    """A whole document in JSON is read as such, whatever the file is called."""
    path = tmp_path_factory.getbasetemp() / "request.yaml"
    path.write_text(json.dumps(document))
    assert read_document(str(path)) == document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("NO", "NO"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("12:30:45", "12:30:45"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("2013-01-31", "2013-01-31"),
        ("true", True),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("<<", "<<"),
        ("=", "="),
    ],
)
def test_plain_scalars_are_read_by_the_core_schema(text: str, value: object) -> None:
    """No country becomes a boolean, no time of day a number: plain scalars mean what YAML 1.2 says."""
    assert parse_yaml(f"value: {text}", "r.yaml") == {"value": value}


@pytest.mark.parametrize(
    "text", ["!!binary aGk=", "!!set {a}", "!!timestamp 2013", "!!bool maybe", "!!int one", "!x 1"]
)
def test_tags_are_refused(text: str) -> None:
    """No tag makes anything but plain data, and a tag on what it does not fit is an error in words."""
    with pytest.raises(DocumentError):
        parse_yaml(f"value: {text}", "r.yaml")


@pytest.mark.parametrize("text", ["[" * 50_000, "{a: " * 50_000, "- " * 50_000])
def test_deep_nesting_is_an_error_in_words(text: str) -> None:
    """A document that is nothing but brackets is refused, not a crash."""
    with pytest.raises(DocumentError):
        parse_yaml(text, "r.yaml")


@pytest.mark.parametrize("name", ["r.yaml", "r.yml", "r.json", "r.txt", "request"])
def test_json_is_read_under_any_name(tmp_path: Path, name: str) -> None:
    """A file of another kind may hold either format."""
    (tmp_path / name).write_text('{"mode": "local"}')
    assert read_document(str(tmp_path / name)) == {"mode": "local"}


@pytest.mark.parametrize("text", ["", "  \n", "# nothing yet\n", "\ufeff"])
def test_an_empty_document_asks_for_nothing(tmp_path: Path, text: str) -> None:
    """A file without content is an empty run request."""
    (tmp_path / "r.yaml").write_text(text, encoding="utf-8")
    assert read_document(str(tmp_path / "r.yaml")) == {}


def test_standard_input_is_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """``-`` reads what is piped in, YAML or JSON."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"mode: local")))
    assert read_document("-") == {"mode": "local"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x" * (MAX_BYTES + 1), "`{}` is larger than 262,144 bytes, the most a run request may have."),
        (b"[" * 100_000, "`{}` is nested too deeply."),
        (b'{"a": ' + b"9" * 5_000 + b"}", "`{}` holds a value that JSON cannot: "),
    ],
)
def test_documents_are_bounded(tmp_path: Path, content: bytes, said: str) -> None:
    """Size, depth and numbers have limits, each with its own message."""
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as refused:
        read_document(str(path))
    assert refused.value.problem.startswith(said.format(path))


def test_assignments_lie_over_the_document() -> None:
    """``--set`` goes over the file, later ones over earlier ones, and leaves what it does not name."""
    document = {"solids": {"read": {"config": {"path": "a", "limit": 1}}}}
    over = overlay(document, ["solids.read.config.limit=2", "solids.read.config.limit=3", "mode=local"])
    assert over == {"solids": {"read": {"config": {"path": "a", "limit": 3}}}, "mode": "local"}
    assert document["solids"]["read"]["config"]["limit"] == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("3.5", 3.5),
        ("true", True),
        ("null", None),
        ('"3"', "3"),
        ("[1, 2]", [1, 2]),
        ('{"a": 1}', {"a": 1}),
        ("s3://a=b", "s3://a=b"),
        ("NaN", "NaN"),
        ("", ""),
    ],
)
def test_assigned_values_are_json_or_text(text: str, value: object) -> None:
    """A value that reads as JSON is JSON, anything else is itself."""
    assert overlay({}, [f"a.b={text}"]) == {"a": {"b": value}}


def test_tags_are_text() -> None:
    """A tag's value is never anything but text, and may hold an equals sign."""
    assert tags_from(["owner=ops", "ticket=7", "query=a=b", "empty="]) == {
        "owner": "ops",
        "ticket": "7",
        "query": "a=b",
        "empty": "",
    }


def test_json_needs_no_yaml(words: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyYAML a JSON request works, and a YAML one says what to install."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "solidstate.cli.yaml_documents", raising=False)
    words.write("r.json", '{"preset": "sample"}')
    words.write("r.yaml", "preset: sample")
    assert words.run("config", "check", "words.py", "r.json").code == 0
    assert words.run("config", "check", "words.py", "r.yaml") == (
        2,
        "",
        "error: Reading YAML needs PyYAML, which is not installed.\n"
        "  fix: `pip install 'solidstate[local]'`, or write the document as JSON\n",
    )


@pytest.mark.parametrize("text", ["{a: b}", "[1,", " {'a': 1}"])
def test_a_value_that_begins_like_json_is_json(text: str) -> None:
    """It was meant to be a mapping or a list, so it does not become text."""
    with pytest.raises(DocumentError) as caught:
        overlay({}, [f"a.b={text}"])
    assert str(caught.value) == (
        f"`--set a.b={text}`: VALUE is JSON, or text; this begins like JSON and is none.\n"
        """  fix: write keys and texts in double quotes, as in `'{"a": 1}'`; a text as a whole, as in `'"[a-z]"'`"""
    )


def test_what_others_teach_yaml_is_not_known_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that makes PyYAML's loader take any tag does not make ours do so."""
    monkeypatch.setattr(yaml.SafeLoader, "yaml_multi_constructors", {"": lambda *_: "taken"})
    path = tmp_path / "tagged.yaml"
    path.write_text("a: !anything 1\n")
    with pytest.raises(DocumentError):
        read_document(str(path))
