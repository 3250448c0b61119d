"""A function's policy is the union of what its steps need, and nothing beside it."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate import Permission, pipeline, solid
from solidstate.errors import CompileError
from solidstate.infra.policies import FunctionPolicy, Statement, document_of, function_policies
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan
from tests.infra.templates import letter_n, plain, shop


def policies(definition: PipelineDefinition) -> dict[str, FunctionPolicy]:
    plan = build_plan(definition)
    return {policy.group: policy for policy in function_policies(definition, plan, compile_plan(plan))}


def own(policy: FunctionPolicy) -> list[Statement]:
    """Without what storage needs."""
    return [one for one in policy.statements if one.why]


def test_a_plain_pipeline_has_one_that_stores() -> None:
    """Actions of S3 on its keys in the data bucket."""
    (policy,) = policies(plain).values()
    assert (policy.group, policy.steps, policy.answers_tokens) == ("", ("first",), False)
    resources = {resource for statement in policy.statements for resource in statement.resources}
    bucket = "arn:${AWS::Partition}:s3:::${DataBucket}"
    assert all(one == bucket or (one.startswith(f"{bucket}/v1/") and one.endswith("/plain/*")) for one in resources)


def test_permissions_go_where_the_steps_run() -> None:
    """Each function has what its own steps declare, with a sentence for whom."""
    found = policies(shop)
    assert {group: own(policy) for group, policy in found.items()} == {
        "": [],
        "Orders": [
            Statement(
                "ResourceOrders",
                ("dynamodb:GetItem", "dynamodb:Query"),
                ("${OrdersTableArn}",),
                why="For resource `orders`.",
            )
        ],
        "Memory4096Disk2048": [],
        "PublishReports": [
            Statement("SolidPublish", ("cloudwatch:PutMetricData",), ("*",), why="For solid `publish`."),
            Statement(
                "ResourceReports",
                ("s3:PutObject",),
                ("arn:aws:s3:::${DataBucket}/reports/*",),
                why="For resource `reports`.",
            ),
            Statement(
                "ResourceReports2",
                ("ssm:GetParameter",),
                ("arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/shop/password",),
                why="For resource `reports`.",
            ),
        ],
    }


def test_who_meets_answers_tokens() -> None:
    """Only functions of steps that have a rendezvous, and the step function, which wakes for others."""
    answering = {group for group, policy in policies(letter_n).items() if policy.answers_tokens}
    assert "" in answering
    assert not any(policy.answers_tokens for policy in policies(shop).values())


def test_a_policy_as_iam_writes_it() -> None:
    """With the condition, where there is one."""
    document = document_of(policies(plain)[""].statements)
    assert document["Version"] == "2012-10-17"
    listing = document["Statement"][-1]
    assert listing["Sid"] == "MissingMeansMissing"
    assert listing["Condition"]["StringLikeIfExists"]["s3:prefix"][0] == "v1/runs/plain/*"
    assert all(set(one) - {"Condition"} == {"Sid", "Effect", "Action", "Resource"} for one in document["Statement"])


def test_what_works_on_the_same_is_one_statement() -> None:
    """With the actions of all, and all their names."""
    read = Permission("s3:GetObject", "arn:aws:s3:::b/*")

    @solid
    def first_of_all() -> int:
        return 1

    @solid(permissions=[read])
    def one() -> int:
        return 1

    @solid(permissions=[Permission("s3:PutObject", "arn:aws:s3:::b/*"), read])
    def two() -> int:
        return 1

    @solid(permissions=[read])
    def three() -> int:
        return 1

    @pipeline
    def shared() -> None:
        one()
        three()
        two()
        first_of_all()

    assert own(policies(shared)["One"]) == [
        Statement("SolidOne", ("s3:GetObject",), ("arn:aws:s3:::b/*",), why="For solid `one` and solid `three`.")
    ]
    assert [one.actions for one in own(policies(shared)["Two"])] == [("s3:GetObject", "s3:PutObject")]


def test_a_policy_that_is_too_large() -> None:
    """Told before IAM refuses it in the middle of a deployment."""
    many: list[Any] = [Permission("s3:GetObject", f"arn:aws:s3:::bucket/{number:0100}/*") for number in range(60)]

    @solid(permissions=many)
    def reads_much() -> int:
        return 1

    @pipeline
    def large() -> None:
        reads_much()

    with pytest.raises(CompileError) as caught:
        policies(large)
    assert str(caught.value).startswith("The function of the plain steps of `large` needs a policy of ")
    assert str(caught.value).endswith("on fewer patterns, as in `arn:aws:s3:::my-bucket/in/*`")
