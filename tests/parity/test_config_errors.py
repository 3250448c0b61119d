"""What 2019's config system refused, in the words of today."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity.ingesting import given, ingest
from tests.parity.running import rejected

WRONG: dict[str, tuple[Any, str]] = {
    "one missing": (
        {"solids": {"ingest": {"config": {}}}},
        "Missing required field `bucket` of type `str`.\n"
        "  at: solids.ingest.config.bucket\n"
        '  fix: add it, for example `{"solids":{"ingest":{"config":{"bucket":"..."}}}}`',
    ),
    "no section at all": (
        {},
        "Missing required field `bucket` of type `str`.\n"
        "  at: solids.ingest.config.bucket\n"
        '  fix: add it, for example `{"solids":{"ingest":{"config":{"bucket":"..."}}}}`',
    ),
    "one unknown": (
        given(bukcet="b"),
        "Unknown field 'bukcet'.\n  at: solids.ingest.config.bukcet\n  fix: did you mean `bucket`?",
    ),
    "several unknown": (
        given(bukcet="b", foo=1),
        "2 errors\n"
        "  1. Unknown field 'bukcet'.\n"
        "    at: solids.ingest.config.bukcet\n"
        "    fix: did you mean `bucket`?\n"
        "  2. Unknown field 'foo'.\n"
        "    at: solids.ingest.config.foo\n"
        "    fix: known here: `bucket`, `color`, `limit`, `ratio`, `dry`, `names`, "
        "`src`, `maybe`, `inner`, `extra`, `sizes`, `anything` and 1 more",
    ),
    "a scalar of another type": (
        given(limit="many"),
        "Expected `int`, got 'many' of type `str`.\n  at: solids.ingest.config.limit\n  fix: for example `0`",
    ),
    "a bool that is no number": (
        given(limit=True),
        "Expected `int`, got True of type `bool`.\n  at: solids.ingest.config.limit\n  fix: for example `0`",
    ),
    "a number that is no text": (
        given(bucket=5),
        "Expected `str`, got 5 of type `int`.\n  at: solids.ingest.config.bucket\n  fix: quote it: `'5'`",
    ),
    "a number that is no bool": (
        given(dry=1),
        "Expected `bool`, got 1 of type `int`.\n  at: solids.ingest.config.dry\n  fix: for example `false`",
    ),
    "two keys of a selector": (
        given(src={"csv": {"path": "a"}, "parquet": {"path": "a"}}),
        "Expected exactly one of `csv`, `parquet`, got `csv` and `parquet`.\n"
        "  at: solids.ingest.config.src\n"
        "  fix: keep one of them",
    ),
    "no key of a selector": (
        given(src={}),
        "Expected exactly one of `csv`, `parquet`, got none.\n"
        "  at: solids.ingest.config.src\n"
        '  fix: add one, for example `{"csv":{"path":"..."}}`',
    ),
    "an unknown key of a selector": (
        given(src={"json": {"path": "a"}}),
        "Unknown field 'json'.\n  at: solids.ingest.config.src.json\n  fix: known here: `csv`, `parquet`",
    ),
    "a selector that is no mapping": (
        given(src="csv"),
        "Expected `{csv} | {parquet} | None`, got 'csv' of type `str`.\n"
        "  at: solids.ingest.config.src\n"
        '  fix: for example `{"csv":{"path":"..."}}`',
    ),
    "inside a selector": (
        given(src={"csv": {}}),
        "Missing required field `path` of type `str`.\n"
        "  at: solids.ingest.config.src.csv.path\n"
        '  fix: add it, for example `{"solids":{"ingest":{"config":{"src":{"csv":{"path":"..."}}}}}}`',
    ),
    "an enum": (
        given(color="green"),
        "Expected one of 'red', 'blue', got 'green'.\n  at: solids.ingest.config.color\n  fix: for example `'red'`",
    ),
    "no list": (
        given(names="a"),
        "Expected `list[str]`, got 'a' of type `str`.\n  at: solids.ingest.config.names\n  fix: for example `[]`",
    ),
    "an item of a list": (
        given(names=["a", 1]),
        "Expected `str`, got 1 of type `int`.\n  at: solids.ingest.config.names[1]\n  fix: quote it: `'1'`",
    ),
    "a nested mapping": (
        given(inner={"depth": "x"}),
        "Expected `int`, got 'x' of type `str`.\n  at: solids.ingest.config.inner.depth\n  fix: for example `0`",
    ),
    "a value of a dict": (
        given(sizes={"a": "x"}),
        "Expected `int`, got 'x' of type `str`.\n  at: solids.ingest.config.sizes.a\n  fix: for example `0`",
    ),
    "none where there must be a value": (
        given(limit=None),
        "Expected `int`, got None of type `None`.\n  at: solids.ingest.config.limit\n  fix: for example `0`",
    ),
    "a limit": (
        given(share=101),
        "Expected `int >= 0 and <= 100`, got 101.\n  at: solids.ingest.config.share\n  fix: for example `0`",
    ),
    "an unknown section": (
        {"solidz": {}} | given(),
        "Unknown field 'solidz'.\n  at: solidz\n  fix: did you mean `solids`?",
    ),
    "an unknown solid": (
        {"solids": {"ingset": {}, **given()["solids"]}},
        "Unknown field 'ingset'.\n  at: solids.ingset\n  fix: did you mean `ingest`?",
    ),
    "an unknown entry of a solid": (
        {"solids": {"ingest": {"config": {"bucket": "b"}, "confg": {}}}},
        "Unknown field 'confg'.\n  at: solids.ingest.confg\n  fix: did you mean `config`?",
    ),
    "several at once": (
        given(limit="x", names=[1], foo=1),
        "3 errors\n"
        "  1. Expected `int`, got 'x' of type `str`.\n"
        "    at: solids.ingest.config.limit\n"
        "    fix: for example `0`\n"
        "  2. Expected `str`, got 1 of type `int`.\n"
        "    at: solids.ingest.config.names[0]\n"
        "    fix: quote it: `'1'`\n"
        "  3. Unknown field 'foo'.\n"
        "    at: solids.ingest.config.foo\n"
        "    fix: known here: `bucket`, `color`, `limit`, `ratio`, `dry`, `names`, "
        "`src`, `maybe`, `inner`, `extra`, `sizes`, `anything` and 1 more",
    ),
    "no mapping at all": (
        [1],
        "Expected `a mapping`, got [1] of type `list`.\n  fix: start from `{}`",
    ),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_what_is_refused(case: str) -> None:
    """All errors at once, each with its path, what was expected, what was given and a way out."""
    request, text = WRONG[case]
    assert rejected(ingest, request) == text
