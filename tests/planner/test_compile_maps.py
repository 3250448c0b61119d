"""Map states: what is written for mapped steps, inline and distributed, and what they may cost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from solidstate.planner import contract
from solidstate.planner.compile import compile_plan
from solidstate.planner.history import history_events
from solidstate.planner.lint import lint
from solidstate.planner.plan import (
    ExecutionPlan,
    OutputRef,
    Retry,
    Step,
    StepInput,
    StepOutput,
    decode_plan,
    encode_plan,
)

GOLDEN = Path(__file__).parent.parent / "golden" / "asl"


def make(limit: int = 100) -> Step:
    """A step with a dynamic output and a plain one."""
    outputs = (StepOutput("items", dynamic=True, max_items=limit), StepOutput("count"))
    return Step("make", "make", outputs=outputs)


def mapped(name: str, *inputs: StepInput, **more: Any) -> Step:
    """A step that runs for each item."""
    over = OutputRef("make", "items")
    return Step(name, name, inputs=inputs, outputs=(StepOutput("result"),), map_over=over, **more)


def item(name: str, output: str = "result") -> StepInput:
    return StepInput(f"i_{name}", "item", (OutputRef(name, output),))


def plain(name: str, output: str = "result") -> StepInput:
    return StepInput(f"o_{name}", "output", (OutputRef(name, output),))


def total(name: str, *of: str) -> Step:
    """A step that collects."""
    inputs = tuple(StepInput(f"c_{one}", "collect", (OutputRef(one, "result"),)) for one in of)
    return Step(name, name, inputs=inputs, outputs=(StepOutput("result"),))


def plan_of(*steps: Step) -> ExecutionPlan:
    return ExecutionPlan("demo", steps)


CASES = {
    "map": plan_of(make(), mapped("work", item("make", "items")), total("sum", "work")),
    "map_chain": plan_of(
        make(),
        mapped("clean", item("make", "items"), retry=Retry(max_attempts=3)),
        mapped("fit", item("clean"), plain("make", "count")),
        mapped("left", item("fit")),
        mapped("right", item("fit")),
        total("sum", "left", "right"),
    ),
    "map_diamond": plan_of(
        make(),
        Step("side", "side", inputs=(plain("make", "count"),), outputs=(StepOutput("result"),)),
        mapped("work", item("make", "items")),
        Step("join", "join", inputs=(plain("side"), StepInput("c", "collect", (OutputRef("work", "result"),)))),
    ),
    "map_distributed": plan_of(make(5_000), mapped("work", item("make", "items")), total("sum", "work")),
}


@pytest.mark.parametrize("case", CASES)
def test_definitions_are_the_golden_ones(case: str) -> None:
    """Plan and definition equal the files beside the tests; ``UPDATE_GOLDEN=1`` rewrites these."""
    plan, definition = CASES[case], compile_plan(CASES[case]).definition
    plan_file, asl_file = GOLDEN / f"{case}.plan.json", GOLDEN / f"{case}.asl.json"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        plan_file.write_bytes(encode_plan(plan) + b"\n")
        asl_file.write_bytes(definition)
    assert decode_plan(plan_file.read_bytes()) == plan
    assert definition.decode() == asl_file.read_text(encoding="utf-8")
    assert lint(definition) == []


def walk_states(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All states of a decoded definition, branches included."""
    todo = [machine]
    while todo:
        for state in todo.pop()["States"].values():
            yield state
            todo.extend(state.get("Branches", ()))
            todo.extend([state["ItemProcessor"]] if "ItemProcessor" in state else [])


def states_of(plan: ExecutionPlan) -> dict[str, Any]:
    """The states of a definition by what their Task calls, or by type."""
    found: dict[str, Any] = {}
    for state in walk_states(json.loads(compile_plan(plan).definition)):
        asked = state.get("Parameters", {})
        found[asked.get("step", "") + ":" + asked.get("kind", state["Type"])] = state
    return found


