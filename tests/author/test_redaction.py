"""Values that were remembered are taken out of text in every spelling that is promised."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.errors import shown
from solidstate.redaction import redact, redacted, remember

VALUE = 'p4ss "wörd"\n-second line of it-'
remember(VALUE)

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "Python": repr,
    "bytes": lambda text: repr(text.encode())[1:],
    "HTML": html.escape,
    "HTML between tags": lambda text: html.escape(text, quote=False),
    "a URL": urllib.parse.quote,
    "a part of a URL": lambda text: urllib.parse.quote(text, safe=""),
    "a form": urllib.parse.quote_plus,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_taken_out(spelling: str) -> None:
    """Alone and inside other text."""
    text = SPELLINGS[spelling](VALUE)
    quote = text[0] if text[0] in "'\"" else ""
    assert "wörd" not in redact(f"a {text} b")
    if spelling != "JSON in JSON":
        assert redact(f"a {text} b") == f"a {quote}[secret]{quote} b"


@pytest.mark.parametrize("make", [repr, lambda text: repr(text.encode())], ids=["text", "bytes"])
def test_both_kinds_of_quotes_in_one_literal(make: Callable[[str], str]) -> None:
    """Where both occur, Python escapes the single one, also when the other stands outside of the value."""
    remember("it's & pass")
    assert "& pass" not in redact(make('no login for "it\'s & pass"'))
    assert redact("<b>it&#x27;s &amp; pass</b>") == "<b>[secret]</b>"


@given(st.binary(max_size=7), st.binary(max_size=7))
def test_base64_of_more_than_the_value_is_taken_out(before: bytes, after: bytes) -> None:
    """At most two digits at each end remain, which hold bits of what stands around the value."""
    text = base64.b64encode(before + VALUE.encode() + after).decode()
    left, mask, right = redact(text).partition("[secret]")
    assert mask
    assert len(left) <= (len(before) * 8 + 5) // 6 + 1
    assert len(right.rstrip("=")) <= (len(after) * 8 + 5) // 6 + 1


def test_lines_of_a_value_are_taken_out() -> None:
    """Indented, as tools print keys and certificates."""
    assert redact("  | -second line of it-\n") == "  | [secret]\n"


def test_data_is_redacted_throughout() -> None:
    """Keys and values at any depth; what is no text stays."""
    assert redacted({VALUE: [VALUE, 1, {"a": (VALUE,)}], "b": None}) == {
        "[secret]": ["[secret]", 1, {"a": ["[secret]"]}],
        "b": None,
    }


def test_what_is_cut_short_is_redacted_first() -> None:
    """Half of a value would not be found any more."""
    for length in range(1, 70):
        assert "p4ss" not in shown("x" * length + VALUE)


@given(st.text(max_size=40))
def test_other_text_stays(text: str) -> None:
    """Only what was remembered is taken out."""
    assert redact(text) == text
