"""SVG as text: whatever is put in comes out as text, and texts are cut to what there is room for."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.cli.svg import element, fitted, number, text_element, text_width


def parsed(drawing: str) -> ET.Element:
    """A drawing as a tree, its tags without the name space."""
    root = ET.fromstring(drawing)  # noqa: S314 - our own drawing; that it is well formed is what is tested
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
    return root


ANY_TEXT = st.text(st.characters(codec="utf-8"))


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_comes_back_as_text(text: str, value: str) -> None:
    """In elements and in attributes; what XML cannot hold, or turns text round, is replaced by the sign for that."""
    node = parsed(text_element("text", text, class_=value))
    assert len(node) == 0
    turning = {0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
    steering = set(map(chr, {*range(0x7F, 0xA0), *turning}))
    refused = {*map(chr, range(0x20)), *steering, "\ufffe", "\uffff"} - {*"\t\n\r"}
    allowed = {*text} - refused
    shown = "".join(char if char in allowed else "\N{REPLACEMENT CHARACTER}" for char in text)
    assert (node.text or "") == shown.replace("\r\n", "\n").replace("\r", "\n")
    assert list(node.attrib) == ["class"]


@pytest.mark.parametrize(
    "text",
    [
        "</text><script>alert(1)</script>",
        '"><script>alert(1)</script>',
        "' onload='alert(1)",
        "<![CDATA[x]]>",
        "&lt;b&gt; &#60; ]]> <!-- -->",
        "a\x00b\x1b[31m\ud800",
    ],
)
def test_markup_stays_text(text: str) -> None:
    """No element, no attribute, no entity gets in."""
    node = parsed(element("g", text_element("title", text), element("rect", id=text)))
    assert [child.tag for child in node] == ["title", "rect"]
    assert set(node[1].attrib) == {"id"}
    assert node[0].text is not None
    assert node[0].text.startswith(text[0])


def test_attributes_are_named_as_svg_names_them() -> None:
    """An underscore stands for a hyphen, at the end for nothing; what is None is left out."""
    assert element("rect", class_="a b", font_size=11, x=None) == '<rect class="a b" font-size="11"/>'
    assert element("g", "<a/>", "<b/>") == "<g><a/><b/></g>"


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (1.0, "1"), (1.25, "1.2"), (-0.04, "0"), (0.0, "0"), (10.0, "10"), (-3.16, "-3.2")]
)
def test_coordinates_are_short(value: float, text: str) -> None:
    """A tenth of a pixel is fine enough."""
    assert number(value) == text


def test_texts_are_cut_to_fit() -> None:
    """In their middle, as the end of a name tells as much as its beginning; what fits is left alone."""
    name = "gitlab_dotcom_namespaces_historical_monthly"
    assert fitted(name, 1_000, 13) == name
    assert fitted(name, text_width(name, 13), 13) == name
    cut = fitted(name, 160, 13)
    assert text_width(cut, 13) <= 160
    begin, end = cut.split("\N{HORIZONTAL ELLIPSIS}")
    assert name.startswith(begin)
    assert name.endswith(end)
    assert min(len(begin), len(end)) > 5
    assert fitted(name, 1, 13) == "\N{HORIZONTAL ELLIPSIS}"


def test_wide_characters_take_more_room() -> None:
    """Of letters the wide ones, of scripts the square ones; combining marks take none."""
    assert text_width("iii", 10) < text_width("nnn", 10) < text_width("MMM", 10) < text_width("漢字漢", 10)
    assert text_width("e\N{COMBINING ACUTE ACCENT}", 10) == text_width("e", 10)
    assert text_width("n", 10, bold=True) > text_width("n", 10)
