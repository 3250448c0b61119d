"""Retries on moto, without their pauses."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from solidstate.infra.local_aws import local_aws
from solidstate.infra.retry_pauses import without_pauses

MACHINE = json.dumps(
    {
        "StartAt": "S",
        "States": {
            "S": {
                "Type": "Task",
                "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f",
                "Retry": [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "MaxAttempts": 1}],
                "End": True,
            }
        },
    }
)


@pytest.mark.parametrize("hurried", [True, False], ids=["without", "with"])
def test_retries_do_not_wait(hurried: bool) -> None:
    """All attempts are made; once it is over, retries wait again."""
    calls: list[float] = []

    def fail(name: str, event: Any, context: Any) -> Any:
        calls.append(time.monotonic())
        raise ValueError("no")

    with local_aws(fail) as aws:
        aws.create_function("f", 10, 128)
        machine = aws.create_machine("m", MACHINE)
        if hurried:
            with without_pauses():
                aws.wait(aws.start(machine, None, {}), timeout_s=60)
        else:
            aws.wait(aws.start(machine, None, {}), timeout_s=60)
    assert len(calls) == 2
    assert (calls[1] - calls[0] < 0.9) is hurried
