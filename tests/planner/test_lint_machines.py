"""Several machines judged together: who starts whom, who waits for whom, each step once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.graphs import drawn_graph
from solidstate.planner import fit
from solidstate.planner.compile import Compiled, compile_plan
from solidstate.planner.lint_machines import lint_machines
from tests.planner.graph_sets import graph_sets
from tests.planner.thought import MAPPED, N_SHAPE, decoded, durations, plain_plans, scope_of

Machines = dict[str, dict[str, Any]]
PART = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Next": "End run"}


def told(machines: Machines) -> list[str]:
    own, *parts = (json.dumps(machine).encode() for machine in machines.values())
    found = lint_machines(own, dict(zip(list(machines)[1:], parts, strict=True)))
    return [f"{fault.path}: {fault.problem}" for fault in found]


def judged(compiled: Compiled) -> list[str]:
    found = lint_machines(compiled.definition, {part.name: part.definition for part in compiled.parts})
    return [str(fault) for fault in found]


@given(st.data())
def test_what_we_compile_has_no_faults(data: st.DataObject) -> None:
    """In one machine and in several."""
    plan = data.draw(plain_plans())
    estimates = data.draw(durations(plan))
    assert judged(compile_plan(plan, estimates)) == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "MAX_DEFINITION_BYTES", fit.ROOT.size + 4_500)
        assert judged(compile_plan(plan, estimates)) == []
        assert judged(compile_plan(MAPPED, {"side": data.draw(st.sampled_from([0.1, 50.0]))})) == []


@pytest.mark.slow
@pytest.mark.parametrize("graph", graph_sets(largest=400_000))
def test_real_graphs_have_no_faults(graph: Any) -> None:
    """Every public set but the largest, compiled without knowing durations."""
    from bench.graphs import read_graph

    assert judged(compile_plan(read_graph(graph).plan())) == []


def divided() -> Machines:
    """The N in two machines: `b` and `d`, which waits for `a`, in a part of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "MAX_DEFINITION_BYTES", fit.ROOT.size + 5_000)
        compiled = compile_plan(N_SHAPE, {"b": 9.0})
    parts = {part.name: json.loads(part.definition) for part in compiled.parts}
    assert list(parts) == ["Part1"]
    assert "d" in parts["Part1"]["States"]
    return {"": json.loads(compiled.definition), **parts}


def starter(part: str) -> dict[str, Any]:
    parameters = {"StateMachineArn": f"${{{part}Arn}}", "Input": {"run.$": "$.run"}}
    return {**PART, "Parameters": parameters, "ResultPath": None}


def drop_part(machines: Machines) -> None:
    del machines["Part1"]


def start_twice(machines: Machines) -> None:
    machines[""]["States"]["again"] = starter("Part1")
    machines[""]["States"]["Start run"]["Next"] = "again"


def never_start(machines: Machines) -> None:
    machines["Part2"] = {"StartAt": "x", "States": {"x": {"Type": "Succeed"}}}


def start_each_other(machines: Machines) -> None:
    for one, other in (("Part2", "Part3"), ("Part3", "Part2")):
        state = starter(other)
        del state["Next"]
        machines[one] = {"StartAt": f"go {one}", "States": {f"go {one}": {**state, "End": True}}}


def payload(machine: str, name: str, key: str, value: Any) -> Callable[[Machines], None]:
    def plant(machines: Machines) -> None:
        found = scope_of(machines[machine], name)[name]["Parameters"]
        found.get("Payload", found)[key] = value

    return plant


def end_in_a_part(machines: Machines) -> None:
    end = machines[""]["States"]["End run"]
    machines["Part1"]["States"]["d failed"] = {**end, "Catch": []}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (drop_part, "There is no part that `${Part1Arn}` stands for."),
        (start_twice, "`Part1` is already started at States."),
        (never_start, "Part2: The pipeline's own machine does not come to start `Part2`; no machine does."),
        (
            start_each_other,
            "Part2: The pipeline's own machine does not come to start `Part2`; only parts that start each other do.",
        ),
        (payload("", "a", "wakes", []), "Part1: States.d: `d` waits for `a`, which will not wake it."),
        (payload("", "a", "wakes", ["d", "x"]), "States.a: `a` wakes `x`, which will not wait for it."),
        (payload("Part1", "d", "waits", ["a", "c"]), "Part1: States.d: `d` waits for `c`, which will not wake it."),
        (payload("Part1", "d", "waits", ["c"]), "States.a: `a` wakes `d`, which will not wait for it."),
        (payload("", "c", "step", "b"), "Step `b` is already called at"),
        (end_in_a_part, "The pipeline's own machine has one Task of kind `end`, but it is found at: `States.End run`"),
    ],
)
def test_planted_faults_are_found(fault: Callable[[Machines], None], expected: str) -> None:
    """One at a time."""
    machines = divided()
    assert told(machines) == []
    fault(machines)
    assert any(expected in one for one in told(machines)), told(machines)


def test_faults_of_one_machine_are_told_with_its_name() -> None:
    """What the judge of single machines finds in a part."""
    machines = divided()
    machines["Part1"]["StartAt"] = "x"
    assert "Part1: StartAt: There is no state `x` in this scope." in told(machines)


def test_a_region_is_waited_for_as_a_whole() -> None:
    """`join` waits for the region by the name of its first step; the items themselves wake nobody."""
    machines = {"": decoded(MAPPED, {"side": 50.0})}
    assert told(machines) == []
    payload("", "work for each of items has ended", "wakes", ["sum"])(machines)
    assert any("`join` waits for `work`, which will not wake it." in one for one in told(machines))


def test_a_real_division_has_no_faults() -> None:
    """A pipeline of a thousand steps, in several machines by the true quotas."""
    compiled = compile_plan(drawn_graph("layered random", 1_000).plan())
    assert compiled.parts
    assert judged(compiled) == []
