"""What travels between simulated states: payload templates filled in, results put in their place.

Only what compiled definitions use. Whatever else a definition holds is a fault of the simulation, never silently
something else than the service would do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from solidstate.errors import SolidstateError

_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]|\['([^'\]]+)'\]")
_PARSE = re.compile(r"States\.StringToJson\((.*)\)")


class SimulationError(SolidstateError):
    """A definition that would not do what its plan says, or that the simulator does not understand."""


def look_up(path: str, data: Any, context: Mapping[str, Any]) -> Any:
    """What a path such as ``$.run.id`` or ``$$.State.RetryCount`` leads to. Raises SimulationError for nothing."""
    inner = _PARSE.fullmatch(path)
    if inner is not None:
        return msgspec.json.decode(look_up(inner[1], data, context))
    found: Any = context if path.startswith("$$") else data
    rest = path[2:] if path.startswith("$$") else path[1:]
    place = 0
    while place < len(rest):
        step = _STEP.match(rest, place)
        if step is None or not path.startswith("$"):
            raise SimulationError(f"`{path}` is no path that the simulator reads.", path=path)
        key = int(step[2]) if step[2] is not None else step[1] or step[3]
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError):
            raise SimulationError(f"The path `{path}` leads to nothing: there is no `{key}`.", path=path) from None
        place = step.end()
    return found


def fill_in(template: Any, data: Any, context: Mapping[str, Any]) -> Any:
    """A payload template with the fields whose names end in ``.$`` computed."""
    if isinstance(template, dict):
        return dict(_filled(key, value, data, context) for key, value in template.items())
    if isinstance(template, list):
        return [fill_in(one, data, context) for one in template]
    return template


def _filled(key: str, value: Any, data: Any, context: Mapping[str, Any]) -> tuple[str, Any]:
    if key.endswith(".$"):
        return key.removesuffix(".$"), look_up(value, data, context)
    return key, fill_in(value, data, context)


def put_result(state: Mapping[str, Any], data: Any, result: Any) -> Any:
    """A state's output: its result at ``ResultPath`` of its input, and of that what ``OutputPath`` says."""
    output = placed(state.get("ResultPath", "$"), data, result)
    shown = state.get("OutputPath", "$")
    return {} if shown is None else look_up(shown, output, {})


def placed(path: str | None, data: Any, value: Any) -> Any:
    """``data`` with ``value`` at a path of one name; None throws the value away, ``$`` the data."""
    if path is None:
        return data
    if path == "$":
        return value
    step = _STEP.fullmatch(path, 1)
    if step is None or step[1] is None or not isinstance(data, dict):
        raise SimulationError(f"The simulator puts no result at `{path}`.", path=path)
    return {**data, step[1]: value}
