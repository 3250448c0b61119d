"""A machine with one fault planted does not do what its plan says, and the simulation says so; machines by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from solidstate.planner.compile import Compiled
from solidstate.planner.contract import STEP_FAILED
from solidstate.planner.plan import OutputRef
from solidstate.planner.simulate import Simulation, simulate
from solidstate.planner.simulated_data import SimulationError
from solidstate.planner.simulated_steps import Behaviour
from tests.planner.thought import MAPPED, N_SHAPE, decoded, encoded, outcome, plan_of, run, scope_of, step

Fault = Callable[[dict[str, Any]], None]

# In the N as compiled, `d` hangs under `b` and waits for `a`; `c` follows `a`.
SECONDS = {"b": 9.0}


def state(name: str, **fields: Any) -> Fault:
    """Change fields of a state; a value of ``...`` removes one."""

    def plant(definition: dict[str, Any]) -> None:
        found = scope_of(definition, name)[name]
        for field, value in fields.items():
            found[field] = value
            if value is ...:
                del found[field]

    return plant


def payload(name: str, **fields: Any) -> Fault:
    """Change what the function is called with; a value of ``...`` removes a field."""

    def plant(definition: dict[str, Any]) -> None:
        found = scope_of(definition, name)[name]["Parameters"]
        found = found.get("Payload", found)
        for field, value in fields.items():
            key = field.replace("_", ".$") if field.endswith("_") else field
            found[key] = value
            if value is ...:
                del found[key]

    return plant


def catch(name: str, number: int, target: str) -> Fault:
    """Lead an error elsewhere."""

    def plant(definition: dict[str, Any]) -> None:
        scope_of(definition, name)[name]["Catch"][number]["Next"] = target

    return plant


def keep_results(definition: dict[str, Any]) -> None:
    """The Parallel's output becomes the list of what its branches said."""
    name = next(name for name, one in definition["States"].items() if one["Type"] == "Parallel")
    definition["States"][name]["ResultPath"] = "$"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        # A dropped edge: `d` no longer waits.
        (payload("d", waits=[]), "`d` would begin before `a` ended."),
        # A wait without a wake-up.
        (payload("a", wakes=[]), "The run would never end: `d` waits for nothing any more, but nobody wakes it."),
        (payload("d", waits=["a", "x"]), "The run would never end: `d` waits for `x`."),
        # A wrong Next, a missing state, a state twice.
        (state("a", Next="End run"), "There is no state `End run` where one is to be entered."),
        (state("a", Next=..., End=True, OutputPath=None), "The run would end before `c` ran."),
        (payload("c", step="a"), "`a` would run a second time."),
        (payload("c", step="x"), "The plan has no step `x` that is run once."),
        # Tokens and twins.
        (payload("d", token_=...), "`d` waits for a token that it does not hand over."),
        (state("d", Catch=...), "`Ready` inside of `2 branches - a and others` would stop everything beside it."),
        (catch("d", 0, "d failed"), "The run would end before `d` ran."),
        (payload("d (after wait)", woken=False), None),
        (payload("d (after wait)", woken=False, waits=["x"]), "`d` waits for `x`, but has no token to park with."),
        (payload("c", woken=True), "`c` is invoked as woken, but it never parked."),
        # What travels.
        (keep_results, "The path `$.run` leads to nothing: there is no `run`."),
        (payload("c", kind="stop"), "`c` calls the function wrongly: Invalid value 'stop' - at `$.kind`."),
        (state("c", Resource="arn:aws:lambda"), "The simulator does not know the resource `arn:aws:lambda` of `c`."),
        (state("c", HeartbeatSeconds=3), "The simulator does not know `HeartbeatSeconds` of state `c`."),
        (state("c failed", Type="Wait"), None),
        (state("c", Type="Wait"), "The simulator does not know `Wait` of state `c`."),
    ],
)
def test_a_planted_fault_is_noticed(fault: Fault, expected: str | None) -> None:
    """One fault at a time in the compiled N, with `a` ending last; harmless ones change nothing."""
    definition = decoded(N_SHAPE, SECONDS)
    fault(definition)
    if expected is None:
        assert run(N_SHAPE, encoded(definition), seconds={"a": 9.0}).parked == ("d",)
        return
    with pytest.raises(SimulationError) as caught:
        run(N_SHAPE, encoded(definition), seconds={"a": 9.0})
    assert caught.value.problem == expected


