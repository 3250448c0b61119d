"""All machines of a pipeline, judged together: what is true of none of them alone.

Steps meet across machines: who waits and who wakes may run in different executions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from solidstate.errors import CompileError, name_list
from solidstate.planner.lint import lint
from solidstate.planner.lint_calls import sleeper
from solidstate.planner.lint_walk import called_with, fault, scopes
from solidstate.planner.states import START_EXECUTION

_PART = re.compile(r"\$\{(\w+)Arn\}")


class _Meeting(msgspec.Struct, frozen=True):
    """Whom a step, an item of a step or a region waits for or wakes, and the place that says so."""

    path: str
    names: dict[str, None]


_Key = tuple[str, bool]
"""A step, and whether it is run for one item of many; a region is known by its first step, without an item."""


def lint_machines(definition: bytes, parts: Mapping[str, bytes] | None = None) -> list[CompileError]:
    """All faults of a pipeline's own machine, of each of its ``parts`` (by name), and between them."""
    machines = {"": definition, **(parts or {})}
    faults: list[CompileError] = []
    for name, text in machines.items():
        faults.extend(fault(_at(name, found.path), found.problem) for found in lint(text))
    decoded: dict[str, dict[str, Any]] = {name: json.loads(text) for name, text in machines.items()}
    faults.extend(_lint_parts(decoded))
    faults.extend(_lint_frame(decoded))
    faults.extend(_lint_meetings(decoded))
    return faults


def _at(machine: str, path: str) -> str:
    return f"{machine}: {path}" if machine else path


def _states(machines: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every state of every machine: (machine, path, state)."""
    for machine, decoded in machines.items():
        for path, scope in scopes(decoded):
            for name, state in scope["States"].items():
                yield machine, _at(machine, f"{path}States.{name}"), state


def _lint_parts(machines: Mapping[str, dict[str, Any]]) -> Iterator[CompileError]:
    """Every part is started at exactly one place, and none by itself, at whatever remove."""
    starts: dict[str, list[str]] = {name: [] for name in machines}
    places: dict[str, str] = {}
    for machine, path, state in _states(machines):
        if state.get("Resource") != START_EXECUTION:
            continue
        named = _PART.fullmatch(str(state.get("Parameters", {}).get("StateMachineArn")))
        part = named[1] if named else ""
        if not named or part not in machines:
            yield fault(path, f"There is no part that `{state['Parameters'].get('StateMachineArn')}` stands for.")
        elif part in places:
            yield fault(path, f"`{part}` is already started at {places[part]}: its steps would run twice.")
        else:
            places[part] = path
            starts[machine].append(part)
    reached: set[str] = set()
    todo = [""]
    while todo:
        machine = todo.pop()
        reached.add(machine)
        todo.extend(part for part in starts[machine] if part not in reached)
    for part in sorted(machines.keys() - reached):
        why = "only parts that start each other do" if part in places else "no machine does"
        yield fault(part, f"The pipeline's own machine does not come to start `{part}`; {why}.")


def _calls(machines: Mapping[str, dict[str, Any]], *kinds: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every call of the function of these kinds: (machine, path, payload)."""
    for machine, path, state in _states(machines):
        payload = called_with(state)
        if payload is not None and payload.get("kind") in kinds:
            yield machine, path, payload


def _lint_frame(machines: Mapping[str, dict[str, Any]]) -> Iterator[CompileError]:
    """A run begins once and ends once, in the pipeline's own machine."""
    for kind in ("start", "end"):
        places = [(machine, path) for machine, path, _ in _calls(machines, kind)]
        if len(places) != 1 or places[0][0]:
            told = name_list([path for _, path in places]) or "nowhere"
            yield fault("", f"The pipeline's own machine has one Task of kind `{kind}`, but it is found at: {told}.")


def _lint_meetings(machines: Mapping[str, dict[str, Any]]) -> Iterator[CompileError]:
    """Every step has one place, and who waits for whom is who is woken by whom."""
    waiting: dict[_Key, _Meeting] = {}
    waking: dict[_Key, _Meeting] = {}
    behind: dict[_Key, _Meeting] = {}
    for _, path, payload in _calls(machines, "step", "items", "gate", "ended"):
        key = (sleeper(payload), "item.$" in payload)
        meeting = _Meeting(path, dict.fromkeys(payload.get("wakes", ())))
        if payload["kind"] == "ended":
            behind[key] = meeting
        elif payload["kind"] == "step" and not payload.get("woken"):
            if key in waking:
                yield fault(path, f"Step `{key[0]}` is already called at {waking[key].path}.")
            waking[key] = meeting
        if payload.get("waits"):
            if key in waiting:
                yield fault(path, f"`{key[0]}` already waits at {waiting[key].path}.")
            waiting[key] = _Meeting(path, dict.fromkeys(payload["waits"]))
    # What stands behind a region speaks for it; what stands behind a step that failed repeats what the step says.
    yield from _asymmetries(waiting, {**behind, **waking})


def _asymmetries(waiting: dict[_Key, _Meeting], waking: dict[_Key, _Meeting]) -> Iterator[CompileError]:
    nobody = _Meeting("", {})
    for (name, item), meeting in waiting.items():
        deaf = [other for other in meeting.names if name not in waking.get((other, item), nobody).names]
        if deaf:
            yield fault(meeting.path, f"`{name}` waits for {name_list(deaf)}, which will not wake it.")
    for (name, item), meeting in waking.items():
        gone = [other for other in meeting.names if name not in waiting.get((other, item), nobody).names]
        if gone:
            yield fault(meeting.path, f"`{name}` wakes {name_list(gone)}, which will not wait for it.")
