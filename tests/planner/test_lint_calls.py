"""What a definition says to the function, with one fault planted at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.planner.compile import compile_plan
from solidstate.planner.lint import lint
from tests.planner.thought import MAPPED, N_SHAPE, decoded, durations, encoded, plain_plans, plan_of, scope_of, step

Fault = Callable[[dict[str, Any]], None]
FORK = "States.2 branches - a and others.Branches"


def state(name: str, **fields: Any) -> Fault:
    """Change fields of a state; a value of ``...`` removes one."""

    def plant(definition: dict[str, Any]) -> None:
        found = scope_of(definition, name)[name]
        for field, value in fields.items():
            found[field] = value
            if value is ...:
                del found[field]

    return plant


def payload(name: str, key: str, value: Any = ...) -> Fault:
    """Change a field of what the function is called with, or remove it."""

    def plant(definition: dict[str, Any]) -> None:
        found = scope_of(definition, name)[name]["Parameters"]
        found = found.get("Payload", found)
        found[key] = value
        if value is ...:
            del found[key]

    return plant


def catch(name: str, number: int, **fields: Any) -> Fault:
    """Change an entry of a state's Catch."""

    def plant(definition: dict[str, Any]) -> None:
        scope_of(definition, name)[name]["Catch"][number].update(fields)

    return plant


def told(definition: dict[str, Any]) -> list[str]:
    return [f"{fault.path}: {fault.problem}" for fault in lint(encoded(definition).definition)]


@given(st.data())
def test_what_we_compile_has_no_faults(data: st.DataObject) -> None:
    """Whatever the graph and the estimates."""
    plan = data.draw(plain_plans())
    assert lint(compile_plan(plan, data.draw(durations(plan))).definition) == []
    assert lint(compile_plan(MAPPED, {"side": data.draw(st.sampled_from([0.1, 50.0]))}).definition) == []


RETRY = {"ErrorEquals": ["States.Timeout"]}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            payload("c", "kind", "stop"),
            f"{FORK}[0].States.c: The function is called with a `kind` that is one of `end`, `ended`, `gate`, "
            "`items`, `start`, `step`, but here it is `stop`.",
        ),
        (payload("c", "wake", ["d"]), f"{FORK}[0].States.c: A payload of kind `step` has no field `wake`."),
        (
            payload("c", "run.$"),
            f"{FORK}[0].States.c: A payload of kind `step` has the field `run`, but here it is left out.",
        ),
        (
            payload("d", "token.$", "$.token"),
            f"{FORK}[1].States.d: A callback Task hands its `$$.Task.Token` over as `token`, or nobody can answer it.",
        ),
        (payload("c", "token.$", "$$.Task.Token"), f"{FORK}[0].States.c: Only a callback Task has `token`."),
        (payload("c", "waits", ["a"]), f"{FORK}[0].States.c: Only a callback Task has `waits`."),
        (payload("d", "waits"), f"{FORK}[1].States.d: A callback Task says in `waits` what it waits for."),
        (
            lambda definition: scope_of(definition, "d")["d"]["Parameters"].pop("FunctionName"),
            f"{FORK}[1].States.d: A callback Task names its function in `FunctionName`.",
        ),
        (
            state("d", TimeoutSeconds=...),
            f"{FORK}[1].States.d: A callback Task has a `TimeoutSeconds` and repeats `States.Timeout`: a wake-up may "
            "be lost.",
        ),
        (
            state("d", Retry=...),
            f"{FORK}[1].States.d: A callback Task has a `TimeoutSeconds` and repeats `States.Timeout`: a wake-up may "
            "be lost.",
        ),
        (
            catch("d", 0, ErrorEquals=["Raedy"]),
            f"{FORK}[1].States.d: A callback Task catches `Ready`, or waking it fails it.",
        ),
        (
            catch("d", 0, Next="d failed"),
            f"{FORK}[1].States.d: `d failed`, which is entered when it was woken, makes the same call as `woken`, but "
            "differs in `kind`, `retry.$`, `run.$`, `step`, `woken`.",
        ),
        (
            payload("d (after wait)", "woken"),
            f"{FORK}[1].States.d: `d (after wait)`, which is entered when it was woken, makes the same call as "
            "`woken`, but differs in `woken`.",
        ),
        (
            payload("d (after wait)", "step", "c"),
            f"{FORK}[1].States.d: `d (after wait)`, which is entered when it was woken, makes the same call as "
            "`woken`, but differs in `step`.",
        ),
        (
            state("c", Catch=...),
            f"{FORK}[0].States.c: A Task of kind `step` catches `States.ALL`, or its failure stops its neighbours.",
        ),
        (
            catch("a", 0, Next="c"),
            f"{FORK}[0].States.a.Catch: `d` would wait for ever: this way does not lead to a Task of kind `ended`.",
        ),
        (
            payload("a failed", "step", "c"),
            f"{FORK}[0].States.a.Catch: `d` would wait for ever: this way does not lead to a Task of kind `ended`.",
        ),
        (
            payload("a failed", "wakes", ["c"]),
            f"{FORK}[0].States.a.Catch: `a failed` wakes `c`, but `d` wait for `a`.",
        ),
    ],
)
def test_planted_faults_are_found(fault: Fault, expected: str) -> None:
    """In the N, where `d` waits for `a`."""
    definition = decoded(N_SHAPE, {"b": 9.0})
    assert told(definition) == []
    fault(definition)
    assert expected in told(definition)


REGION = "items of make for work"
EACH = "work for each of items"


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        (catch(REGION, 0, Next=EACH), f"{REGION}.Catch"),
        (state(EACH, Next="sum"), EACH),
        (state(EACH, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "sum"}]), f"{EACH}.Catch"),
    ],
)
def test_every_way_past_a_region_wakes(fault: Fault, place: str) -> None:
    """Those that wait for it are woken when its items could not be told, and when its Map broke down."""
    definition = decoded(MAPPED, {"side": 50.0})
    fault(definition)
    faults = [one for one in told(definition) if "would wait for ever" in one]
    assert len(faults) == 1
    assert f".States.{place}: `join` would wait for ever" in faults[0]


def test_a_gate_goes_on_when_woken() -> None:
    """It has no twin: what it holds up comes next, woken or not."""
    plan = plan_of(step("a"), step("b"), step("c", "a"), *(step(f"d{number}", "a", "b") for number in range(9)))
    definition = decoded(plan, {"b": 9.0})
    assert told(definition) == []
    name = next(name for name in _names(definition) if name.startswith("wait before"))
    gate = scope_of(definition, name)[name]
    gate["Catch"][0]["Next"] = name
    assert any("A gate that was woken goes on as any other" in one for one in told(definition))


def _names(definition: dict[str, Any]) -> list[str]:
    found: list[str] = []
    todo = [definition]
    while todo:
        for name, one in todo.pop()["States"].items():
            found.append(name)
            todo.extend(one.get("Branches", ()))
    return found
