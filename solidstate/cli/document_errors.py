"""What is said about documents that cannot be read, in whichever format."""

from __future__ import annotations

from solidstate.errors import SolidstateError, shown


class DocumentError(SolidstateError):
    """A document cannot be read, or is not what its format says."""


def repeated(label: str, key: object, path: str) -> DocumentError:
    return DocumentError(
        f"The key {shown(key)} stands twice in one mapping of `{label}`.", subject=label, path=path, hint="keep one"
    )


def line_hint(text: str, number: int) -> str:
    lines = text.splitlines()
    found = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return f"correct this line: `{found[:80]}`" if found else ""
