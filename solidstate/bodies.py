"""Running the body of a ``@pipeline`` or a ``@composite_solid``, and saying where it went wrong."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from solidstate.errors import DefinitionError, SolidstateError, short
from solidstate.signature import where


def run_body(func: Callable[..., Any], title: str, subject: str, **arguments: Any) -> Any:
    """What the body returns. Raises DefinitionError, with the line of the body, for whatever else it raises; ``title``
    says whose body it is: ``pipeline `flights` ``."""
    try:
        return func(**arguments)
    except SolidstateError:
        raise
    except Exception as error:
        # The innermost line of the body itself: what it called may be anybody's.
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.name == func.__name__]
        file = where(func).rpartition(":")[0]
        raise DefinitionError(
            f"The body of {title} raised {type(error).__name__}: {short(str(error), 300)}.",
            subject=subject,
            path=f"{file}:{lines[-1]}" if lines else where(func),
            hint=f"a {title.partition(' ')[0]}'s body only connects solids; compute inside of a solid",
        ) from error
