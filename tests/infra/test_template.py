"""The SAM template of the flights example, judged after AWS's own transform has expanded it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def expanded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The resources of template.yaml as CloudFormation would get them."""
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

    class NoManagedPolicies:
        def load(self) -> dict[str, str]:
            return {}

    text = (ROOT / "template.yaml").read_text()
    # The transform refuses local paths, which `sam package` would have replaced by addresses in S3.
    text = re.sub(r"(CodeUri|DefinitionUri): build/.*", r"\1: s3://artifacts/key", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        done: dict[str, Any] = transform(yaml_parse(text), {}, NoManagedPolicies())
    resources: dict[str, Any] = done["Resources"]
    return resources


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: body["Properties"] for name, body in resources.items() if body["Type"] == kind}


def statements(resources: dict[str, Any]) -> list[dict[str, Any]]:
    """All Allow statements of all roles."""
    roles = of_type(resources, "AWS::IAM::Role").values()
    policies = [policy["PolicyDocument"] for role in roles for policy in role.get("Policies", [])]
    policies += [policy["PolicyDocument"] for policy in of_type(resources, "AWS::IAM::Policy").values()]
    return [s for policy in policies for s in policy["Statement"] if s["Effect"] == "Allow"]


def test_the_handler_exists_and_finds_its_settings(expanded: dict[str, Any]) -> None:
    """The function names a callable of ours and sets exactly the variables it insists on."""
    (function,) = of_type(expanded, "AWS::Lambda::Function").values()
    module, name = function["Handler"].rsplit(".", 1)
    assert callable(getattr(importlib.import_module(module), name))
    variables = function["Environment"]["Variables"]
    assert {"SOLIDSTATE_PIPELINES", "SOLIDSTATE_BUCKET"} <= set(variables)


def test_nothing_is_allowed_everywhere(expanded: dict[str, Any]) -> None:
    """No statement allows every action or every resource, tracing aside, which knows no resources."""
    found = statements(expanded)
    assert found
    for statement in found:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert all(not action.endswith("*") for action in actions), statement
        assert statement["Resource"] != "*", statement


def test_the_bucket_is_closed_and_kept(expanded: dict[str, Any]) -> None:
    """Public access is blocked four times, data is encrypted and versioned, and deleting the stack leaves it."""
    (bucket,) = of_type(expanded, "AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]
    assert expanded["Data"]["DeletionPolicy"] == expanded["Data"]["UpdateReplacePolicy"] == "Retain"


def test_commits_can_only_be_created(expanded: dict[str, Any]) -> None:
    """The bucket policy denies a PUT on commits that would overwrite, under the prefix the code writes to."""
    from solidstate.storage import keys

    (policy,) = of_type(expanded, "AWS::S3::BucketPolicy").values()
    denied = {s["Sid"]: s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"}
    only_created = denied["CommitsAreCreatedNeverOverwritten"]
    assert only_created["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    prefix = keys.commit("p", "s", "r").split("p/")[0]
    assert only_created["Resource"] == {"Fn::Sub": "${Data.Arn}/" + prefix + "*"}


def test_the_function_answers_its_own_machine_only(expanded: dict[str, Any]) -> None:
    """A policy of its own, attached to the function's role: neither function nor machine depends on it."""
    (policy,) = of_type(expanded, "AWS::IAM::Policy").values()
    (function,) = of_type(expanded, "AWS::Lambda::Function").values()
    assert [function["Role"]] == [{"Fn::GetAtt": [role["Ref"], "Arn"]} for role in policy["Roles"]]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["states:SendTaskSuccess", "states:SendTaskFailure"]
    machines = [name for name, body in expanded.items() if body["Type"] == "AWS::StepFunctions::StateMachine"]
    assert [statement["Resource"]] == [{"Ref": name} for name in machines]


def test_what_steps_leave_for_each_other_expires(expanded: dict[str, Any]) -> None:
    """Like intermediates, under the prefixes the code writes to."""
    from solidstate.storage import keys

    (bucket,) = of_type(expanded, "AWS::S3::Bucket").values()
    expiring = [rule["Prefix"] for rule in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]
    for key in (keys.ended("p", "s", "r"), keys.parked("p", "s", "r", 0), keys.data("p", "s", "r", "a", "o")):
        assert key.split("p/")[0] in expiring


def test_the_definition_gets_the_function(expanded: dict[str, Any]) -> None:
    """What the compiler leaves open is what the template fills in."""
    from solidstate.planner.states import FUNCTION

    (machine,) = of_type(expanded, "AWS::StepFunctions::StateMachine").values()
    assert FUNCTION == "${StepFunctionArn}"
    assert list(machine["DefinitionSubstitutions"]) == ["StepFunctionArn"]
    assert machine["StateMachineType"] == "STANDARD"


def test_a_build_puts_everything_where_the_template_looks() -> None:
    """The folders of ``solidstate build`` without options, the runtime of the function, the target of its pipeline."""
    from solidstate.cli.arguments import parse
    from solidstate.cli.build_command import BUNDLE, MACHINES
    from solidstate.infra.bundle_recipe import recipe_for
    from solidstate.infra.bundle_settings import Choices

    text = (ROOT / "template.yaml").read_text()
    output = parse(["build", "x"], "0").output
    recipe = recipe_for([str(ROOT / "examples" / "flights" / "pipeline.py")], Choices())
    (found,) = recipe.pipelines
    assert f"CodeUri: {output}/{BUNDLE}\n" in text
    assert f"DefinitionUri: {output}/{MACHINES}/{found.definition.name}.asl.json\n" in text
    assert f"SOLIDSTATE_PIPELINES: {found.target}\n" in text
    assert f"Runtime: {recipe.settings.runtime}\n" in text


def test_the_example_s_requirements_are_those_of_the_extra() -> None:
    """Whoever runs the example locally has tested what its bundle ships."""
    import tomllib

    lines = (ROOT / "examples" / "flights" / "requirements.txt").read_text().splitlines()
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["demo"]
    assert [line for line in lines if not line.startswith("#")] == extra
