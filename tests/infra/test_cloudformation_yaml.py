"""Templates are read as CloudFormation reads them, and what is none is told with its place."""

from __future__ import annotations

import pytest

from solidstate.errors import SolidstateError
from solidstate.infra.cloudformation_yaml import load_template


def test_short_forms_become_long_ones() -> None:
    """In scalars, lists and mappings; dates stay text."""
    text = """
A: !Ref X
B: !GetAtt X.Arn.More
C: !Sub "${X}/*"
D: !If [Y, !Ref Z, {a: !Condition Y}]
E: !Transform {Name: x}
F: 2012-10-17
"""
    assert load_template(text, "t") == {
        "A": {"Ref": "X"},
        "B": {"Fn::GetAtt": ["X", "Arn.More"]},
        "C": {"Fn::Sub": "${X}/*"},
        "D": {"Fn::If": ["Y", {"Ref": "Z"}, {"a": {"Condition": "Y"}}]},
        "E": {"Fn::Transform": {"Name": "x"}},
        "F": "2012-10-17",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Resources:\n  A: 1\n  A: 2\n",
            "The template cannot be read: `A` stands twice in one mapping.\n  at: t.yaml, line 3, column 3",
        ),
        (
            "a: [",
            "The template cannot be read: expected the node content, but found '<stream end>'.\n  at: t.yaml, line 1,",
        ),
        ("- a\n", "`t.yaml` is no template: expected a mapping with `Resources`, found a list."),
        ("a: \x00", "The template cannot be read: "),
    ],
)
def test_what_is_no_template(text: str, told: str) -> None:
    """With line and column where there is one, and never as a traceback."""
    with pytest.raises(SolidstateError) as caught:
        load_template(text, "t.yaml")
    assert str(caught.value).startswith(told)
    assert caught.value.hint


def test_no_code_is_run() -> None:
    """A template is somebody's text: Python's own tags are data like any other."""
    with pytest.raises(SolidstateError):
        load_template('a: !!python/object/apply:os.system ["true"]', "t")
