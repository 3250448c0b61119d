"""How an attempt can end other than well, as exceptions whose class names are the error names Step Functions sees."""

from __future__ import annotations

import errno
import os
import re
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from solidstate.errors import SolidstateError
from solidstate.events import CodePlace, ErrorInfo, Failure, plain_metadata
from solidstate.events import RetryRequested as UserRetryRequested
from solidstate.handler.plain import clip, clip_json, clip_middle, encodable, text_of

_PACKAGES = frozenset({"site-packages", "dist-packages"})
_LIBRARY = str(Path(traceback.__file__).parent)
_SEPARATOR = re.compile(r"[/\\]")
MAX_MESSAGE = 4_000
MAX_TRACEBACK = 16_000
MAX_LINE = 300
MAX_CAUSE = 24_000
"""Characters of a message inside the cause of a state. Step Functions cuts a cause at 32,768 characters, without a
word, and the cause is a JSON document that also holds a stack trace: cut short it could not be read any more."""


class AttemptFailed(Exception):
    """Base: carries what is recorded. Its text is what the console shows as the cause."""

    def __init__(self, error: ErrorInfo, step: str) -> None:
        self.error = error
        self.step = step
        place = f" ({error.place.file}:{error.place.line}, `{error.place.code}`)" if error.place else ""
        hint = f" Fix: {error.hint}." if error.hint else ""
        super().__init__(clip_json(f"`{step}`: {error.type}: {error.message}{place}{hint}", MAX_CAUSE))


class StepFailed(AttemptFailed):
    """User code raised. Another attempt may do better."""


class RetryRequested(AttemptFailed):
    """User code asked for another attempt."""


class StepRefused(AttemptFailed):
    """Another attempt cannot help."""


class PlanChanged(Exception):
    """The function holds another plan than the machine that called it."""


class RunRefused(Exception):
    """The execution input is not a valid run request."""


class RunFailed(Exception):
    """At least one step failed."""


class UserCodeRaised(Exception):
    """An exception left user code; ``original`` is it."""

    def __init__(self, original: BaseException) -> None:
        super().__init__(type(original).__name__)
        self.original = original


class Refused(SolidstateError):
    """The step's own rules were broken: wrong type, missing output, unknown output. ``metadata`` are facts about it."""

    def __init__(
        self, problem: str, *, subject: str = "", hint: str = "", metadata: dict[str, Any] | None = None
    ) -> None:
        super().__init__(problem, subject=subject, hint=hint)
        self.metadata = plain_metadata(metadata or {})


class ExpectationFailed(SolidstateError):
    """An expectation of severity ``fail`` was not met; ``metadata`` are the facts it was given."""

    def __init__(self, problem: str, *, subject: str, hint: str, metadata: dict[str, Any]) -> None:
        super().__init__(problem, subject=subject, hint=hint)
        self.metadata = metadata


class OutputNotStorable(Refused):
    """A value that no storage format takes: what is wrong is the program, whatever the data."""


def classified(error: BaseException, step: str) -> AttemptFailed:
    """What an exception that left the step means for the state machine."""
    info = error_info(error)
    if isinstance(error, Failure):
        hint = clip(text_of(error.hint), MAX_LINE)
        return StepRefused(msgspec.structs.replace(info, metadata=plain_metadata(error.metadata), hint=hint), step)
    if isinstance(error, (ExpectationFailed, Refused)):
        return StepRefused(msgspec.structs.replace(info, metadata=error.metadata), step)
    if isinstance(error, UserRetryRequested):
        return RetryRequested(msgspec.structs.replace(info, metadata=plain_metadata(error.metadata)), step)
    return StepRefused(info, step) if isinstance(error, SolidstateError) else StepFailed(info, step)


def error_info(error: BaseException) -> ErrorInfo:
    """An exception as data, with the innermost line of the user's own code. Of any size, encoding and ``__str__``."""
    if isinstance(error, SolidstateError):
        return ErrorInfo(
            type=type(error).__name__,
            message=clip(encodable(error.problem), MAX_MESSAGE),
            place=place_of(error, own_only=True),
            hint=clip(encodable(error.hint), MAX_LINE),
        )
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - the exception is the user's, and so is its __str__
        message = "(its message cannot be shown)"
    notes = [note for note in getattr(error, "__notes__", ()) if isinstance(note, str)]
    told = clip(encodable(message), MAX_MESSAGE)
    return ErrorInfo(
        type=type(error).__name__,
        message=f"{told} ({clip(encodable('; '.join(notes)), MAX_LINE)})".lstrip() if notes else told,
        traceback=clip_middle(encodable(_traceback(error)), MAX_TRACEBACK),
        place=place_of(error),
        hint=_way_out(error),
    )


def _way_out(error: BaseException) -> str:
    """Of errors that are not about the code but about how much the function has."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            "remove what is of no use any more from /tmp, which a function keeps from one invocation to the next, or "
            "raise `Compute(ephemeral_mb=...)`"
        )
    if isinstance(error, MemoryError):
        return "raise `Compute(memory_mb=...)`, or work in smaller pieces"
    return ""


def place_of(error: BaseException, *, own_only: bool = False) -> CodePlace | None:
    """The innermost frame that is neither ours nor an installed package's; failing that, the innermost not ours, unless
    ``own_only``.

    Frames are told apart by their module, not their file, so that code in a zip or behind a link is recognised too.
    """
    frames: list[tuple[traceback.FrameSummary, str]] = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if not _ours(module):
            found = traceback.StackSummary.extract(iter([(frame, line)]))
            frames.append((found[0], module.partition(".")[0]))
    own = [(frame, top) for frame, top in frames if not _installed(frame.filename)]
    bundle = os.environ.get("LAMBDA_TASK_ROOT")
    if bundle and own:  # packages lie beside the user's code there; the first frame is the user's for sure
        own = [(frame, top) for frame, top in own if top == own[0][1] or not frame.filename.startswith(bundle)]
    for place, _ in reversed(own if own_only else own or frames):
        code = clip(encodable((place.line or "").strip()), MAX_LINE)
        return CodePlace(encodable(place.filename), place.lineno or 0, place.name, code)
    return None


def _ours(module: str) -> bool:
    return module == "solidstate" or module.startswith("solidstate.")


def _installed(filename: str) -> bool:
    """Whether a file is of an installed package, of the standard library, or no file at all (``<string>``)."""
    parts = _SEPARATOR.split(filename)
    return filename.startswith(("<", _LIBRARY)) or not _PACKAGES.isdisjoint(parts)


def _traceback(error: BaseException) -> str:
    """The traceback as Python prints it, without our own frames on top."""
    outer: TracebackType | None = error.__traceback__
    while outer is not None and outer.tb_next is not None and _ours(outer.tb_frame.f_globals.get("__name__", "")):
        outer = outer.tb_next
    return "".join(traceback.format_exception(type(error), error, outer))
