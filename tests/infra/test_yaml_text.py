"""Data is written as YAML that reads well and means the same."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from solidstate.infra.cloudformation_yaml import load_template
from solidstate.infra.yaml_text import LINE_WIDTH, Note, Open, Tagged, get_att, ref, sub, yaml_text

WORDS = [
    "yes",
    "No",
    "on",
    "null",
    "~",
    "true",
    "1",
    "1.5",
    "1e3",
    "0x1f",
    "1_000",
    "12:30",
    "2012-10-17",
    ".5",
    "-",
    "",
]
PRINTABLE = st.characters(exclude_categories=["C"], exclude_characters="\x85\u2028\u2029")
LINES = st.text(PRINTABLE, max_size=200)
SCALARS = st.one_of(LINES, st.sampled_from(WORDS), st.booleans(), st.integers(-(10**9), 10**9))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LINES, inner, max_size=4), max_leaves=20
)


@given(st.dictionaries(LINES, VALUES, min_size=1, max_size=4))
def test_it_means_what_was_given(value: dict[str, Any]) -> None:
    """Whatever the texts are: numbers, words of YAML, marks."""
    text = yaml_text(value)
    assert yaml.safe_load(text) == value


def test_long_texts_are_folded() -> None:
    """A description of many words takes several lines, and is one text all the same."""
    value = {"Description": "some words " * 30 + "end"}
    text = yaml_text(value, 4)
    assert max(map(len, text.splitlines())) <= LINE_WIDTH
    assert yaml.safe_load(text) == value


def test_short_forms() -> None:
    """References as people write them, in lists too, on one line where that reads well."""
    value = {
        "Name": ref("Stage"),
        "Arn": get_att("Data", "Arn"),
        "Key": sub("${Data.Arn}/*"),
        "Plain": sub("no placeholder"),
        "Whole": [sub("${Stage}"), sub("${Data.Arn}"), sub("${AWS::Region}")],
        "Rules": [Tagged("If", ["Kms", ref("Key"), ref("AWS::NoValue")]), {"Id": ref("Stage")}],
        "Long": Tagged("If", ["Kms", Open(Sid="a", Effect="Allow"), ref("AWS::NoValue")]),
        "Each": [Tagged("If", ["Kms", Open(Sid="a"), ref("AWS::NoValue")])],
    }
    text = yaml_text(value)
    assert text == (
        "Name: !Ref Stage\n"
        "Arn: !GetAtt Data.Arn\n"
        'Key: !Sub "${Data.Arn}/*"\n'
        "Plain: no placeholder\n"
        "Whole: [!Ref Stage, !GetAtt Data.Arn, !Ref AWS::Region]\n"
        "Rules: [!If [Kms, !Ref Key, !Ref AWS::NoValue], {Id: !Ref Stage}]\n"
        "Long: !If\n"
        "  - Kms\n"
        "  - Sid: a\n"
        "    Effect: Allow\n"
        "  - !Ref AWS::NoValue\n"
        "Each:\n"
        "  - !If\n"
        "    - Kms\n"
        "    - Sid: a\n"
        "    - !Ref AWS::NoValue\n"
    )
    assert load_template(text, "t")["Each"] == [{"Fn::If": ["Kms", {"Sid": "a"}, {"Ref": "AWS::NoValue"}]}]


def test_comments_and_blank_lines() -> None:
    """Before what they are about; long ones are wrapped."""
    value = {
        Note("why"): None,
        "a": [Note("first"), 1, 2],
        Note(""): None,
        "b": Open(c=1),
        Note("long " * 40): None,
        "d": 1,
    }
    text = yaml_text(value, 2)
    assert text.startswith("  # why\n  a:\n    # first\n    - 1\n    - 2\n\n  b:\n    c: 1\n  # long long")
    assert max(map(len, text.splitlines())) <= LINE_WIDTH
    assert yaml.safe_load(text) == {"a": [1, 2], "b": {"c": 1}, "d": 1}


def test_lines_of_text_have_no_place() -> None:
    """A template of ours has none, so nobody has to guess how they would look."""
    with pytest.raises(ValueError, match="several lines"):
        yaml_text({"a": "b\nc"})


@pytest.mark.parametrize("text", ["\u2028x", "\x85x", "a\x9bb", "\u202ex", "\U000e0001x", "\x7f", "é\x07"])
def test_what_ends_a_line_in_yaml_alone_is_escaped(text: str) -> None:
    """In a value it comes back as it was; in a comment it is an escape, and ends nothing."""
    written = yaml_text({Note(f"of {text} forged: 1"): None, "key": text})
    assert yaml.safe_load(written) == {"key": text}
    assert all(char.isprintable() or char == "\n" for char in written)
