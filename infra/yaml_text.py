"""Data as YAML that people read: comments, CloudFormation's short forms (``!Ref``), short collections on one line.

The same data gives the same text. Keys come in the order they are given; nothing is sorted.
"""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any

import msgspec

from solidstate.errors import escaped

LINE_WIDTH = 120
_PLAIN = re.compile(r"[A-Za-z_/.$][A-Za-z0-9_/.$ ()+-]*|[A-Za-z][A-Za-z0-9_.-]*(::?[A-Za-z0-9_]+)+")
"""Text that means itself without quotes; what else there is goes into double quotes, as in JSON."""
_SENTENCE = re.compile(r"[A-Za-z][A-Za-z0-9_/.$ ()+,;'-]*")
"""The same outside of collections on one line, where commas mean nothing else."""
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "~"}
"""Words that YAML 1.1 takes for something else."""


class Tagged(msgspec.Struct, frozen=True):
    """A value under one of CloudFormation's short forms: ``Tagged("Ref", "Stage")`` is ``!Ref Stage``."""

    tag: str
    value: Any


class Note:
    """A comment. It stands in a mapping as a key, or in a list as an item, before what it is about."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Open(dict[Any, Any]):
    """A mapping that is never written on one line."""


def ref(name: str) -> Tagged:
    return Tagged("Ref", name)


def sub(text: str) -> Tagged | str:
    """Text with ``${...}`` in it, in the shortest form; plain text when there is none."""
    whole = re.fullmatch(r"\$\{([\w:]+)(?:\.([\w.]+))?\}", text)
    if whole:
        return get_att(whole[1], whole[2]) if whole[2] else ref(whole[1])
    return Tagged("Sub", text) if "${" in text else text


def get_att(name: str, attribute: str) -> Tagged:
    return Tagged("GetAtt", f"{name}.{attribute}")


def yaml_text(value: Any, indent: int = 0) -> str:
    """A mapping or list as lines, each ending in a newline."""
    return "".join(f"{line}\n" if line else "\n" for line in _lines(value, " " * indent))


def _lines(value: Any, indent: str) -> list[str]:
    lines: list[str] = []
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, Note):
                lines += _comment(key, indent)
            else:
                lines += _entry(f"{indent}{_scalar(key)}:", item, indent)
        return lines
    for item in value:
        if isinstance(item, Note):
            lines += _comment(item, indent)
            continue
        short = _short(item, LINE_WIDTH - len(indent) - 2)
        if short is not None:
            lines.append(f"{indent}- {short}")
        elif isinstance(item, Tagged):
            lines += [f"{indent}- !{item.tag}", *_lines(item.value, f"{indent}  ")]
        else:
            first, *rest = _lines(item, f"{indent}  ")
            lines += [f"{indent}- {first.lstrip()}", *rest]
    return lines


def _entry(key: str, value: Any, indent: str) -> list[str]:
    short = _short(value, LINE_WIDTH - len(key) - 1)
    if isinstance(value, str) and _SENTENCE.fullmatch(value) and _means_itself(value):
        short = value if len(value) <= LINE_WIDTH - len(key) - 1 else None
    if short is not None:
        return [f"{key} {short}"]
    if isinstance(value, str) and " " in value:
        return [
            f"{key} >-",
            *textwrap.wrap(value, LINE_WIDTH, initial_indent=f"{indent}  ", subsequent_indent=f"{indent}  "),
        ]
    if isinstance(value, Tagged):
        return [f"{key} !{value.tag}", *_lines(value.value, f"{indent}  ")]
    return [key, *_lines(value, f"{indent}  ")]


def _comment(note: Note, indent: str) -> list[str]:
    if not note.text:
        return [""]
    text = escaped(" ".join(note.text.split()))  # nothing that a reader of YAML takes for the end of the comment
    return textwrap.wrap(text, LINE_WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _short(value: Any, width: int) -> str | None:
    """The value on one line; None when it does not fit or is not to be."""
    if isinstance(value, str) and "\n" in value:
        raise ValueError("text of several lines has no place in a template")
    if not isinstance(value, (dict, list)) or not value:
        text = _flow(value)
        opened = isinstance(value, Tagged) and isinstance(value.value, list) and _has_open(value.value)
        fits = len(text) <= width or (isinstance(value, Tagged) and not isinstance(value.value, list))
        return text if fits and not opened else None
    if isinstance(value, Open) or _depth(value) > 2 or _has_notes(value):
        return None
    text = _flow(value)
    return text if len(text) <= width else None


def _flow(value: Any) -> str:
    if isinstance(value, Tagged):
        return f"!{value.tag} {_flow(value.value)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _depth(value: Any) -> int:
    if isinstance(value, Tagged):
        return _depth(value.value)
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _has_notes(value: Any) -> bool:
    return any(isinstance(one, Note) for one in value) or any(
        isinstance(one, (dict, list)) and _has_notes(one)
        for one in (value.values() if isinstance(value, dict) else value)
    )


def _has_open(value: list[Any]) -> bool:
    return any(isinstance(one, Open) for one in value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    return text if _PLAIN.fullmatch(text) and _means_itself(text) else flow_json(text)


def flow_json(value: Any) -> str:
    """Plain data as JSON that YAML reads as the same. What ends a line in YAML alone (``U+2028``), or steers a
    terminal, is escaped as YAML does it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _means_itself(text: str) -> bool:
    """Whether YAML takes a text that needs no quotes for its form for that text, not for a number or a word."""
    number = re.fullmatch(r"[.+-]?\d[\d._]*(e[+-]?\d+)?", text, re.IGNORECASE)
    return text.lower() not in _WORDS and text == text.strip() and number is None
