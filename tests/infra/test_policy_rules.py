"""What is allowed too much is found wherever a template can allow it."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate.infra.policy_rules import policy_findings

ROLE = "AWS::IAM::Role"


def statement(**changes: Any) -> dict[str, Any]:
    whole = {"Sid": "S", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **changes}
    return {key: value for key, value in whole.items() if value is not None}


def role(*statements: dict[str, Any], **properties: Any) -> dict[str, Any]:
    policy = {"PolicyName": "p", "PolicyDocument": {"Statement": list(statements)}}
    return {"R": {"Type": ROLE, "Properties": {"Policies": [policy], **properties}}}


def found(resources: dict[str, Any]) -> list[str]:
    return [str(finding).splitlines()[0] for finding in policy_findings(resources)]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({"Action": "s3:*"}, ["`R` allows `s3:*` in statement `S`."]),
        ({"Action": ["s3:GetObject", "s3:Get*"]}, ["`R` allows `s3:Get*` in statement `S`."]),
        ({"Action": "*", "Sid": None}, ["`R` allows `*` in a statement."]),
        ({"Resource": "*"}, ["`R` allows `s3:GetObject` on `*` in statement `S`."]),
        (
            {"Resource": ["arn:aws:s3:::b/*", "arn:aws:s3:::*"]},
            ["`R` allows `s3:GetObject` on `arn:aws:s3:::*` in statement `S`."],
        ),
        ({"Action": "s3:ListAllMyBuckets", "Resource": "*"}, []),
        (
            {"Action": ["xray:PutTraceSegments", "s3:GetObject"], "Resource": "*"},
            ["`R` allows `s3:GetObject` on `*` in statement `S`."],
        ),
        ({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}, []),
        ({"Action": None, "NotAction": "iam:*"}, ["`R` allows all but something: statement `S` has `NotAction`."]),
        ({"Resource": None, "NotResource": "x"}, ["`R` allows all but something: statement `S` has `NotResource`."]),
        (
            {"Action": "iam:PassRole", "Resource": "arn:aws:iam::1:role/x"},
            ["`R` allows `iam:PassRole` in statement `S`, with which it could allow itself more."],
        ),
        (
            {"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::1:role/x"},
            ["`R` allows `sts:AssumeRole` in statement `S`, with which it could allow itself more."],
        ),
    ],
    ids=str,
)
def test_statements(changes: dict[str, Any], told: list[str]) -> None:
    """Wildcards, everything, all but something, escalation; denials may say what they want."""
    assert found(role(statement(**changes))) == told


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::IAM::Role", {"Policies": [{"PolicyDocument": {"Statement": statement(Action="s3:*")}}]}),
        ("AWS::IAM::User", {"Policies": [{"PolicyDocument": {"Statement": [statement(Action="s3:*")]}}]}),
        ("AWS::IAM::Policy", {"PolicyDocument": {"Statement": [statement(Action="s3:*")]}}),
        ("AWS::IAM::ManagedPolicy", {"PolicyDocument": {"Statement": [statement(Action="s3:*")]}}),
        ("AWS::Serverless::Function", {"Policies": {"Statement": [statement(Action="s3:*")]}}),
        ("AWS::Serverless::StateMachine", {"Policies": [{"Statement": [statement(Action="s3:*")]}]}),
        (
            "AWS::IAM::Policy",
            {"PolicyDocument": {"Statement": [{"Fn::If": ["C", statement(Action="s3:*"), {"Ref": "AWS::NoValue"}]}]}},
        ),
    ],
)
def test_every_place_is_looked_at(kind: str, properties: dict[str, Any]) -> None:
    """Roles, policies apart, SAM's own; behind conditions too."""
    assert found({"X": {"Type": kind, "Properties": properties}}) == ["`X` allows `s3:*` in statement `S`."]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (ROLE, {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]}),
        (ROLE, {"ManagedPolicyArns": [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AmazonS3FullAccess"}]}),
        ("AWS::Serverless::Function", {"Policies": ["AmazonS3FullAccess"]}),
        ("AWS::Serverless::Function", {"Policies": "AmazonS3FullAccess"}),
    ],
)
def test_managed_policies(kind: str, given: dict[str, Any]) -> None:
    """AWS's own are too wide, however they are written; those for one purpose are not."""
    told = "`X` has the managed policy `AmazonS3FullAccess`, which allows far more than it needs."
    assert found({"X": {"Type": kind, "Properties": given}}) == [told]
    narrow = {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]}
    assert found({"X": {"Type": ROLE, "Properties": narrow}}) == []


def test_who_may_assume_a_role() -> None:
    """A service, not everybody."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    assert found(role(AssumeRolePolicyDocument=trust)) == ["`R` may be assumed by anybody."]
    trust["Statement"][0]["Principal"] = {"AWS": "lambda.amazonaws.com"}
    assert found(role(AssumeRolePolicyDocument=trust)) == []


def test_what_is_allowed_to_everybody() -> None:
    """By the policy of a bucket, a queue or a topic; denials are for everybody."""
    for kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        for principal in ("*", {"AWS": "*"}, {"AWS": ["x", "*"]}):
            body = {"PolicyDocument": {"Statement": [statement(Principal=principal)]}}
            assert found({"P": {"Type": kind, "Properties": body}}) == ["`P` allows something to everybody."]
        body = {"PolicyDocument": {"Statement": [statement(Effect="Deny", Principal="*")]}}
        assert found({"P": {"Type": kind, "Properties": body}}) == []
