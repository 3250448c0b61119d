"""Bombs: documents that are small to write and large, deep or slow to read. Each is refused, soon and in words."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from solidstate.cli.document_errors import DocumentError
from solidstate.cli.documents import Source, overlay, read_document
from solidstate.errors import RequestErrors
from solidstate.request import resolve_request
from tests.fuzz.pipelines import shop

LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
SOON_S = 15
"""Seconds for the slowest of them, on a machine that does other things, too."""


def judged(text: str, *, as_json: bool) -> None:
    """Read and judged as ``run --config`` does it, with the place of each error."""
    source = Source("request", text, as_json)
    document = source.parse()
    with source.blamed():
        resolve_request(shop, document)


YAML = {
    "billion laughs": LAUGHS,
    "alias to itself": "a: &a [*a]",
    "merge": "a: &a {b: 1}\nc: {<<: *a}",
    "deep": "[" * 100_000,
    "deep mappings": "{a: " * 60_000,
    "rather deep": "{a: " * 200 + "1" + "}" * 200,
    "twice": "mode: local\nmode: prod",
    "twice by another spelling": "tags: {1: a, 0x1: b}",
    "python": "!!python/object/apply:os.system [ls]",
    "binary": "!!binary aGk=",
    "long number": f"tags: {{a: {'1' * 100_000}}}",
    "long hexadecimal number": f"tags: {{a: 0x{'f' * 100_000}}}",
    "no number": "solids: {read: {config: {path: p, share: .nan}}}",
    "infinity": "solids: {read: {config: {path: p, share: .inf}}}",
    "out of range": "solids: {read: {config: {path: p, share: 1e999}}}",
    "two documents": "mode: local\n---\nmode: prod",
    "nul": "mode: 'a\0b'",
    "many anchors": f"x: [{', '.join(f'&a{n} 1' for n in range(5_000))}]",
}
JSON = {
    "deep": "[" * 100_000,
    "rather deep": '{"a":' * 900 + "1" + "}" * 900,
    "many lines": '{"x": [\n' + ",\n".join("1" * 60_000) + "]}",
    "many values": '{"x": [' + ",".join("1" * 120_000) + "]}",
    "twice": '{"mode": "local", "mode": "prod"}',
    "long number": f'{{"tags": {{"a": {"1" * 100_000}}}}}',
    "no number": '{"solids": {"read": {"config": {"path": "p", "share": NaN}}}}',
    "infinity": '{"solids": {"read": {"config": {"path": "p", "share": -Infinity}}}}',
    "out of range": '{"solids": {"read": {"config": {"path": "p", "share": 1e999}}}}',
    "half a pair": '{"tags": {"a": "\\ud800"}}',
    "two documents": "{} {}",
}


@pytest.mark.parametrize("text", YAML.values(), ids=YAML.keys())
def test_yaml_bombs_are_refused(text: str) -> None:
    """By what reads YAML, or by what judges requests; never by running out of memory, time or stack."""
    began = time.monotonic()
    with pytest.raises((DocumentError, RequestErrors)):
        judged(text, as_json=False)
    assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize("text", JSON.values(), ids=JSON.keys())
def test_json_bombs_are_refused(text: str) -> None:
    """The same as JSON; telling where an error stands takes no longer than reading did."""
    began = time.monotonic()
    with pytest.raises((DocumentError, RequestErrors)):
        judged(text, as_json=True)
    assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize("name", ["r.yaml", "r.json"])
def test_a_large_document_is_not_read_to_its_end(tmp_path: Path, name: str) -> None:
    """One byte more than Step Functions takes as an input is one too many."""
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(3 * 1024**3)
    with pytest.raises(DocumentError, match="is larger than 262,144 bytes"):
        read_document(str(path))


def test_paths_on_the_command_line_are_bounded() -> None:
    """A path of more levels than a request may have is none of a request."""
    with pytest.raises(DocumentError) as caught:
        overlay({}, [f"{'.'.join('a' * 20_000)}=1"])
    assert str(caught.value) == (
        "`--set a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a...=...` leads 20,000 levels down; a run "
        "request has at most 64.\n  fix: write `--set solids.STEP.config.FIELD=VALUE`"
    )


@pytest.mark.parametrize(
    "value", ["[" * 100_000, "1" * 100_000, "{" * 50_000, '"' + "\\u00" * 10_000, "-" + "9" * 5_000], ids=range(5)
)
def test_values_on_the_command_line_are_bounded(value: str) -> None:
    """What is no JSON is text, or refused; it is judged as a part of the request afterwards."""
    document: dict[str, Any] = {"tags": {"a": value}}
    said = ""
    try:
        document = overlay({"mode": "local"}, [f"tags.a={value}"])
    except DocumentError as error:
        said = str(error)
    assert str(document["tags"]["a"]) == value
    assert len(said) < 500


@pytest.mark.parametrize(
    "expression",
    ["a" * 200_000, "tag:" + "a" * 9_000 + "*+", ",".join(["read*"] * 1_600), "+" * 9_999, "read+" + "9" * 500],
    ids=range(5),
)
def test_selections_are_bounded(expression: str) -> None:
    """Length, depth and repetition; the pattern of a clause never looks twice."""
    began = time.monotonic()
    document: dict[str, Any] = {"mode": "local", "steps": expression}
    with pytest.raises(RequestErrors) as caught:
        resolve_request(shop, document)
    assert time.monotonic() - began < 2
    assert len(str(caught.value)) < 3_000


def test_many_mistakes_are_told_within_bounds() -> None:
    """As many as a document has room for; the cause of a failed execution is cut where AWS would cut it."""
    document = {"mode": "local", "solids": {f"step_{number}": {} for number in range(10_000)}}
    assert len(json.dumps(document)) < 256 * 1024
    began = time.monotonic()
    with pytest.raises(RequestErrors):
        resolve_request(shop, document)
    assert time.monotonic() - began < SOON_S
