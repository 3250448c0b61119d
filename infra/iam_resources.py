"""The resources that requests name, as ARNs: of the services that pipelines use most, from the parameters of requests.

Of others the parameters that are ARNs themselves are taken. What cannot be told is left open, and only the action is
judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from solidstate.infra.moto_inside import ACCOUNT_ID

REGION = "us-east-1"
"""Regions and accounts are not compared, so that any will do."""
_NAMED = {
    "athena": {"WorkGroup": "workgroup/{}", "DataCatalog": "datacatalog/{}"},
    "batch": {"jobQueue": "job-queue/{}", "jobDefinition": "job-definition/{}"},
    "dynamodb": {"TableName": "table/{}"},
    "ecs": {"cluster": "cluster/{}"},
    "events": {"EventBusName": "event-bus/{}"},
    "firehose": {"DeliveryStreamName": "deliverystream/{}"},
    "kinesis": {"StreamName": "stream/{}"},
    "kms": {"KeyId": "key/{}"},
    "lambda": {"FunctionName": "function:{}"},
    "logs": {"logGroupName": "log-group:{}:*"},
    "secretsmanager": {"SecretId": "secret:{}-AAAAAA"},
    "sqs": {"QueueName": "{}", "QueueUrl": "{}"},
    "ssm": {"Name": "parameter/{}", "Path": "parameter/{}", "Names": "parameter/{}"},
}
"""By service and parameter, what stands in the last part of the ARN."""


def resources_of(service: str, given: Mapping[str, Any]) -> tuple[str, ...]:
    """ARNs; empty when the request names none that is known."""
    special = _SPECIAL.get(service)
    found = [*(special(given) if special else ()), *_by_name(service, given), *_arns(given)]
    return tuple(dict.fromkeys(found))


def _by_name(service: str, given: Mapping[str, Any]) -> Iterator[str]:
    for parameter, form in _NAMED.get(service, {}).items():
        value = given.get(parameter)
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, str) and name and not name.startswith("alias/"):
                yield name if name.startswith("arn:") else _arn(service, form.format(_plain(name)))


def _plain(name: str) -> str:
    """A queue's URL ends in its name; names of parameters have a version behind, and a slash that ARNs have already."""
    return name.rpartition("/")[2] if name.startswith("http") else name.lstrip("/").partition(":")[0]


def _arns(given: Mapping[str, Any]) -> Iterator[str]:
    for value in given.values():
        if isinstance(value, str) and value.startswith("arn:"):
            yield value


def _arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{rest}"


def _dynamodb(given: Mapping[str, Any]) -> Iterator[str]:
    requested = given.get("RequestItems")
    for table in requested if isinstance(requested, Mapping) else ():
        yield _arn("dynamodb", f"table/{table}")
    for item in given.get("TransactItems") or ():
        for change in item.values() if isinstance(item, Mapping) else ():
            if isinstance(change, Mapping) and "TableName" in change:
                yield _arn("dynamodb", f"table/{change['TableName']}")
    if "IndexName" in given:
        yield _arn("dynamodb", f"table/{given.get('TableName')}/index/{given['IndexName']}")


def _events(given: Mapping[str, Any]) -> Iterator[str]:
    for entry in given.get("Entries") or ():
        if isinstance(entry, Mapping):
            name = str(entry.get("EventBusName") or "default")
            yield name if name.startswith("arn:") else _arn("events", f"event-bus/{name}")


def _glue(given: Mapping[str, Any]) -> Iterator[str]:
    database = given.get("DatabaseName")
    if database:
        yield _arn("glue", "catalog")
        yield _arn("glue", f"database/{database}")
        table = given.get("TableName") or given.get("Name") or (given.get("TableInput") or {}).get("Name")
        if table:
            yield _arn("glue", f"table/{database}/{table}")
    elif "JobName" in given:
        yield _arn("glue", f"job/{given['JobName']}")


_SPECIAL: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "dynamodb": _dynamodb,
    "events": _events,
    "glue": _glue,
}
