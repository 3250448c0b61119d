"""How an attempt can end other than well, as exceptions whose class names are the error names Step Functions sees."""

from __future__ import annotations

import traceback
from pathlib import Path

from solidstate.errors import SolidstateError
from solidstate.events import CodePlace, ErrorInfo

_OWN = Path(__file__).resolve().parent
_PACKAGES = ("site-packages", "dist-packages")
MAX_MESSAGE = 4_000
MAX_TRACEBACK = 16_000


class AttemptFailed(Exception):
    """Base: carries what is recorded. Its text is what the console shows as the cause."""

    def __init__(self, error: ErrorInfo, step: str) -> None:
        self.error = error
        place = f" ({error.place.file}:{error.place.line}, `{error.place.code}`)" if error.place else ""
        hint = f" Fix: {error.hint}." if error.hint else ""
        super().__init__(f"`{step}`: {error.type}: {error.message}{place}{hint}")


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
    """An exception left user code; ``original`` is it, ``doing`` says what was being done."""

    def __init__(self, original: BaseException, doing: str) -> None:
        super().__init__(doing)
        self.original = original
        self.doing = doing


class Refused(SolidstateError):
    """The step's own rules were broken: wrong type, missing output, unknown output."""


def error_info(error: BaseException, *, type_name: str = "") -> ErrorInfo:
    """An exception as data, with the innermost line of the user's own code."""
    if isinstance(error, SolidstateError):
        return ErrorInfo(type=type_name or type(error).__name__, message=clip(error.problem, MAX_MESSAGE), hint=error.hint)
    try:
        message = str(error)
    except Exception:  # the exception is the user's, and so is its __str__
        message = "(its message cannot be shown)"
    return ErrorInfo(
        type=type_name or type(error).__name__,
        message=clip(message, MAX_MESSAGE),
        traceback=clip_middle(_traceback(error), MAX_TRACEBACK),
        place=place_of(error),
    )


def place_of(error: BaseException) -> CodePlace | None:
    """The innermost frame that is neither ours nor an installed package's; failing that, the innermost not ours."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _ours(f.filename)]
    own = [f for f in frames if not any(part in f.filename for part in _PACKAGES) and not _standard_library(f.filename)]
    for frame in reversed(own or frames):
        return CodePlace(frame.filename, frame.lineno or 0, frame.name, (frame.line or "").strip())
    return None


def _ours(filename: str) -> bool:
    path = Path(filename)
    return path.parent.resolve() == _OWN or path.parent.name == "handler" and path.parent.parent.name == "solidstate"


def _standard_library(filename: str) -> bool:
    return filename.startswith("<") or Path(filename).is_relative_to(Path(traceback.__file__).parent)


def _traceback(error: BaseException) -> str:
    """The traceback as Python prints it, without our own frames on top."""
    outer = error.__traceback__
    while outer is not None and outer.tb_next is not None and _ours(outer.tb_frame.f_code.co_filename):
        outer = outer.tb_next
    return "".join(traceback.format_exception(type(error), error, outer))


def clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def clip_middle(text: str, limit: int) -> str:
    """Both ends of a long text: the top of a traceback says where it began, its end what went wrong."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]}\n... {len(text) - limit} characters left out ...\n{text[-half:]}"