def failed(definition: dict[str, Any], step: str) -> Simulation:
    return run(N_SHAPE, encoded(definition), behaviours={step: Behaviour(error=STEP_FAILED)}, seconds={"a": 9.0})


def test_who_fails_must_wake() -> None:
    """`a failed` records that `a` has ended; were it not called, `d` would wait for ever."""
    definition = decoded(N_SHAPE, SECONDS)
    good = failed(definition, "a")
    assert outcome(good) == {"a": "failed", "b": "done", "c": "skipped", "d": "skipped"}
    assert (good.parked, good.succeeded) == (("d",), False)
    catch("a", 0, "c")(definition)
    with pytest.raises(SimulationError, match="never end: `d` waits for `a`"):
        failed(definition, "a")


def test_no_branch_may_fail() -> None:
    """A step whose failure nothing catches would stop the branches beside it."""
    definition = decoded(N_SHAPE, SECONDS)
    state("c", Catch=...)(definition)
    with pytest.raises(SimulationError) as caught:
        failed(definition, "c")
    assert caught.value.problem == (
        "`StepFailed` inside of `2 branches - a and others` would stop everything beside it."
    )


def test_a_failed_run_ends_with_its_states() -> None:
    """End run fails, its error is read, and the execution has failed: two transitions more."""
    plan = plan_of(step("a"))
    good, bad = run(plan), run(plan, behaviours={"a": Behaviour(error=STEP_FAILED)})
    assert (good.succeeded, bad.succeeded) == (True, False)
    assert bad.transitions == good.transitions + 2


REGION = "items of make for work"
EACH = "work for each of items"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        # Of a Map: who waits for the region is woken behind it, not by one of its items.
        (payload(f"{EACH} has ended", wakes=[]), "never end: `join` waits for nothing any more, but nobody wakes it"),
        (payload("join", waits=[]), "`join` would begin before `work[0]`, `work[1]`, `work[2]`, `work[3]` ended"),
        (payload(REGION, step="side"), "The items of `side` would be asked for before it ended"),
        (state(EACH, ItemsPath="$.items"), "The path `$.items` leads to nothing: there is no `items`"),
        (payload("work", item_=...), "The plan has no step `work` that is run once"),
    ],
)
def test_planted_faults_of_maps_are_noticed(fault: Fault, expected: str) -> None:
    """The same for a region that others have a rendezvous with."""
    definition = decoded(MAPPED, {"side": 50.0})
    fault(definition)
    with pytest.raises(SimulationError) as caught:
        run(MAPPED, encoded(definition), seconds={"side": 3.0, "work": 9.0})
    assert expected in caught.value.problem


def test_many_items_are_executions_of_their_own() -> None:
    """A distributed Map: a history for each item, started and noticed late, so many at a time."""
    definition = decoded(MAPPED, {"side": 50.0})
    payload(REGION, listed=True)(definition)
    each = scope_of(definition, EACH)[EACH]
    del each["ItemsPath"]
    each["ItemReader"] = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket.$": "$.result.bucket", "Key.$": "$.result.key"},
    }
    each["ItemProcessor"]["ProcessorConfig"]["Mode"] = "DISTRIBUTED"
    found = run(MAPPED, encoded(definition))
    assert [name for name, _ in found.histories] == ["demo", *(f"{EACH} {number}" for number in range(4))]
    assert found.starts["work[0]"] == pytest.approx(found.ends["make"] + 0.05 + 0.02 + 0.15 + 0.05)
    assert found.starts["sum"] == pytest.approx(found.ends["work[3]"] + 0.5 + 0.05 + 0.05)  # ended, then sum
    each["MaxConcurrency"] = 1
    found = run(MAPPED, encoded(definition))
    assert found.starts["work[3]"] > found.ends["work[2]"] > found.starts["work[2]"] > found.ends["work[1]"]


def test_an_inline_map_runs_forty_items_at_a_time() -> None:
    """Whatever it asks for, as the service does: the 41st begins when the first has ended."""
    make, side, work, *others = MAPPED.steps
    outputs = tuple(msgspec.structs.replace(out, max_items=50 * out.dynamic or 1) for out in make.outputs)
    plan = plan_of(msgspec.structs.replace(make, outputs=outputs), side, work, *others)
    definition = decoded(plan, {"side": 50.0})
    scope_of(definition, EACH)[EACH]["MaxConcurrency"] = 0
    found = run(plan, encoded(definition), items={OutputRef("make", "items"): 50})
    assert found.starts["work[39]"] == found.starts["work[0]"]
    assert found.starts["work[40]"] == pytest.approx(found.ends["work[0]"] + 0.05)


