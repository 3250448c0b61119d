"""The compiled definition: what is written for each kind of step."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from solidstate.errors import CompileError, Errors
from solidstate.planner import contract
from solidstate.planner.compile import compile_plan, substitute
from solidstate.planner.lint import lint
from solidstate.planner.names import state_names
from solidstate.planner.plan import (
    ExecutionPlan,
    OutputRef,
    Retry,
    Step,
    StepCompute,
    StepInput,
    StepOutput,
    decode_plan,
    encode_plan,
)

GOLDEN = Path(__file__).parent.parent / "golden" / "asl"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:steps"


def step(name: str, *upstream: str, **more: Any) -> Step:
    """A step with one input per upstream step."""
    inputs = tuple(StepInput(f"in_{up}", "output", (OutputRef(up, "result"),)) for up in upstream)
    return Step(name, solid=name, inputs=inputs, outputs=(StepOutput("result"),), **more)


def plan_of(*steps: Step, description: str = "") -> ExecutionPlan:
    """A plan of these steps."""
    return ExecutionPlan("demo", steps, description=description)


def states_of(definition: bytes) -> dict[str, Any]:
    """All states of a definition by name, branches included."""
    found: dict[str, Any] = {}
    todo = [json.loads(definition)]
    while todo:
        for name, state in todo.pop()["States"].items():
            found[name] = state
            todo.extend(state.get("Branches", ()))
    return found


CASES = {
    "chain": plan_of(step("read"), step("clean", "read"), step("write", "clean")),
    "diamond": plan_of(
        step("read", description="Reads the table.\n\nAt length."),
        step("left", "read"),
        step("right", "read"),
        step("join", "left", "right"),
        description="Two ways to one report",
    ),
    "n_shape": plan_of(step("a"), step("b"), step("c", "a"), step("d", "a", "b")),
    "fan": plan_of(step("split"), *(step(f"part_{n}", "split") for n in range(30))),
    "two_components": plan_of(step("a"), step("b", "a"), step("x"), step("y", "x")),
    "mixed": plan_of(
        step("read", retry=Retry(max_attempts=4, delay_s=2, max_delay_s=60, jitter=True)),
        step("fit", "read", compute=StepCompute(memory_mb=4096, timeout_s=600, ephemeral_mb=2048)),
        step("plot.draw", "fit", retry=Retry(max_attempts=3, delay_s=10, backoff=3.0, max_delay_s=5)),
        step("table", "fit", retry=Retry(max_attempts=1)),
        step("mail", "plot.draw", "table"),
        step("tidy"),
    ),
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


def test_a_step_is_called_with_its_own_payload() -> None:
    """The payload of a step decodes as the contract says, and names the step by its plan name."""
    plan = CASES["chain"]
    task = states_of(compile_plan(plan).definition)["clean"]
    assert task["Parameters"] == {
        "kind": "step",
        "step": "clean",
        "run.$": "$.run",
        "retry.$": "$$.State.RetryCount",
    }
    assert task["Next"] == task["Catch"][0]["Next"] == "write"


def test_the_machine_waits_longer_than_the_function() -> None:
    """Else a second attempt could start beside one that still runs."""
    states = states_of(compile_plan(CASES["mixed"]).definition)
    assert states["fit"]["TimeoutSeconds"] == 660
    assert states["Start run"]["TimeoutSeconds"] == states["End run"]["TimeoutSeconds"] == 960


def test_retries_follow_the_policy() -> None:
    """Attempts become repetitions; a ceiling below the first delay makes the delay constant; permanent errors and
    killed functions are repeated by no or one retrier."""
    states = states_of(compile_plan(CASES["mixed"]).definition)
    retriers = {name: {r["ErrorEquals"][0]: r for r in states[name]["Retry"]} for name in state_names(CASES["mixed"])}
    assert retriers["read"]["StepFailed"] == {
        "ErrorEquals": ["StepFailed", "RetryRequested"],
        "IntervalSeconds": 2,
        "MaxAttempts": 3,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
    }
    assert retriers["plot.draw"]["StepFailed"] == {
        "ErrorEquals": ["StepFailed", "RetryRequested"],
        "IntervalSeconds": 5,
        "MaxAttempts": 2,
        "BackoffRate": 1.0,
    }
    assert retriers["read"]["Sandbox.Timedout"]["MaxAttempts"] == 1
    assert list(retriers["table"]) == ["Lambda.TooManyRequestsException"]
    assert list(retriers["fit"]) == ["RetryRequested", "Lambda.TooManyRequestsException"]
    permanent = {contract.STEP_REFUSED, contract.PLAN_CHANGED, contract.RUN_REFUSED, contract.RUN_FAILED}
    for state in states.values():
        for retrier in state.get("Retry", ()):
            assert permanent.isdisjoint(retrier["ErrorEquals"])
            assert not {"States.ALL", "States.TaskFailed"} & set(retrier["ErrorEquals"])


def test_digests_are_joined_only_while_they_fit() -> None:
    """25 digests of 8 KiB are 200 KiB; with more branches each hands over nothing."""
    for branches, handed_over in ((25, "$.result"), (26, None)):
        plan = plan_of(*(step(f"s{number}") for number in range(branches)))
        assert states_of(compile_plan(plan).definition)["s0"]["OutputPath"] == handed_over
    assert 25 * contract.MAX_DIGEST_BYTES <= 200 * 1024


def test_names_stay_unique_whatever_steps_are_called() -> None:
    """Steps with the names of our states, of derived states, too long or with characters that are not legal."""
    names = ["Start run", "a", "a failed", "2 branches after a", "x" * 100, "x" * 101, "q/r", "q?r", "Start_run"]
    plan = plan_of(*(step(name) for name in names), step("b", "a"), step("c", "a"))
    states = state_names(plan)
    assert [states[name] for name in names] == [
        "Start run (2)",
        "a",
        "a failed",
        "2 branches after a",
        "x" * 71 + "-" + states["x" * 100][-8:],
        "x" * 71 + "-" + states["x" * 101][-8:],
        "q_r",
        "q_r (2)",
        "Start_run",
    ]
    assert len(set(states.values())) == len(plan.steps)
    definition = compile_plan(plan).definition
    assert lint(definition) == []
    assert states_of(definition)["x" * 71 + "-" + states["x" * 100][-8:]]["Parameters"]["step"] == "x" * 100


def test_a_description_cannot_become_a_substitution() -> None:
    """Only the function's ARN is filled in, although a description mentions the same words."""
    definition = compile_plan(plan_of(step("a", description="Calls ${StepFunctionArn}"))).definition
    filled = substitute(definition, ARN)
    assert states_of(filled)["a"]["Resource"] == ARN
    assert states_of(filled)["a"]["Comment"] == "Calls $ {StepFunctionArn}"
    assert b"${" not in filled


