"""Every error solidstate raises on purpose, under one root.

An error is data first: what it is about (``subject``), where (``path``), what went wrong (``problem``) and one way to
fix it (``hint``). Text is made late, by ``str()``. Of ours this module imports only what keeps secrets out of texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from solidstate.redaction import redact

T = TypeVar("T")


LONGEST_NAME = 300


class SolidstateError(Exception):
    """Root of all errors a user can cause or meet.

    ``problem`` is a full sentence; ``hint`` is one way to fix it, ending in a command or an edit when there is one.
    """

    def __init__(self, problem: str, *, subject: str = "", path: str = "", hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.subject = subject
        self.path = path
        self.hint = hint

    def __str__(self) -> str:
        text = self.problem
        if self.path:
            text += f"\n  at: {self.path}"
        if self.hint:
            text += f"\n  fix: {self.hint}"
        return text


class DefinitionError(SolidstateError):
    """A solid, resource, mode or pipeline is declared in a way that can never run."""


class TargetError(SolidstateError):
    """The TARGET on the command line does not lead to a pipeline."""


class CompileError(SolidstateError):
    """A plan cannot be expressed as a state machine within the service's quotas."""


class StorageError(SolidstateError):
    """An object could not be read or written."""


class MissingObject(StorageError):
    """No object at that key."""


class StorageUnavailable(StorageError):
    """The store did not answer in time; the same request may succeed later."""


class IntermediateError(StorageError):
    """A stored value is missing, does not match its commit, or cannot be decoded."""


class MissingIntermediate(IntermediateError):
    """The object of a stored value is not there."""


class ExpiredIntermediate(MissingIntermediate):
    """It is not there, and its run is older than what the bucket keeps."""


class TruncatedIntermediate(IntermediateError):
    """A stored value, or the list of a commit's items, is shorter than it was."""


class CorruptedIntermediate(IntermediateError):
    """A stored value has other bytes than it had."""


class MistypedIntermediate(IntermediateError):
    """A stored value is whole, and of another type or format than expected."""


class UnreadableCommit(IntermediateError):
    """The object under the key of a commit is none."""


class ForeignCommit(IntermediateError):
    """The object under the key of a commit is the commit of another step, item, run or pipeline."""


class NotStorable(StorageError):
    """A value has no lossless representation among the known storage formats."""


class RunNotFound(SolidstateError):
    """No run of that id in the history that was searched."""


class EngineError(SolidstateError):
    """The engine that should have driven a run could not."""


class Errors(SolidstateError):
    """Several problems of one kind, reported together.

    ``title`` says of what; ``items`` keeps them in the order they were found.
    """

    def __init__(self, title: str, items: Iterable[SolidstateError]) -> None:
        self.title = title
        self.items: tuple[SolidstateError, ...] = tuple(items)
        super().__init__(title)

    def __str__(self) -> str:
        if len(self.items) == 1:
            return f"{self.title}: {self.items[0]}"
        lines = [f"{self.title}: {len(self.items)} errors"]
        for number, item in enumerate(self.items, 1):
            first, *rest = str(item).splitlines()
            lines.append(f"  {number}. {first}")
            lines.extend(f"  {line}" for line in rest)
        return "\n".join(lines)


class DefinitionErrors(Errors, DefinitionError):
    """All that is wrong with one definition."""


class RequestErrors(Errors):
    """All that is wrong with one run request."""


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like ``name``, or None when none is close."""
    if len(name) > LONGEST_NAME:  # comparing takes time that grows with the length, and no name is this long
        return None
    from difflib import get_close_matches  # what every function would load and few ever need

    matches = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def name_list(names: Sequence[str], limit: int = 12) -> str:
    """Names in backticks, comma separated, bounded so that a message stays a message."""
    shown = ", ".join(f"`{name}`" for name in names[:limit])
    left = len(names) - limit
    return f"{shown} and {left} more" if left > 0 else shown


def shown(value: object, limit: int = 60) -> str:
    """A value as a bounded, single-line, printable piece of a message."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a user's __repr__ may do anything; the message must not depend on it
        text = f"<{type(value).__name__} whose repr() fails>"
    return short(text, limit)


def escaped(text: str) -> str:
    """Text in which nothing steers a terminal or begins a line: what is not printable is written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def short(text: str, limit: int = 60) -> str:
    """Text somebody typed, as a bounded, single-line, printable piece of a message."""
    text = redact(text)[: limit + 1]  # before it is cut: half a secret would not be found any more
    text = escaped(text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def lookup(kind: str, name: str, known: Mapping[str, T], owner: str) -> T:
    """What ``owner`` has under a name. Raises DefinitionError with the closest name it has."""
    if name in known:
        return known[name]
    near = closest(name, known)
    raise DefinitionError(
        f"There is no {kind} `{short(name)}` in {owner}.",
        subject=short(name),
        hint=f"did you mean `{near}`?" if near else f"{kind}s: {name_list(list(known)) or 'none'}",
    )
