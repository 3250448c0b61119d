"""Running the body of a ``@pipeline`` or a ``@composite_solid``, and saying where it went wrong."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from solidstate.errors import DefinitionError, DefinitionErrors, SolidstateError, short
from solidstate.signature import where


def run_body(func: Callable[..., Any], title: str, subject: str, **arguments: Any) -> Any:
    """What the body returns. Raises DefinitionError, with the line of the body, for whatever else it raises; ``title``
    says whose body it is: ``pipeline `flights` ``. A DefinitionError that says no place gets that line, too."""
    try:
        return func(**arguments)
    except DefinitionError as error:
        if not error.path and not isinstance(error, DefinitionErrors):
            error.path = _line(func, error)
        raise
    except SolidstateError:
        raise
    except Exception as error:
        raise DefinitionError(
            f"The body of {title} raised {type(error).__name__}: {short(str(error), 300)}.",
            subject=subject,
            path=_line(func, error),
            hint=f"a {title.partition(' ')[0]}'s body only connects solids; compute inside of a solid",
        ) from error


def _line(func: Callable[..., Any], error: BaseException) -> str:
    """``file:line`` of the innermost line of the body itself: what it called may be anybody's."""
    file = where(func).rpartition(":")[0]
    trace = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in trace if frame.name == func.__name__ and frame.filename == file]
    return f"{file}:{lines[-1]}" if lines else where(func)
