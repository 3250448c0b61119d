"""SVG as text: elements with everything escaped, and how wide a text will be.

Names, types and descriptions come from anywhere: nothing gets into a drawing but through :func:`element` and
:func:`text_element`.
"""

from __future__ import annotations

import unicodedata
from xml.sax.saxutils import escape

_NARROW = frozenset("iljtfrI.,:;'`|!()[]{}/\\ ")
_WIDE = frozenset("mwMW@%")


def element(tag: str, *inside: str, **attributes: str | float | None) -> str:
    """An element around what is inside, which is SVG already. In names of attributes ``_`` stands for ``-``, at their
    end for nothing; an attribute that is None is left out."""
    said = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{said}>{''.join(inside)}</{tag}>" if inside else f"<{tag}{said}/>"


def text_element(tag: str, text: str, **attributes: str | float | None) -> str:
    """An element around a text."""
    return element(tag, escaped(text), **attributes)


def escaped(text: str) -> str:
    """``text`` as character data: markup escaped, and without the characters XML forbids or that turn text round."""
    return escape("".join(char if _allowed(char) else "\N{REPLACEMENT CHARACTER}" for char in text))


_TURNING = frozenset({0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)})
"""Marks by which a text is shown in another order than it is written (Unicode Standard Annex 9, "Directional
Formatting Characters")."""


def _allowed(char: str) -> bool:
    code = ord(char)
    if 0x7F <= code <= 0x9F or code in _TURNING:
        return False
    return char in "\t\n\r" or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


def _value(value: str | float | None) -> str:
    if isinstance(value, str):
        return escaped(value).replace('"', "&quot;").replace("\n", "&#10;").replace("\r", "&#13;")
    return number(value or 0.0)


def number(value: float) -> str:
    """A coordinate, to a tenth of a pixel, without needless zeros."""
    text = f"{value:.1f}"
    return text.removesuffix(".0").replace("-0", "0") if text in {"-0.0", "0.0"} else text.removesuffix(".0")


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About as many pixels as a sans-serif font of ``size`` takes for a text; rather more than less."""
    ems = sum(_ems(char) for char in text)
    return ems * size * (1.08 if bold else 1.0)


def _ems(char: str) -> float:
    if not char.isascii():
        return 0.0 if unicodedata.combining(char) else 1.05 if unicodedata.east_asian_width(char) in "WF" else 0.68
    if char in _NARROW:
        return 0.36
    if char in _WIDE:
        return 0.95
    return 0.72 if char.isupper() else 0.62


_LONGEST = 400


def fitted(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """``text``, or as much of its two ends as ``width`` has room for: what tells long names apart is often last."""
    if text_width(text, size, bold=bold) <= width + 0.5:
        return text
    if len(text) > _LONGEST:  # no drawing has room for more, and trying takes time that grows with the square
        text = text[: _LONGEST // 2] + text[-_LONGEST // 2 :]
    for kept in range(len(text) - 1, 0, -1):
        shorter = text[: (kept + 1) // 2].rstrip() + "\N{HORIZONTAL ELLIPSIS}" + text[len(text) - kept // 2 :].lstrip()
        if text_width(shorter, size, bold=bold) <= width:
            return shorter
    return "\N{HORIZONTAL ELLIPSIS}"
