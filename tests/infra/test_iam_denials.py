"""A denial is answered as AWS answers it, in every protocol, with the line that would allow it."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from solidstate.infra.iam_asked import Asked, HttpRequest, signer_of
from solidstate.infra.iam_denials import Denial, denied, told

DENIAL = Denial(Asked("s3:PutObject", ("arn:aws:s3:::data/reports/x",)), "Reports", ("write", "draw"), "data")
MESSAGE = (
    "User: arn:aws:sts::123456789012:assumed-role/ReportsFunctionRole/local is not authorized to perform: s3:PutObject "
    'on resource: "arn:aws:s3:::data/reports/x" because no identity-based policy allows the s3:PutObject action. '
    "Declare it on `write` or `draw`, or on the resource that does this: "
    'permissions=[Permission("s3:PutObject", "arn:aws:s3:::${DataBucket}/reports/x")]'
)


class Raw:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self.body


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("s3", "put_object", {"Bucket": "b", "Key": "k"}, "AccessDenied"),
        ("dynamodb", "get_item", {"TableName": "tab", "Key": {"id": {"S": "1"}}}, "AccessDeniedException"),
        ("sns", "publish", {"TopicArn": "arn:aws:sns:eu-west-1:1:a", "Message": "x"}, "AccessDenied"),
        ("ec2", "describe_instances", {}, "UnauthorizedOperation"),
        ("lambda", "invoke", {"FunctionName": "f"}, "AccessDeniedException"),
    ],
)
def test_boto3_understands_it(service: str, operation: str, parameters: dict[str, Any], code: str) -> None:
    """As the error it raises when AWS denies, the message in full."""
    session: Any = boto3.session.Session(aws_access_key_id="step", aws_secret_access_key="x", region_name="eu-west-1")
    client = session.client(service)

    def deny(request: Any, **_: Any) -> AWSResponse:
        headers = {str(k).lower(): v.decode() if isinstance(v, bytes) else str(v) for k, v in request.headers.items()}
        read = HttpRequest(request.method, request.url, headers)
        signer = signer_of(read)
        assert signer is not None
        status, answered, body = denied(read, signer, DENIAL)
        raw: Any = Raw(body.encode())
        fields: Any = answered
        return AWSResponse(request.url, status, fields, raw)

    client.meta.events.register("before-send", deny)
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**parameters)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, MESSAGE)


def test_a_head_has_no_words() -> None:
    """S3 answers it with the status alone."""
    request = HttpRequest("HEAD", "http://h/b/k", {"authorization": "Credential=k/20261101/r/s3/aws4_request"})
    signer = signer_of(request)
    assert signer is not None
    assert denied(request, signer, DENIAL) == (403, {"content-type": "application/xml"}, "")


def test_people_are_told_each_once() -> None:
    """With all who asked, and what to add."""
    other = Denial(DENIAL.asked, "Reports", ("keep",), "data")
    open_ = Denial(Asked("states:SendTaskSuccess"), "", (), "data")
    many = Denial(
        Asked("glue:GetTable", ("arn:aws:glue:r:1:catalog", "arn:aws:glue:r:1:database/d")), "", ("a",), "data"
    )
    assert told([DENIAL, other, DENIAL, open_, many]) == [
        "write, draw, keep: s3:PutObject on arn:aws:s3:::data/reports/x is not declared\n"
        '  add: permissions=[Permission("s3:PutObject", "arn:aws:s3:::${DataBucket}/reports/x")]',
        "a beginning or end: states:SendTaskSuccess on a resource that could not be told is not declared\n"
        '  add: permissions=[Permission("states:SendTaskSuccess", "arn:...")]',
        "a: glue:GetTable on arn:aws:glue:r:1:catalog, arn:aws:glue:r:1:database/d is not declared\n"
        '  add: permissions=[Permission("glue:GetTable", ["arn:aws:glue:r:1:catalog", "arn:aws:glue:r:1:database/d"])]',
    ]
