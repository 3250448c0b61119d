"""What a compiled definition calls: functions, parts it starts, items it runs as executions of their own. From this,
and from nothing else, follows what a machine's role has to be allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from solidstate.planner.states import (
    CALLBACK,
    START_EXECUTION,
    Machine,
    Map,
    Parallel,
    State,
    Task,
    group_in,
    payload_of,
)

_PART = re.compile(r"\$\{(\w+)Arn\}")


class Calls(msgspec.Struct, frozen=True):
    """Groups whose functions are called, those of them that answer task tokens, steps that may park, and parts that are
    started, in the order of the definition; whether there is a distributed Map, which starts executions of the machine
    itself."""

    groups: tuple[str, ...]
    answering: tuple[str, ...]
    parking: tuple[str, ...]
    parts: tuple[str, ...]
    distributed: bool


def calls_of(definition: bytes) -> Calls:
    """Of a definition as it was compiled, with its placeholders."""
    machine = msgspec.json.decode(definition, type=Machine)
    groups: dict[str, bool] = {}
    parking: dict[str, None] = {}
    parts: dict[str, None] = {}
    distributed = False
    for state in _states(machine.states):
        if isinstance(state, Map):
            distributed |= state.item_processor.processor_config.mode == "DISTRIBUTED"
        elif isinstance(state, Task) and state.resource == START_EXECUTION:
            parts[_PART.sub(r"\1", state.parameters["StateMachineArn"])] = None
        elif isinstance(state, Task):
            called = state.parameters["FunctionName"] if state.resource == CALLBACK else state.resource
            group = group_in(called) or ""
            # Who is given a token answers it, or leaves it for others; who wakes answers theirs.
            payload = payload_of(state)
            groups[group] = groups.get(group, False) or "token.$" in payload or "wakes" in payload
            if payload["kind"] == "step" and "token.$" in payload:
                parking[payload["step"]] = None
    answering = tuple(group for group, answers in groups.items() if answers)
    return Calls(tuple(groups), answering, tuple(parking), tuple(parts), distributed)


def _states(states: Mapping[str, State]) -> Iterator[State]:
    """All states, those inside Parallels and Maps too."""
    for state in states.values():
        yield state
        if isinstance(state, Parallel):
            for branch in state.branches:
                yield from _states(branch.states)
        elif isinstance(state, Map):
            yield from _states(state.item_processor.states)
