"""Type variables of decorated functions, with defaults: a bare ``SolidDefinition`` is one of any function.

Python's own type variables have defaults from 3.13 on. Type checkers know those of ``typing_extensions`` without it
being installed; at run time none are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import ParamSpec, TypeVar

    P = ParamSpec("P", default=...)
    R = TypeVar("R", default=Any)
else:
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")