def test_a_definition_without_the_placeholder_is_refused() -> None:
    """Substituting twice would silently call the first function."""
    with pytest.raises(CompileError) as caught:
        substitute(substitute(compile_plan(CASES["chain"]).definition, ARN), ARN)
    assert str(caught.value) == (
        "A compiled definition names its function as `${StepFunctionArn}`, but this one does not contain it.\n"
        "  fix: compile the pipeline again with `solidstate compile`"
    )


def test_a_plan_without_steps_is_refused() -> None:
    """There is nothing to compile."""
    with pytest.raises(CompileError, match="Pipeline `demo` has no steps, so there is nothing to compile"):
        compile_plan(plan_of())


def test_all_problems_are_raised_together() -> None:
    """One compile names everything that would be refused."""
    bad = StepCompute(memory_mb=64, timeout_s=1000)
    with pytest.raises(Errors) as caught:
        compile_plan(plan_of(step("a", compute=bad), step("b", compute=bad)))
    assert str(caught.value).startswith(
        "pipeline `demo` does not fit into Step Functions: 4 errors\n  1. `compute.timeout_s`"
    )


def test_a_definition_is_laid_out_for_people_until_it_would_not_fit() -> None:
    """Large definitions lose their white space, and nothing else."""
    plan = plan_of(
        *(step(f"step_{number}", f"step_{number - 1}") if number else step("step_0") for number in range(1_300))
    )
    definition = compile_plan(plan).definition
    assert len(definition) <= 1_048_576
    assert definition.count(b"\n") == 1
    assert compile_plan(CASES["chain"]).definition.count(b"\n") > 50
    assert lint(definition) == []


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_cfn_lint_agrees(case: str) -> None:
    """A second opinion on definitions, by the judge of CloudFormation templates (rule E3601)."""
    assert _cfn_lint(json.loads(compile_plan(CASES[case]).definition)) == []


@pytest.mark.slow
def test_cfn_lint_would_object() -> None:
    """The second opinion does read the definition: without its end, a state is reported."""
    definition = json.loads(compile_plan(CASES["chain"]).definition)
    del definition["States"]["End run"]["End"]
    assert "E3601" in _cfn_lint(definition)


def _cfn_lint(definition: dict[str, Any]) -> list[str]:
    """Rules that object to a template with this definition."""
    from cfnlint.api import lint_all  # takes seconds to import

    properties = {
        "RoleArn": "arn:aws:iam::123456789012:role/steps",
        "Definition": definition,
        "DefinitionSubstitutions": {"StepFunctionArn": ARN},
    }
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    found = lint_all(json.dumps({"Resources": {"Machine": machine}}))
    return [match.rule.id for match in found if match.rule.id[0] in "EW"]
