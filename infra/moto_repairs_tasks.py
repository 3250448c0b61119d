"""Repairs of the interpreter's service integrations (``aws-sdk:*``, ``states:startExecution``): shapes and names."""

from __future__ import annotations

import datetime
import functools
from typing import Any, cast

from solidstate.infra.moto_inside import inside, swap

_BOTO_NAMES = {"sfn": "stepfunctions", "states": "stepfunctions"}
_ERROR_NAMES = {"s3": "S3", "lambda": "Lambda", "sqs": "Sqs", "sns": "Sns", "events": "EventBridge"}


@functools.lru_cache(256)
def _operation(service: str, method: str) -> Any:
    """The model of ``service.method`` (both in botocore's spelling), None when there is none."""
    import botocore.session
    from botocore import xform_name

    model: Any = botocore.session.Session().get_service_model(_BOTO_NAMES.get(service, service))
    for name in model.operation_names:
        if xform_name(name) == method:
            return model.operation_model(name)
    return None


def shape_requests_and_answers() -> None:
    """The interpreter no longer fits requests and answers to the service: ``states:startExecution`` fails with
    "'StateMachineArn'", ``s3:putObject`` with a JSON Body with "'dict' object has no attribute 'read'",
    ``s3:getObject`` with "Object of type StreamingBody is not JSON serializable". The code that does it is still
    there, unused."""
    module = inside("stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service")
    service = module.StateTaskService

    def operation(self: Any, service_name: str | None, action: str | None) -> Any:
        return _operation(self._get_boto_service_name(service_name), self._get_boto_service_action(action))

    def request(
        self: Any, parameters: Any, boto_service_name: str | None = None, service_action_name: str | None = None
    ) -> None:
        found = operation(self, boto_service_name, service_action_name)
        if found is not None and found.input_shape is not None:
            self._to_boto_request(parameters, found.input_shape)

    def answer(
        self: Any, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
    ) -> None:
        if not isinstance(response, dict):
            return
        found = operation(self, boto_service_name, service_action_name)
        if found is not None and found.output_shape is not None:
            self._from_boto_response(response, found.output_shape)
        cast("dict[str, Any]", response).pop("ResponseMetadata", None)

    def value(of: Any) -> Any:
        if isinstance(of, datetime.datetime):
            return of.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        return original(of)

    swap(service, "_normalise_parameters", request)
    swap(service, "_normalise_response", answer)
    original = swap(service, "_from_boto_response_value", staticmethod(value))


def error_names() -> None:
    """An error of an ``aws-sdk`` task is named ``s3.NoSuchKeyException``; AWS writes ``S3.NoSuchKeyException``."""
    inside(
        "stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk"
    )._SERVICE_ERROR_NAMES.update(_ERROR_NAMES)
