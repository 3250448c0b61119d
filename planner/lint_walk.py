"""What all our judges of definitions share: how faults are told, and the ways through states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from solidstate.errors import CompileError
from solidstate.planner.states import CALLBACK, START_EXECUTION


def fault(path: str, problem: str) -> CompileError:
    """One fault, with the place it is at."""
    return CompileError(problem, path=path, hint="correct the definition at this place, or compile it again")


def scopes(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The machine and all branches inside it, outer ones first, each with the path to its fields."""
    todo: list[tuple[str, dict[str, Any]]] = [("", machine)]
    for path, scope in todo:
        yield path, scope
        for name, state in scope["States"].items():
            for number, branch in enumerate(state.get("Branches", ())):
                todo.append((f"{path}States.{name}.Branches[{number}].", branch))
            if "ItemProcessor" in state:
                todo.append((f"{path}States.{name}.ItemProcessor.", state["ItemProcessor"]))


def targets(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where a state may go on to: (field, name)."""
    for field in ("Next", "Default"):
        if field in state:
            yield field, state[field]
    for field in ("Catch", "Choices"):
        for number, entry in enumerate(state.get(field, ())):
            yield f"{field}[{number}].Next", entry["Next"]


def caught(state: dict[str, Any], error: str) -> str | None:
    """Where a state goes on to after an error of that very name."""
    for catcher in state.get("Catch", ()):
        if error in catcher.get("ErrorEquals", ()):
            target: str = catcher["Next"]
            return target
    return None


def called_with(state: dict[str, Any]) -> dict[str, Any] | None:
    """What a Task calls the function with, as the template of the payload; None for all that calls no function."""
    if state.get("Type") != "Task" or state.get("Resource") == START_EXECUTION:
        return None
    asked: dict[str, Any] = state.get("Parameters", {})
    if state.get("Resource") == CALLBACK:
        asked = asked.get("Payload", {})
    return asked