def test_payloads_are_those_of_the_contract() -> None:
    """The Task before the Map asks for items, the steps inside pass theirs on."""
    states = states_of(CASES["map"])
    asked = {key.removesuffix(".$"): value for key, value in states["make:items"]["Parameters"].items()}
    payload: Any = msgspec.convert({**asked, "run": {"id": "r", "mode": "m"}}, contract.Payload)
    assert isinstance(payload, contract.ItemsPayload)
    assert (payload.step, payload.output, payload.steps, payload.listed) == ("make", "items", ["work"], False)
    assert states["work:step"]["Parameters"]["item.$"] == "$.item"
    assert "item.$" not in states["sum:step"]["Parameters"]


def test_a_map_hands_nothing_on() -> None:
    """However many items there are, what travels through the machine stays as small as it was."""
    for case in CASES.values():
        state = states_of(case)[":Map"]
        assert state["ResultPath"] is None
        last = [s for s in state["ItemProcessor"]["States"].values() if s.get("End")]
        assert all(one["OutputPath"] is None for one in last)


def test_many_items_are_run_in_executions_of_their_own() -> None:
    """From 1,001 on: the keys stand in S3, one item's breakdown does not stop the others nor the run."""
    state = states_of(CASES["map_distributed"])[":Map"]
    assert state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert state["ItemReader"]["Parameters"] == {"Bucket.$": "$.result.bucket", "Key.$": "$.result.key"}
    assert state["ToleratedFailureCount"] == 5_000
    assert state["Catch"][0]["ErrorEquals"] == ["States.ALL"]
    assert "ItemsPath" not in state
    assert states_of(plan_of(make(1_000), mapped("a", item("make", "items"))))[":Map"]["ItemsPath"] == "$.result.items"


def test_history_counts_every_item() -> None:
    """An inline Map writes its items' events into the execution's own history, a distributed one does not."""
    plan = CASES["map"]
    definition = compile_plan(plan).definition
    empty = history_events(definition, plan, {OutputRef("make", "items"): 0})
    # The execution; Tasks: start, make, items, sum, end, of which two may ask for another attempt twice; the Map; two
    # states for each of the two ways to fail.
    assert empty == 2 + 5 * 5 + 2 * 2 * 3 + 4 + 2 * 2
    # Each item: its iteration, the Task, and a Succeed should it fail.
    assert history_events(definition, plan) == empty + 100 * (2 + 5 + 2)
    distributed = CASES["map_distributed"]
    assert history_events(compile_plan(distributed).definition, distributed) < 100


def test_items_with_too_many_events_get_a_history_of_their_own() -> None:
    """Fewer items than can be listed in the answer of a Task may still be too many for one history."""
    work = [mapped("s0", item("make", "items"))]
    work += [mapped(f"s{number}", item(f"s{number - 1}")) for number in range(1, 6)]
    few, many = (states_of(plan_of(make(count), *work))[":Map"] for count in (100, 1_000))
    assert few["ItemProcessor"]["ProcessorConfig"]["Mode"] == "INLINE"
    assert many["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"


def test_lint_knows_maps() -> None:
    """What the service would refuse of a Map."""
    machine = json.loads(compile_plan(CASES["map"]).definition)
    state = next(state for state in machine["States"].values() if state["Type"] == "Map")
    state["ToleratedFailurePercentage"] = 5
    state["MaxConcurrency"] = 10_001
    state["ItemSelector"]["item.$"] = "Map.Item"
    processor = state.pop("ItemProcessor")
    told = [fault.problem for fault in lint(json.dumps(machine).encode())]
    assert told == [
        "A Map state has an `ItemProcessor`, but this one has none.",
        "Only a distributed Map has `ToleratedFailurePercentage`.",
        "`MaxConcurrency` is 0 to 10,000, but here it is 10001.",
        "A path looks like `$.name[0]`, but this one is `Map.Item`.",
    ]
    state["ItemProcessor"] = {**processor, "StartAt": "nowhere"}
    assert any("no state `nowhere`" in fault.problem for fault in lint(json.dumps(machine).encode()))
