"""A judge for state machine definitions that needs no AWS account: what the service would refuse or silently not do.

Public linters miss some of these faults (targets outside the scope, ``States.ALL`` beside other names), and the local
interpreter accepts all of them. Rules are from the Amazon States Language specification unless they say otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from solidstate.errors import CompileError, closest, name_list
from solidstate.planner.limits import MAX_DEFINITION_BYTES, MAX_MAP_CONCURRENCY, MAX_STATE_NAME
from solidstate.planner.lint_calls import lint_calls
from solidstate.planner.lint_walk import fault, scopes, targets
from solidstate.planner.paths import expression_fault, path_fault
from solidstate.planner.states import STATES_ALL, Json

_CONTINUE = frozenset({"Task", "Pass", "Parallel", "Map", "Wait"})
_TYPES = _CONTINUE | {"Choice", "Succeed", "Fail"}
_AT_LEAST = (("IntervalSeconds", 1), ("MaxAttempts", 0), ("BackoffRate", 1), ("MaxDelaySeconds", 1))


def lint(definition: bytes) -> list[CompileError]:
    """All faults of a definition in JSON, in reading order; none when all is well. The JSON itself must be valid."""
    repeated: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        repeated.extend(key for number, key in enumerate(keys) if key in keys[:number])
        return dict(pairs)

    machine = json.loads(definition, object_pairs_hook=unique)
    faults = [fault("", f"The key `{key}` stands more than once in one object.") for key in repeated]
    if len(definition) > MAX_DEFINITION_BYTES:
        faults.append(fault("", f"The definition has {len(definition):,} bytes, more than {MAX_DEFINITION_BYTES:,}."))
    places: dict[str, str] = {}
    for path, scope in scopes(machine):
        faults.extend(_lint_scope(scope, path))
        for name, state in scope["States"].items():
            here = f"{path}States.{name}"
            if name in places:
                faults.append(fault(here, f"The state name `{name}` is already used at {places[name]}."))
            places[name] = here
            faults.extend(_lint_name(name, here))
            faults.extend(_lint_state(name, state, scope["States"], here))
        faults.extend(lint_calls(scope["States"], path))
    return faults


def _lint_scope(scope: dict[str, Any], path: str) -> Iterator[CompileError]:
    states: dict[str, Any] = scope["States"]
    if scope.get("StartAt") not in states:
        yield fault(f"{path}StartAt", _no_such_state(scope.get("StartAt"), states))
    reached: set[str] = set()
    todo = [scope.get("StartAt")]
    while todo:
        name = todo.pop()
        if name in states and name not in reached:
            reached.add(name)
            todo.extend(target for _, target in targets(states[name]))
    lost = [name for name in states if name not in reached]
    if lost:
        yield fault(f"{path}States", f"No way leads from StartAt to {name_list(lost)}.")


def _no_such_state(name: object, states: dict[str, Any]) -> str:
    near = closest(str(name), states)
    return f"There is no state `{name}` in this scope{f'; the nearest name is `{near}`' if near else ''}."


def _lint_name(name: str, path: str) -> Iterator[CompileError]:
    if not 1 <= len(name) <= MAX_STATE_NAME:
        yield fault(path, f"A state name has 1 to {MAX_STATE_NAME} characters, but this one has {len(name)}.")
    if not name.isprintable():
        yield fault(path, f"A state name has printable characters only, but this one is {name!r}.")


def _lint_state(name: str, state: dict[str, Any], states: dict[str, Any], path: str) -> Iterator[CompileError]:
    kind = state.get("Type")
    if kind not in _TYPES:
        yield fault(f"{path}.Type", f"A state type is one of {name_list(sorted(_TYPES))}, but this one is `{kind}`.")
    ways = ("Next" in state) + ("End" in state)
    if kind in _CONTINUE and ways != 1:
        yield fault(path, f"A {kind} state has either `Next` or `End`, but this one has {'both' if ways else 'none'}.")
    if kind not in _CONTINUE and ways:
        yield fault(path, f"A {kind} state has neither `Next` nor `End`.")
    if kind == "Parallel" and not state.get("Branches"):
        yield fault(path, "A Parallel state has at least one branch, but this one has none.")
    if kind == "Map":
        yield from _lint_map(state, path)
    for field, target in targets(state):
        if target not in states:
            yield fault(f"{path}.{field}", _no_such_state(target, states))
        elif field.startswith("Catch") and target == name:
            # Legal, but the local interpreter leaves the state instead of entering it again.
            yield fault(f"{path}.{field}", "A Catch may not lead back to its own state.")
    for field in ("Retry", "Catch"):
        yield from _lint_errors(state.get(field, []), f"{path}.{field}")
    yield from _lint_paths(state, path)


def _lint_map(state: dict[str, Any], path: str) -> Iterator[CompileError]:
    if "ItemProcessor" not in state:
        yield fault(path, "A Map state has an `ItemProcessor`, but this one has none.")
    mode = state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode", "INLINE")
    if mode not in ("INLINE", "DISTRIBUTED"):
        yield fault(
            f"{path}.ItemProcessor.ProcessorConfig.Mode",
            f"A Map is `INLINE` or `DISTRIBUTED`, but this one is `{mode}`.",
        )
    if mode == "INLINE":
        for field in (
            "ItemReader",
            "ToleratedFailurePercentage",
            "ToleratedFailureCount",
            "ItemBatcher",
            "ResultWriter",
            "Label",
        ):
            if field in state:
                yield fault(f"{path}.{field}", f"Only a distributed Map has `{field}`.")
    elif "ItemReader" in state and "ItemsPath" in state:
        yield fault(path, "A Map has either `ItemReader` or `ItemsPath`, but this one has both.")
    if not 0 <= state.get("MaxConcurrency", 0) <= MAX_MAP_CONCURRENCY:
        yield fault(
            f"{path}.MaxConcurrency",
            f"`MaxConcurrency` is 0 to {MAX_MAP_CONCURRENCY:,}, but here it is {state['MaxConcurrency']}.",
        )


def _lint_errors(entries: list[dict[str, Any]], path: str) -> Iterator[CompileError]:
    for number, entry in enumerate(entries):
        here = f"{path}[{number}]"
        names = entry.get("ErrorEquals", [])
        if not names:
            yield fault(here, "`ErrorEquals` names at least one error, but here it names none.")
        if STATES_ALL in names and len(names) > 1:
            yield fault(here, f"`{STATES_ALL}` stands alone, but here it stands with {len(names) - 1} more.")
        if STATES_ALL in names and number < len(entries) - 1:
            yield fault(here, f"`{STATES_ALL}` comes last, but here {len(entries) - 1 - number} more follow.")
        for field, least in _AT_LEAST:
            if entry.get(field, least) < least:
                yield fault(f"{here}.{field}", f"`{field}` is at least {least}, but here it is {entry[field]}.")


def _lint_paths(state: dict[str, Any], path: str) -> Iterator[CompileError]:
    for field, value in state.items():
        if field.endswith("Path") and value is not None:
            yield from _told(f"{path}.{field}", path_fault(value, context=field != "ResultPath"))
    for number, entry in enumerate(state.get("Catch", ())):
        if entry.get("ResultPath", "$") is not None:
            problem = path_fault(entry.get("ResultPath", "$"), context=False)
            yield from _told(f"{path}.Catch[{number}].ResultPath", problem)
    templates = [(field, state.get(field)) for field in ("Parameters", "ResultSelector", "ItemSelector")]
    templates.append(("ItemReader.Parameters", state.get("ItemReader", {}).get("Parameters")))
    for field, template in templates:
        for key, value in _template(template, f"{path}.{field}"):
            yield from _told(key, expression_fault(value))


def _told(path: str, problem: str) -> Iterator[CompileError]:
    if problem:
        yield fault(path, problem)


def _template(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """All fields of a payload template whose value the service computes: those whose key ends in ``.$``."""
    todo: list[tuple[str, Json]] = [(path, value)]
    for here, found in todo:
        if isinstance(found, dict):
            for key, item in found.items():
                if key.endswith(".$"):
                    yield f"{here}.{key}", item
                else:
                    todo.append((f"{here}.{key}", item))
        elif isinstance(found, list):
            todo.extend((f"{here}[{number}]", item) for number, item in enumerate(found))
