"""What the cold step is compared with: the same work in a Lambda function written by hand with boto3."""

from __future__ import annotations

import os
from typing import Any

import boto3

s3 = boto3.client("s3")
bucket = os.environ["SOLIDSTATE_BUCKET"]


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    data = s3.get_object(Bucket=bucket, Key=event["input"])["Body"].read()
    total = sum(data)
    s3.put_object(Bucket=bucket, Key=event["output"], Body=str(total).encode(), IfNoneMatch="*")
    return {"total": total}
