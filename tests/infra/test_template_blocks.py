"""The rendered templates, as files to read, and as AWS's own transform and cfn-lint take them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from solidstate.infra.template_rules import check_template
from tests.infra.templates import rendered, stack, template, translated

GOLDEN = Path(__file__).parents[1] / "golden" / "template"
ALL = ("plain", "shop", "letter_n", "mapped", "deep", "both")


@pytest.mark.parametrize("name", ["plain", "shop", "letter_n", "mapped"])
def test_the_golden_template(name: str) -> None:
    """The whole text, for people; the review is the diff."""
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(rendered(name))
    assert path.read_text() == rendered(name)


def test_cfn_lint_has_nothing_to_say(tmp_path: Path) -> None:
    """Neither of the templates nor of what the transform makes of them: no error, no warning."""
    files = []
    for name in ALL:
        files += [tmp_path / f"{name}.yaml", tmp_path / f"{name}.json"]
        files[-2].write_text(rendered(name))
        files[-1].write_text(json.dumps(translated(rendered(name))))
    command = [str(Path(sys.executable).with_name("cfn-lint")), *map(str, files)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", ALL)
def test_our_own_rules_hold(name: str) -> None:
    """Before and after the transform."""
    assert check_template(template(name)) == []
    assert check_template(translated(rendered(name))) == []


def resources(name: str, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = template(name)["Resources"]
    return {key: body["Properties"] for key, body in found.items() if body["Type"] == kind}


def statements(name: str, resource: str) -> dict[str, Any]:
    """By their Sid, of a role or policy; those that depend on a condition left out."""
    properties = template(name)["Resources"][resource]["Properties"]
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])] or [
        properties["PolicyDocument"]
    ]
    return {one["Sid"]: one for document in documents for one in document["Statement"] if "Sid" in one}


def test_definitions_get_everything_they_leave_open() -> None:
    """Functions by their alias, parts by their machine."""
    machines = resources("shop", "AWS::Serverless::StateMachine")
    assert machines["Shop"]["DefinitionSubstitutions"] == {
        "StepFunctionArn": {"Ref": "ShopStepFunction.Alias"},
        "OrdersFunctionArn": {"Ref": "ShopOrdersFunction.Alias"},
        "Memory4096Disk2048FunctionArn": {"Ref": "ShopMemory4096Disk2048Function.Alias"},
        "PublishReportsFunctionArn": {"Ref": "ShopPublishReportsFunction.Alias"},
    }
    own = stack("deep").pipelines[0].machine
    substitutions = resources("deep", "AWS::Serverless::StateMachine")["Deep"]["DefinitionSubstitutions"]
    assert {f"{name}Arn": {"Ref": part} for name, part in own.parts.items()}.items() <= substitutions.items()
    assert own.parts


def test_a_machine_may_call_its_functions_alone() -> None:
    """By the alias that its definition names, and nothing else of Lambda."""
    called = statements("shop", "ShopRole")["CallFunctions"]
    assert called["Action"] == "lambda:InvokeFunction"
    substitutions = resources("shop", "AWS::Serverless::StateMachine")["Shop"]["DefinitionSubstitutions"]
    assert called["Resource"] == list(substitutions.values())
    other = [one for sid, one in statements("both", "PlainRole").items() if sid == "CallFunctions"]
    assert other[0]["Resource"] == [{"Ref": "PlainStepFunction.Alias"}]


def test_a_machine_that_starts_parts_may_do_that() -> None:
    """Start them, follow their executions, and have the rule that tells of their end (developer guide)."""
    found = statements("deep", "DeepRole")
    parts = list(stack("deep").pipelines[0].machine.parts.values())
    assert found["StartParts"]["Resource"] == [{"Ref": part} for part in parts]
    assert found["FollowParts"]["Action"] == ["states:DescribeExecution", "states:StopExecution"]
    assert found["FollowParts"]["Resource"][0] == {
        "Fn::Sub": "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:"
        f"${{{parts[0]}.Name}}:*"
    }
    assert found["HearOfTheirEnd"]["Action"] == ["events:DescribeRule", "events:PutRule", "events:PutTargets"]
    assert str(found["HearOfTheirEnd"]["Resource"]).endswith(
        ":rule/StepFunctionsGetEventsForStepFunctionsExecutionRule'}"
    )
    leaf = next(machine for machine in stack("deep").pipelines[0].machines if not machine.parts)
    assert set(statements("deep", leaf.role)) == {"CallFunctions", "DeliverLogs", "SendTraces"}


def test_a_distributed_map_may_start_its_own_machine() -> None:
    """And read the list of its items, and nothing else of the bucket."""
    found = statements("mapped", "MappedItems")
    assert found["StartItems"]["Resource"] == {"Ref": "Mapped"}
    assert found["FollowItems"]["Action"] == [
        "states:DescribeExecution",
        "states:RedriveExecution",
        "states:StopExecution",
    ]
    read = statements("mapped", "MappedRole")["ReadItems"]
    assert (read["Action"], read["Resource"]["Fn::Sub"].partition("}/")[2]) == (
        "s3:GetObject",
        "v1/data/mapped/*/items/*.json",
    )
    assert "PlainItems" not in template("plain")["Resources"]


def test_tokens_are_answered_on_the_pipeline_s_machines() -> None:
    """By the functions that meet others, in a policy apart from the roles that the machines need."""
    found = template("letter_n")["Resources"]["LetterNTaskTokens"]
    functions = [f for f in stack("letter_n").pipelines[0].functions if f.policy.answers_tokens]
    assert found["Properties"]["Roles"] == [{"Ref": function.role} for function in functions]
    allowed = statements("letter_n", "LetterNTaskTokens")["AnswerTaskTokens"]
    assert allowed["Action"] == ["states:SendTaskFailure", "states:SendTaskSuccess"]
    assert allowed["Resource"] == [{"Ref": "LetterN"}]
    assert "PlainTaskTokens" not in template("plain")["Resources"]


def test_a_function_is_as_large_as_its_steps_want() -> None:
    """The step function by a parameter, the others as declared; each no longer than its longest step."""
    functions = resources("shop", "AWS::Serverless::Function")
    assert functions["ShopStepFunction"]["MemorySize"] == {"Ref": "MemorySize"}
    large = functions["ShopMemory4096Disk2048Function"]
    assert (large["MemorySize"], large["Timeout"], large["EphemeralStorage"]) == (4096, 60, {"Size": 2048})
    variables = large["Environment"]["Variables"]
    assert (variables["SOLIDSTATE_PIPELINES"], variables["SOLIDSTATE_BUCKET"]) == (
        "shops.pipeline:shop",
        {"Ref": "DataBucket"},
    )
    assert template("plain")["Parameters"]["MemorySize"]["Default"] == 1024


def test_every_function_names_the_handler() -> None:
    """A callable of ours."""
    from importlib import import_module

    for function in resources("shop", "AWS::Serverless::Function").values():
        module, name = function["Handler"].rsplit(".", 1)
        assert callable(getattr(import_module(module), name))


def test_outputs_lead_to_every_machine() -> None:
    """By one name when there is one pipeline, by the pipeline's when there are several."""
    assert list(template("plain")["Outputs"]) == ["StateMachine", "StateMachineAlias", "DataBucket"]
    assert list(template("both")["Outputs"]) == [
        "ShopStateMachine",
        "ShopStateMachineAlias",
        "PlainStateMachine",
        "PlainStateMachineAlias",
        "DataBucket",
    ]
    assert template("plain")["Outputs"]["StateMachineAlias"]["Value"] == {"Ref": "PlainAliaslive"}
    assert "PlainAliaslive" in translated(rendered("plain"))["Resources"]
