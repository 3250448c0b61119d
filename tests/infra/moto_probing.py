"""What the probes of moto share: how one is collected, and how a state machine is run under ``mock_aws``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import boto3

ROLE = "arn:aws:iam::123456789012:role/any"
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
PROBES: dict[str, Callable[[], Any]] = {}


def probe(of: Callable[[], Any]) -> Callable[[], Any]:
    """Collect a probe under its function's name."""
    PROBES[of.__name__] = of
    return of


def client(service: str) -> Any:
    """A client inside ``mock_aws``."""
    session: Any = boto3.session.Session()
    return session.client(service, region_name="us-east-1")


def machine(definition: dict[str, Any]) -> str:
    """Create a state machine of the definition, named by its position."""
    sfn = client("stepfunctions")
    name = f"m{len(sfn.list_state_machines()['stateMachines'])}"
    made = sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
    return str(made["stateMachineArn"])


def start(definition: dict[str, Any], document: Any = None) -> str:
    """Start a machine of the definition; gives the execution's ARN."""
    arn = machine(definition)
    sfn = client("stepfunctions")
    return str(sfn.start_execution(stateMachineArn=arn, name="run", input=json.dumps(document or {}))["executionArn"])


def ended(execution_arn: str) -> dict[str, Any]:
    """The description of the execution once it has ended."""
    sfn = client("stepfunctions")
    while True:
        described: dict[str, Any] = sfn.describe_execution(executionArn=execution_arn)
        if described["status"] != "RUNNING":
            time.sleep(0.01)
            return dict(sfn.describe_execution(executionArn=execution_arn))
        time.sleep(0.01)


def run(state: dict[str, Any], document: Any = None) -> dict[str, Any]:
    """Run one state to its end."""
    return ended(start({"StartAt": "A", "States": {"A": {"End": True, **state}}}, document))
