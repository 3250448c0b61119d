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
    faults = [_fault("", f"The key `{key}` stands more than once in one object.") for key in repeated]
    if len(definition) > MAX_DEFINITION_BYTES:
        faults.append(_fault("", f"The definition has {len(definition):,} bytes, more than {MAX_DEFINITION_BYTES:,}."))
    places: dict[str, str] = {}
    for path, scope in _scopes(machine):
        faults.extend(_lint_scope(scope, path))
        for name, state in scope["States"].items():
            here = f"{path}States.{name}"
            if name in places:
                faults.append(_fault(here, f"The state name `{name}` is already used at {places[name]}."))
            places[name] = here
            faults.extend(_lint_name(name, here))
            faults.extend(_lint_state(name, state, scope["States"], here))
    return faults


def _fault(path: str, problem: str) -> CompileError:
    return CompileError(problem, path=path, hint="correct the definition at this place, or compile it again")


def _scopes(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The machine and all branches inside it, outer ones first, each with the path to its fields."""
    todo: list[tuple[str, dict[str, Any]]] = [("", machine)]
    for path, scope in todo:
        yield path, scope
        for name, state in scope["States"].items():
            for number, branch in enumerate(state.get("Branches", ())):
                todo.append((f"{path}States.{name}.Branches[{number}].", branch))
            if "ItemProcessor" in state:
                todo.append((f"{path}States.{name}.ItemProcessor.", state["ItemProcessor"]))


def _targets(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where a state may go on to: (field, name)."""
    for field in ("Next", "Default"):
        if field in state:
            yield field, state[field]
    for field in ("Catch", "Choices"):
        for number, entry in enumerate(state.get(field, ())):
            yield f"{field}[{number}].Next", entry["Next"]


def _lint_scope(scope: dict[str, Any], path: str) -> Iterator[CompileError]:
    states: dict[str, Any] = scope["States"]
    if scope.get("StartAt") not in states:
        yield _fault(f"{path}StartAt", _no_such_state(scope.get("StartAt"), states))
    reached: set[str] = set()
    todo = [scope.get("StartAt")]
    while todo:
        name = todo.pop()
        if name in states and name not in reached:
            reached.add(name)
            todo.extend(target for _, target in _targets(states[name]))
    lost = [name for name in states if name not in reached]
    if lost:
        yield _fault(f"{path}States", f"No way leads from StartAt to {name_list(lost)}.")


def _no_such_state(name: object, states: dict[str, Any]) -> str:
    near = closest(str(name), states)
    return f"There is no state `{name}` in this scope{f'; the nearest name is `{near}`' if near else ''}."


def _lint_name(name: str, path: str) -> Iterator[CompileError]:
    if not 1 <= len(name) <= MAX_STATE_NAME:
        yield _fault(path, f"A state name has 1 to {MAX_STATE_NAME} characters, but this one has {len(name)}.")
    if not name.isprintable():
        yield _fault(path, f"A state name has printable characters only, but this one is {name!r}.")


def _lint_state(name: str, state: dict[str, Any], states: dict[str, Any], path: str) -> Iterator[CompileError]:
    kind = state.get("Type")
    if kind not in _TYPES:
        yield _fault(f"{path}.Type", f"A state type is one of {name_list(sorted(_TYPES))}, but this one is `{kind}`.")
    ways = ("Next" in state) + ("End" in state)
    if kind in _CONTINUE and ways != 1:
        yield _fault(path, f"A {kind} state has either `Next` or `End`, but this one has {'both' if ways else 'none'}.")
    if kind not in _CONTINUE and ways:
        yield _fault(path, f"A {kind} state has neither `Next` nor `End`.")
    if kind == "Parallel" and not state.get("Branches"):
        yield _fault(path, "A Parallel state has at least one branch, but this one has none.")
    if kind == "Map":
        yield from _lint_map(state, path)
    for field, target in _targets(state):
        if target not in states:
            yield _fault(f"{path}.{field}", _no_such_state(target, states))
        elif field.startswith("Catch") and target == name:
            # Legal, but the local interpreter leaves the state instead of entering it again.
            yield _fault(f"{path}.{field}", "A Catch may not lead back to its own state.")
    for field in ("Retry", "Catch"):
        yield from _lint_errors(state.get(field, []), f"{path}.{field}")
    yield from _lint_paths(state, path)


def _lint_map(state: dict[str, Any], path: str) -> Iterator[CompileError]:
    if "ItemProcessor" not in state:
        yield _fault(path, "A Map state has an `ItemProcessor`, but this one has none.")
    mode = state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode", "INLINE")
    if mode not in ("INLINE", "DISTRIBUTED"):
        yield _fault(
            f"{path}.ItemProcessor.ProcessorConfig.Mode",
            f"A Map is `INLINE` or `DISTRIBUTED`, but this one is `{mode}`.",
        )
    if mode == "INLINE":
        for field in ("ItemReader", "ToleratedFailurePercentage", "ItemBatcher", "ResultWriter", "Label"):
            if field in state:
                yield _fault(f"{path}.{field}", f"Only a distributed Map has `{field}`.")
    elif "ItemReader" in state and "ItemsPath" in state:
        yield _fault(path, "A Map has either `ItemReader` or `ItemsPath`, but this one has both.")
    if not 0 <= state.get("MaxConcurrency", 0) <= MAX_MAP_CONCURRENCY:
        yield _fault(
            f"{path}.MaxConcurrency",
            f"`MaxConcurrency` is 0 to {MAX_MAP_CONCURRENCY:,}, but here it is {state['MaxConcurrency']}.",
        )


def _lint_errors(entries: list[dict[str, Any]], path: str) -> Iterator[CompileError]:
    for number, entry in enumerate(entries):
        here = f"{path}[{number}]"
        names = entry.get("ErrorEquals", [])
        if not names:
            yield _fault(here, "`ErrorEquals` names at least one error, but here it names none.")
        if STATES_ALL in names and len(names) > 1:
            yield _fault(here, f"`{STATES_ALL}` stands alone, but here it stands with {len(names) - 1} more.")
        if STATES_ALL in names and number < len(entries) - 1:
            yield _fault(here, f"`{STATES_ALL}` comes last, but here {len(entries) - 1 - number} more follow.")
        for field, least in _AT_LEAST:
            if entry.get(field, least) < least:
                yield _fault(f"{here}.{field}", f"`{field}` is at least {least}, but here it is {entry[field]}.")


def _lint_paths(state: dict[str, Any], path: str) -> Iterator[CompileError]:
    for field, value in state.items():
        if field.endswith("Path") and value is not None:
            fault = path_fault(value, context=field != "ResultPath")
            if fault:
                yield _fault(f"{path}.{field}", fault)
    for number, entry in enumerate(state.get("Catch", ())):
        fault = path_fault(entry.get("ResultPath", "$"), context=False)
        if fault:
            yield _fault(f"{path}.Catch[{number}].ResultPath", fault)
    templates = [(field, state.get(field)) for field in ("Parameters", "ResultSelector", "ItemSelector")]
    templates.append(("ItemReader.Parameters", state.get("ItemReader", {}).get("Parameters")))
    for field, template in templates:
        for key, value in _template(template, f"{path}.{field}"):
            fault = expression_fault(value)
            if fault:
                yield _fault(key, fault)


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
