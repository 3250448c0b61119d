"""The baseline of moto_chain: a chain of Task states written by hand, whose handler does one GET and one conditional
PUT with boto3, on the same local AWS. Seconds per state."""

import json
import time
from typing import Any

import boto3

from solidstate.infra.local_aws import local_aws

STEPS = 50
BUCKET = "by-hand"
clients: list[Any] = []


def handler(function: str, event: dict[str, Any], context: Any) -> dict[str, Any]:
    s3, step = clients[0], event["step"]
    value = json.loads(s3.get_object(Bucket=BUCKET, Key=f"{step - 1}")["Body"].read()) if step else 0
    s3.put_object(Bucket=BUCKET, Key=f"{step}", Body=json.dumps(value + 1).encode(), IfNoneMatch="*")
    return {"step": step}


with local_aws(handler) as aws:
    aws.create_bucket(BUCKET)
    clients.append(boto3.client("s3", endpoint_url=aws.endpoint_url, region_name=aws.region))
    function = aws.create_function("by-hand", 60, 512)
    states = {
        f"s{number}": {
            "Type": "Task",
            "Resource": function,
            "Parameters": {"step": number},
            **({"Next": f"s{number + 1}"} if number < STEPS - 1 else {"End": True}),
        }
        for number in range(STEPS)
    }
    machine = aws.create_machine("by-hand", json.dumps({"StartAt": "s0", "States": states}))
    started = time.perf_counter()
    described = aws.wait(aws.start(machine, "bench", {}), poll_s=0.01)
    seconds = time.perf_counter() - started
assert described["status"] == "SUCCEEDED", described
print(json.dumps({"per_step_s": seconds / STEPS}))
