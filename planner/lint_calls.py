"""What definitions say to the Lambda function, judged: payloads, task tokens, and that whoever ends wakes.

No public judge knows our contract, and no interpreter minds when it is broken: a step without a wake-up would be found
out by a run that hangs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from solidstate.errors import CompileError, name_list
from solidstate.planner import contract
from solidstate.planner.lint_walk import called_with, caught, fault
from solidstate.planner.states import CALLBACK, STATES_ALL

_PAYLOADS: dict[str, type[msgspec.Struct]] = {
    "start": contract.StartPayload,
    "step": contract.StepPayload,
    "items": contract.ItemsPayload,
    "gate": contract.GatePayload,
    "ended": contract.EndedPayload,
    "end": contract.EndPayload,
}
_MAY_FAIL = frozenset({"start", "end", "ended", "gate"})
"""Kinds whose failure ends the run, and is to: nothing could go on, or somebody would wait for ever."""


def lint_calls(states: dict[str, Any], path: str) -> Iterator[CompileError]:
    """Faults of the Tasks of one scope, which has them at ``path``."""
    for name, state in states.items():
        payload = called_with(state)
        if payload is None:
            continue
        here = f"{path}States.{name}"
        kind = payload.get("kind")
        if kind not in _PAYLOADS:
            known = name_list(sorted(_PAYLOADS))
            yield fault(here, f"The function is called with a `kind` that is one of {known}, but here it is `{kind}`.")
            continue
        wrong = list(_lint_fields(payload, _PAYLOADS[kind], here))
        if wrong:
            yield from wrong
            continue
        yield from _lint_token(state, payload, states, here)
        if kind not in _MAY_FAIL and caught(state, STATES_ALL) is None:
            yield fault(here, f"A Task of kind `{kind}` catches `{STATES_ALL}`, or its failure stops its neighbours.")
        yield from _lint_ending(name, state, payload, states, here)


def sleeper(payload: dict[str, Any]) -> str:
    """The step under whose name a call parks."""
    steps = payload.get("steps") if payload.get("kind") == "items" else [payload.get("step")]
    return str(steps[0]) if steps else ""


def _lint_fields(payload: dict[str, Any], kind: type[msgspec.Struct], path: str) -> Iterator[CompileError]:
    given = {key.removesuffix(".$") for key in payload} - {"kind"}
    fields = {field.name: field.required for field in msgspec.structs.fields(kind)}
    for name in sorted(given - fields.keys()):
        yield fault(path, f"A payload of kind `{payload['kind']}` has no field `{name}`.")
    for name in sorted(name for name, required in fields.items() if required and name not in given):
        yield fault(path, f"A payload of kind `{payload['kind']}` has the field `{name}`, but here it is left out.")


def _lint_token(
    state: dict[str, Any], payload: dict[str, Any], states: dict[str, Any], path: str
) -> Iterator[CompileError]:
    """Who waits hands over its token, and is entered anew by another state when it was woken."""
    if state.get("Resource") != CALLBACK:
        for field in ("token.$", "waits"):
            if field in payload:
                yield fault(path, f"Only a callback Task has `{field.removesuffix('.$')}`.")
        return
    if payload.get("token.$") != "$$.Task.Token":
        yield fault(path, "A callback Task hands its `$$.Task.Token` over as `token`, or nobody can answer it.")
    if "FunctionName" not in state.get("Parameters", {}):
        yield fault(path, "A callback Task names its function in `FunctionName`.")
    if not payload.get("waits"):
        yield fault(path, "A callback Task says in `waits` what it waits for.")
    again = [retrier for retrier in state.get("Retry", ()) if "States.Timeout" in retrier.get("ErrorEquals", ())]
    if "TimeoutSeconds" not in state or not again:
        yield fault(path, "A callback Task has a `TimeoutSeconds` and repeats `States.Timeout`: a wake-up may be lost.")
    ready = caught(state, contract.READY)
    if ready is None:
        yield fault(path, f"A callback Task catches `{contract.READY}`, or waking it fails it.")
    elif payload["kind"] == "gate":
        if ready != state.get("Next"):
            yield fault(path, f"A gate that was woken goes on as any other, but this one leads to `{ready}`.")
    elif ready in states:
        yield from _lint_twin(payload, called_with(states[ready]) or {}, ready, path)


def _lint_twin(payload: dict[str, Any], twin: dict[str, Any], name: str, path: str) -> Iterator[CompileError]:
    """What is called when it was woken is the same without a token."""
    expected = {key: value for key, value in payload.items() if key not in ("token.$", "waits")} | {"woken": True}
    if twin != expected:
        differing = sorted(key for key in expected.keys() | twin.keys() if expected.get(key) != twin.get(key))
        yield fault(
            path,
            f"`{name}`, which is entered when it was woken, makes the same call as `woken`, but differs in "
            f"{name_list(differing)}.",
        )


def _lint_ending(
    name: str, state: dict[str, Any], payload: dict[str, Any], states: dict[str, Any], path: str
) -> Iterator[CompileError]:
    """Whatever way a step ends, those that wait for it are woken: by itself, or by the state behind its Catch; those
    that wait for a region by the state behind its Map."""
    if payload["kind"] == "step" and payload.get("wakes"):
        yield from _lint_led(caught(state, STATES_ALL), payload["step"], payload["wakes"], states, f"{path}.Catch")
    if payload["kind"] == "items":
        behind = next((one for one in states.values() if _ends(one, sleeper(payload))), None)
        if behind is None:
            return
        wakes = _woken_by(behind)
        yield from _lint_led(caught(state, STATES_ALL), sleeper(payload), wakes, states, f"{path}.Catch")
        each = states.get(state.get("Next", ""), {})
        if each.get("Type") == "Map":
            there = f"{path.removesuffix(name)}{state['Next']}"
            yield from _lint_led(each.get("Next"), sleeper(payload), wakes, states, there)
            if "Catch" in each:
                yield from _lint_led(caught(each, STATES_ALL), sleeper(payload), wakes, states, f"{there}.Catch")


def _ends(state: dict[str, Any], step: str) -> bool:
    payload = called_with(state) or {}
    return payload.get("kind") == "ended" and payload.get("step") == step


def _woken_by(state: dict[str, Any]) -> list[str]:
    found: list[str] = (called_with(state) or {}).get("wakes", [])
    return found


def _lint_led(
    target: str | None, step: str, wakes: list[str], states: dict[str, Any], path: str
) -> Iterator[CompileError]:
    """Whether the way leads to a state that records the end of ``step`` and wakes."""
    found = states.get(target or "", {})
    if not _ends(found, step):
        yield fault(
            path, f"{name_list(wakes, 4)} would wait for ever: this way does not lead to a Task of kind `ended`."
        )
    elif (told := _woken_by(found)) != wakes:
        yield fault(path, f"`{target}` wakes {name_list(told, 4)}, but {name_list(wakes, 4)} wait for `{step}`.")
