"""From the request alone it is read what is asked for: as boto3 sends it, for every protocol AWS has."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config

from solidstate.infra.iam_asked import Asked, HttpRequest, Signer, asked_of, signer_of
from tests.infra.iam_requests import request_of

HERE = "us-east-1:123456789012"

CASES: list[tuple[tuple[str, str, dict[str, Any]], str, tuple[str, ...]]] = [
    # JSON
    (
        ("dynamodb", "get_item", {"TableName": "orders", "Key": {"id": {"S": "1"}}}),
        "dynamodb:GetItem",
        (f"arn:aws:dynamodb:{HERE}:table/orders",),
    ),
    (
        (
            "dynamodb",
            "batch_get_item",
            {"RequestItems": {"a": {"Keys": [{"id": {"S": "1"}}]}, "b": {"Keys": [{"id": {"S": "1"}}]}}},
        ),
        "dynamodb:BatchGetItem",
        (f"arn:aws:dynamodb:{HERE}:table/a", f"arn:aws:dynamodb:{HERE}:table/b"),
    ),
    (
        ("ssm", "get_parameter", {"Name": "/db/password:3"}),
        "ssm:GetParameter",
        (f"arn:aws:ssm:{HERE}:parameter/db/password",),
    ),
    (
        ("secretsmanager", "get_secret_value", {"SecretId": "team/db"}),
        "secretsmanager:GetSecretValue",
        (f"arn:aws:secretsmanager:{HERE}:secret:team/db-AAAAAA",),
    ),
    (
        ("stepfunctions", "start_execution", {"stateMachineArn": "arn:aws:states:eu-west-1:1:stateMachine:x"}),
        "states:StartExecution",
        ("arn:aws:states:eu-west-1:1:stateMachine:x",),
    ),
    (("stepfunctions", "send_task_success", {"taskToken": "t", "output": "{}"}), "states:SendTaskSuccess", ()),
    (
        ("kinesis", "put_record", {"StreamName": "s", "Data": b"1", "PartitionKey": "1"}),
        "kinesis:PutRecord",
        (f"arn:aws:kinesis:{HERE}:stream/s",),
    ),
    (
        ("events", "put_events", {"Entries": [{"Detail": "{}"}]}),
        "events:PutEvents",
        (f"arn:aws:events:{HERE}:event-bus/default",),
    ),
    (
        ("glue", "get_table", {"DatabaseName": "d", "Name": "t"}),
        "glue:GetTable",
        (
            f"arn:aws:glue:{HERE}:catalog",
            f"arn:aws:glue:{HERE}:database/d",
            f"arn:aws:glue:{HERE}:table/d/t",
        ),
    ),
    (
        ("athena", "start_query_execution", {"QueryString": "select 1", "WorkGroup": "primary"}),
        "athena:StartQueryExecution",
        (f"arn:aws:athena:{HERE}:workgroup/primary",),
    ),
    (
        ("sqs", "send_message", {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/q", "MessageBody": "x"}),
        "sqs:SendMessage",
        (f"arn:aws:sqs:{HERE}:q",),
    ),
    # query, and EC2's own
    (
        ("sns", "publish", {"TopicArn": "arn:aws:sns:eu-west-1:1:alarms", "Message": "x"}),
        "sns:Publish",
        ("arn:aws:sns:eu-west-1:1:alarms",),
    ),
    (("ec2", "describe_instances", {}), "ec2:DescribeInstances", ()),
    (("sts", "get_caller_identity", {}), "sts:GetCallerIdentity", ()),
    (
        ("sts", "assume_role", {"RoleArn": "arn:aws:iam::1:role/x", "RoleSessionName": "session"}),
        "sts:AssumeRole",
        ("arn:aws:iam::1:role/x",),
    ),
    # REST
    (
        ("lambda", "invoke", {"FunctionName": "f", "Payload": b"{}"}),
        "lambda:InvokeFunction",
        (f"arn:aws:lambda:{HERE}:function:f",),
    ),
    (("lambda", "get_function", {"FunctionName": "f"}), "lambda:GetFunction", (f"arn:aws:lambda:{HERE}:function:f",)),
    (
        ("batch", "submit_job", {"jobName": "j", "jobQueue": "q", "jobDefinition": "d"}),
        "batch:SubmitJob",
        (f"arn:aws:batch:{HERE}:job-queue/q", f"arn:aws:batch:{HERE}:job-definition/d"),
    ),
    (("bedrock-runtime", "converse", {"modelId": "m", "messages": []}), "bedrock:InvokeModel", ()),
    # S3
    (("s3", "get_object", {"Bucket": "b", "Key": "a/ä b"}), "s3:GetObject", ("arn:aws:s3:::b/a/ä b",)),
    (("s3", "list_buckets", {}), "s3:ListAllMyBuckets", ("*",)),
]


@pytest.mark.parametrize(("call", "action", "resources"), CASES, ids=[f"{case[0][0]} {case[0][1]}" for case in CASES])
def test_what_is_asked_for(call: tuple[str, str, dict[str, Any]], action: str, resources: tuple[str, ...]) -> None:
    """IAM's name of the action, and the resources by their ARNs where the request tells them."""
    service, operation, parameters = call
    request = request_of(service, operation, **parameters)
    signer = signer_of(request)
    assert signer is not None
    assert (signer.key, signer.region) == ("step", "eu-west-1") or service == "sts"
    asked = asked_of(request, signer)
    assert asked is not None
    assert [(one.action, one.resources) for one in asked] == [(action, resources)]


def test_metrics_are_asked_for_by_their_iam_name() -> None:
    """CloudWatch signs as `monitoring`, and changes its protocol from time to time."""
    request = request_of("cloudwatch", "put_metric_data", Namespace="n", MetricData=[])
    signer = signer_of(request)
    assert signer is not None
    asked = asked_of(request, signer)
    assert asked is not None
    assert [one.action for one in asked] == ["cloudwatch:PutMetricData"]


def test_presigned_addresses_are_signed_too() -> None:
    """By whoever made them, although no header says so."""
    session: Any = boto3.session.Session(aws_access_key_id="step", aws_secret_access_key="x", region_name="eu-west-1")
    for version, region in (("s3v4", "eu-west-1"), ("s3", "")):
        client = session.client("s3", config=Config(signature_version=version))
        request = HttpRequest(
            "GET", client.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"}), {}
        )
        signer = signer_of(request)
        assert signer == Signer("step", region, "s3")
        assert asked_of(request, signer) == [Asked("s3:GetObject", ("arn:aws:s3:::b/k",))]
    old = HttpRequest("GET", "http://h/b/k", {"authorization": "AWS step:c2lnbmVk"})
    assert signer_of(old) == Signer("step", "", "s3")


def test_what_nobody_knows() -> None:
    """No signature; a service or path that no model has."""
    assert signer_of(HttpRequest("GET", "http://localhost/x", {})) is None
    request = HttpRequest("GET", "http://localhost/no/such/path", {})
    assert asked_of(request, Signer("k", "r", "lambda")) is None
    assert asked_of(request, Signer("k", "r", "unheard-of")) is None
    broken = HttpRequest("POST", "http://localhost/", {"x-amz-target": "DynamoDB_20120810.GetItem"}, b"{")
    assert asked_of(broken, Signer("k", "r", "dynamodb")) == [Asked("dynamodb:GetItem")]
