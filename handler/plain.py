"""What user code says, as texts that can be written, are bounded and give no secret away, whatever it says and however
it behaves. Secrets are taken out before a text is cut: half of one would not be found any more."""

from __future__ import annotations

import json

from solidstate.errors import shown
from solidstate.redaction import redact


def text_of(value: object) -> str:
    """A user's text, which may be a path, None, or anything else with or without a ``str()``."""
    if value is None:
        return ""
    try:
        return encodable(redact(str(value)))
    except Exception:  # noqa: BLE001 - a user's __str__
        return shown(value)


def encodable(text: str) -> str:
    """The text, lone surrogates (file names that are not UTF-8 have them) written as escapes: JSON cannot hold them."""
    return text.encode("utf-8", "backslashreplace").decode()


def clip(text: str, limit: int) -> str:
    """The beginning of a long text."""
    text = redact(text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def clip_json(text: str, limit: int) -> str:
    """The beginning of a text, such that it takes at most ``limit`` characters in a JSON document of plain ASCII."""
    text = redact(text)
    if len(text) * 12 + 2 <= limit or len(json.dumps(text)) <= limit:
        return text
    size = len('"..."')
    for position, character in enumerate(text):
        size += len(json.dumps(character)) - 2
        if size > limit:
            return text[:position] + "..."
    return text


def clip_middle(text: str, limit: int) -> str:
    """Both ends of a long text: the top of a traceback says where it began, its end what went wrong."""
    text = redact(text)
    half = limit // 2
    return (
        text
        if len(text) <= limit
        else f"{text[:half]}\n... {len(text) - limit} characters left out ...\n{text[-half:]}"
    )