def test_a_part_must_exist() -> None:
    """A nested execution of a machine that was not made."""
    definition = decoded(plan_of(step("a")))
    definition["States"]["a"] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "${Part1Arn}", "Input": {"run.$": "$.run"}},
        "ResultPath": None,
        "Next": "End run",
    }
    with pytest.raises(SimulationError) as caught:
        run(plan_of(step("a")), encoded(definition))
    assert caught.value.problem == "`a` starts `${Part1Arn}`, but there is no part of that name."


def test_a_part_takes_time_to_start_and_to_be_noticed() -> None:
    """150 ms until its first state is entered, 500 ms until the machine above goes on."""
    plan = plan_of(step("a"))
    whole = decoded(plan)
    last: dict[str, Any] = {**whole["States"]["a"], "End": True, "OutputPath": None}
    del last["Next"]
    last["Catch"][0]["Next"] = "a failed"
    part = {"StartAt": "a", "States": {"a": last, "a failed": {"Type": "Succeed"}}}
    whole["States"]["a"] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "${Part1Arn}", "Input": {"run.$": "$.run"}},
        "ResultPath": None,
        "Next": "End run",
    }
    found = simulate(plan, encoded(whole).definition, {"Part1": encoded(part).definition})
    assert found.ended_s - found.begun_s == pytest.approx(0.02 + 0.15 + 1.05 + 0.5)
    assert found.histories == (("demo", 2 + 5 + 6 + 5), ("Part1", 2 + 5))
    assert found.transitions == 4


def test_a_gate_holds_up_what_comes_after_it() -> None:
    """One state that waits before two steps that begin at once; woken, it goes on to them."""
    plan = plan_of(step("a"), step("b"), step("c", "a", "b"), step("d", "a", "b"))
    machine = encoded(_gated(decoded(N_SHAPE, SECONDS)))
    found = run(plan, machine, seconds={"a": 9.0})
    assert found.parked == ("c",)
    assert found.starts["c"] == found.starts["d"] == pytest.approx(found.ends["a"] + 0.06 + 0.02 + 0.05)
    assert run(plan, machine, seconds={"b": 9.0}).parked == ()


def _gated(definition: dict[str, Any]) -> dict[str, Any]:
    """The N's machine, with `d` and `c` behind a gate after `b`."""
    fork: dict[str, Any] = next(one for one in definition["States"].values() if one["Type"] == "Parallel")
    first, second = fork["Branches"]
    steps: dict[str, Any] = {}
    for name in ("c", "d"):
        own: dict[str, Any] = {**first["States"]["a"], "End": True, "OutputPath": None}
        own["Parameters"] = {**own["Parameters"], "step": name}
        del own["Parameters"]["wakes"], own["Next"]
        own["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": f"{name} failed"}]
        steps[name] = {"StartAt": name, "States": {name: own, f"{name} failed": {"Type": "Succeed"}}}
    gate = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {
            "FunctionName": "${StepFunctionArn}",
            "Payload": {"kind": "gate", "step": "c", "run.$": "$.run", "token.$": "$$.Task.Token", "waits": ["a"]},
        },
        "ResultPath": None,
        "Catch": [{"ErrorEquals": ["Ready"], "ResultPath": None, "Next": "two"}],
        "Next": "two",
    }
    two = {"Type": "Parallel", "Branches": list(steps.values()), "ResultPath": None, "End": True}
    second["States"] = {"b": {**second["States"]["b"], "Next": "gate"}, "gate": gate, "two": two}
    last = first["States"]["a"]
    last.pop("Next")
    last.update(End=True, OutputPath=None, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "a failed"}])
    last["Parameters"]["wakes"] = ["c"]
    first["States"] = {"a": last, "a failed": {"Type": "Succeed"}}
    return definition


def test_the_same_machine_can_be_run_again() -> None:
    """Nothing is kept between simulations."""
    compiled = Compiled(encoded(decoded(N_SHAPE)).definition)
    assert run(N_SHAPE, compiled) == run(N_SHAPE, compiled)
