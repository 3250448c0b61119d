"""What users of the 2019 system complained about in its config errors, each shown to be gone."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate import pipeline, solid
from solidstate.errors import RequestErrors
from solidstate.request import resolve_request
from tests.author.choices import choices
from tests.author.test_choice_errors import loading


@solid
def measure(width: int, height: int = 1) -> int:
    return width * height


@pipeline
def measuring() -> None:
    measure()


def text_of(document: Any, asked: Any = choices) -> str:
    with pytest.raises(RequestErrors) as caught:
        resolve_request(asked, document)
    return str(caught.value)


def test_no_type_is_anonymous() -> None:
    """2019 printed `on type "None"` for a mapping without a name; fields are shown instead (#991)."""
    text = text_of(loading(source={"csv": []}))
    assert "Expected `{path, comma?}`, got <hidden> of type `list`." in text
    assert '"None"' not in text


def test_a_misspelt_key_gets_the_nearest_name() -> None:
    """2019 listed all fields, or none."""
    assert "fix: did you mean `source`?" in text_of(loading(sorce=1))


def test_an_input_that_nobody_gives_is_named_as_one() -> None:
    """2019 said that the root lacked `solids` (#3991, #4821)."""
    assert text_of({}, measuring) == (
        "Run request for pipeline `measuring`: Input `width` of `measure` is not connected and not given.\n"
        "  at: solids.measure.inputs.width\n"
        '  fix: add it, for example `{"solids":{"measure":{"inputs":{"width":0}}}}`'
    )


def test_one_and_several_are_worded_alike() -> None:
    """2019 had other texts, and another punctuation, for several missing or unknown fields."""
    one, two = text_of(loading(a=1)), text_of(loading(a=1, b=1))
    assert "Unknown field 'a'." in one
    assert "Unknown field 'a'." in two
    assert "Unknown field 'b'." in two


def test_the_value_given_is_echoed_within_bounds() -> None:
    """2019 said that a value was not valid, not which."""
    assert "Expected `int`, got 'wide' of type `str`." in text_of(
        {"solids": {"measure": {"inputs": {"width": "wide"}}}}, measuring
    )
    long = text_of({"solids": {"measure": {"inputs": {"width": "x" * 10_000}}}}, measuring)
    assert len(long) < 400


def test_what_may_be_left_out_is_visible() -> None:
    """A question mark; 2019 did not tell."""
    assert "its fields: `{source, token, backup?, fallback?, more?, extra?}`" in text_of(
        {"solids": {"load": {"config": 1}}}
    )


def test_what_is_missing_comes_with_an_example_that_is_valid() -> None:
    """To paste as it is."""
    assert 'for example `{"solids":{"measure":{"inputs":{"width":0}}}}`' in text_of({}, measuring)
    assert resolve_request(measuring, {"solids": {"measure": {"inputs": {"width": 0}}}})
