"""IAM's rules: what no statement allows is denied; wildcards, conditions and placeholders as they are meant."""

from __future__ import annotations

import pytest

from solidstate.errors import EngineError
from solidstate.infra.iam_asked import Asked
from solidstate.infra.iam_judgement import local_statements, refusal
from solidstate.infra.policies import Statement


def allows(statement: Statement, action: str, *resources: str, **context: str) -> bool:
    asked = Asked(action, resources, {key.replace("_", ":"): value for key, value in context.items()})
    return refusal([asked], local_statements([statement], "data")) is None


def on(*resources: str, actions: tuple[str, ...] = ("s3:GetObject",)) -> Statement:
    return Statement("S", actions, resources)


@pytest.mark.parametrize(
    ("pattern", "resource", "allowed"),
    [
        ("arn:aws:s3:::b/in/*", "arn:aws:s3:::b/in/a/b", True),
        ("arn:aws:s3:::b/in/*", "arn:aws:s3:::b/inn", False),
        ("arn:aws:s3:::b/?", "arn:aws:s3:::b/a", True),
        ("arn:aws:s3:::b/?", "arn:aws:s3:::b/ab", False),
        ("arn:aws:s3:::b/a.c", "arn:aws:s3:::b/abc", False),
        ("arn:aws:s3:::${DataBucket}/reports/*", "arn:aws:s3:::data/reports/x", True),
        ("arn:aws:s3:::${DataBucket}/reports/*", "arn:aws:s3:::other/reports/x", False),
        ("arn:${AWS::Partition}:s3:::${DataBucket}", "arn:aws:s3:::data", True),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/t", "arn:aws:dynamodb:us-east-1:1:table/t", True),
        ("arn:aws:dynamodb:eu-west-1:1:table/t", "arn:aws:dynamodb:eu-west-1:1:table/u", False),
        ("arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Name}", "arn:aws:dynamodb:x:1:table/t", True),
        ("${TableArn}", "arn:aws:dynamodb:x:1:table/t", True),
        ("${Table.Arn}/index/*", "arn:aws:dynamodb:x:1:table/t", False),
        ("*", "arn:aws:s3:::b/k", True),
    ],
)
def test_resources(pattern: str, resource: str, allowed: bool) -> None:
    """Patterns over the whole ARN; regions and accounts are not compared, what a deployment fills in fits anything."""
    assert allows(on(pattern), "s3:GetObject", resource) is allowed


def test_actions() -> None:
    """In any spelling, and no other."""
    statement = on("*", actions=("s3:GetObject", "s3:putobject"))
    assert allows(statement, "s3:PutObject", "arn:aws:s3:::b/k")
    assert allows(statement, "s3:getobject", "arn:aws:s3:::b/k")
    assert not allows(statement, "s3:DeleteObject", "arn:aws:s3:::b/k")
    assert allows(statement, "sts:GetCallerIdentity")


def test_every_resource_has_to_be_allowed() -> None:
    """By any of the statements; one that is not known is allowed by the action alone."""
    statements = local_statements([on("arn:aws:s3:::a/*"), on("arn:aws:s3:::b/*")], "data")
    both = Asked("s3:GetObject", ("arn:aws:s3:::a/1", "arn:aws:s3:::b/1"))
    assert refusal([both], statements) is None
    third = Asked("s3:GetObject", ("arn:aws:s3:::a/1", "arn:aws:s3:::c/1"))
    assert refusal([both, third], statements) == third
    assert refusal([Asked("s3:GetObject")], statements) is None
    assert refusal([Asked("s3:PutObject")], statements) == Asked("s3:PutObject")


def test_conditions() -> None:
    """A prefix has to fit, when there is one."""
    condition = {"StringLikeIfExists": {"s3:prefix": ["v1/runs/p/*"]}}
    statement = Statement("S", ("s3:ListBucket",), ("arn:aws:s3:::b",), condition)
    assert allows(statement, "s3:ListBucket", "arn:aws:s3:::b")
    assert allows(statement, "s3:ListBucket", "arn:aws:s3:::b", s3_prefix="v1/runs/p/x")
    assert not allows(statement, "s3:ListBucket", "arn:aws:s3:::b", s3_prefix="v1/runs/")
    assert not allows(statement, "s3:ListBucket", "arn:aws:s3:::b", s3_prefix="")


def test_conditions_that_are_not_known() -> None:
    """Never taken to hold."""
    statement = Statement("S", ("s3:ListBucket",), ("*",), {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}})
    with pytest.raises(EngineError, match="Conditions with `IpAddress` cannot be judged locally"):
        allows(statement, "s3:ListBucket", "arn:aws:s3:::b")
