"""Resources that requests name in their own ways are told as ARNs."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate.infra.iam_resources import resources_of

HERE = "us-east-1:123456789012"


@pytest.mark.parametrize(
    ("service", "given", "found"),
    [
        ("ssm", {"Names": ["/a", "b"]}, (f"arn:aws:ssm:{HERE}:parameter/a", f"arn:aws:ssm:{HERE}:parameter/b")),
        ("lambda", {"FunctionName": "f:live"}, (f"arn:aws:lambda:{HERE}:function:f",)),
        (
            "lambda",
            {"FunctionName": "arn:aws:lambda:eu-west-1:1:function:f"},
            ("arn:aws:lambda:eu-west-1:1:function:f",),
        ),
        ("kms", {"KeyId": "alias/mine"}, ()),
        ("kms", {"KeyId": "abc"}, (f"arn:aws:kms:{HERE}:key/abc",)),
        (
            "dynamodb",
            {"TableName": "t", "IndexName": "i"},
            (f"arn:aws:dynamodb:{HERE}:table/t/index/i", f"arn:aws:dynamodb:{HERE}:table/t"),
        ),
        ("dynamodb", {"TransactItems": [{"Put": {"TableName": "t"}}]}, (f"arn:aws:dynamodb:{HERE}:table/t",)),
        (
            "events",
            {"Entries": [{"EventBusName": "arn:aws:events:eu-west-1:1:event-bus/b"}]},
            ("arn:aws:events:eu-west-1:1:event-bus/b",),
        ),
        ("glue", {"JobName": "j"}, (f"arn:aws:glue:{HERE}:job/j",)),
        ("anything", {"streamArn": "arn:aws:x:y:1:z", "name": "n"}, ("arn:aws:x:y:1:z",)),
        ("anything", {"name": "n", "number": 5}, ()),
        ("dynamodb", {"RequestItems": 5, "TransactItems": [5]}, ()),
    ],
    ids=str,
)
def test_by_name_and_by_arn(service: str, given: dict[str, Any], found: tuple[str, ...]) -> None:
    """What is known by a name gets its ARN, an ARN stays, and what is neither is left open."""
    assert resources_of(service, given) == found
