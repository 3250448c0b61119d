"""The JSONPath expressions and intrinsic functions a definition may hold, as far as we write them.

Deliberately less than the service accepts: filters, slices and wild cards are reported, because our compiler never
needs them and local and real interpreters disagree on them.
"""

from __future__ import annotations

import re

INTRINSICS = {
    "Format": (1, 11),
    "StringToJson": (1, 1),
    "JsonToString": (1, 1),
    "StringSplit": (2, 2),
    "Array": (0, 10_000),
    "ArrayPartition": (2, 2),
    "ArrayContains": (2, 2),
    "ArrayRange": (3, 3),
    "ArrayGetItem": (2, 2),
    "ArrayLength": (1, 1),
    "ArrayUnique": (1, 1),
    "Base64Encode": (1, 1),
    "Base64Decode": (1, 1),
    "Hash": (2, 2),
    "JsonMerge": (3, 3),
    "MathRandom": (2, 3),
    "MathAdd": (2, 2),
    "UUID": (0, 0),
}
"""Names after ``States.`` and how many arguments they take, from and to (Step Functions developer guide, "Intrinsics
for JSONPath states")."""

_PATH_TEXT = r"\$\$?(?:\.[A-Za-z_]\w*|\[\d+\]|\['[^'\]]+'\])*"
_PATH = re.compile(_PATH_TEXT)
_VALUE = rf"(?:{_PATH_TEXT}|'(?:[^'\\]|\\.)*'|-?\d+(?:\.\d+)?|true|false|null)"
_ARGUMENT = re.compile(_VALUE)
_INNERMOST_CALL = re.compile(rf"States\.(\w+)\(\s*((?:{_VALUE}(?:\s*,\s*{_VALUE})*)?)\s*\)")
_RESULT = "0"
"""What a checked call is replaced by while the calls around it are checked."""


def path_fault(path: object, *, context: bool = True) -> str:
    """What is wrong with ``path`` as a JSONPath, or "". ``context``: may it begin in the context object ``$$``?"""
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        return f"A path looks like `$.name[0]`, but this one is `{path}`."
    if path.startswith("$$") and not context:
        return f"A result cannot be put into the context object, but this path is `{path}`."
    return ""


def expression_fault(text: object) -> str:
    """What is wrong with ``text`` as a path or a call of intrinsic functions, or ""."""
    if not isinstance(text, str):
        return f"A field that ends in `.$` holds a path or an intrinsic function, but this one holds {text!r}."
    if not text.startswith("States."):
        return path_fault(text)
    rest = text
    while call := _INNERMOST_CALL.search(rest):
        name, count = call[1], len(_ARGUMENT.findall(call[2]))
        if name not in INTRINSICS:
            return f"There is no intrinsic function `States.{name}`."
        low, high = INTRINSICS[name]
        if not low <= count <= high:
            return f"`States.{name}` takes {low if low == high else f'{low} to {high}'} arguments, but has {count}."
        rest = rest[: call.start()] + _RESULT + rest[call.end() :]
    if rest != _RESULT:
        return f"An intrinsic function looks like `States.Name($.path, 'text', 1)`, but this one is `{text}`."
    return ""
