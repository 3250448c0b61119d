"""Requests as boto3 prepares and signs them, kept from being sent."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

from solidstate.infra.iam_asked import HttpRequest


class Sent(Exception):
    """The request instead of an answer."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.url)
        self.request = request


def request_of(service: str, operation: str, /, **parameters: Any) -> HttpRequest:
    """What ``client(service).operation(**parameters)`` sends."""
    session: Any = boto3.session.Session(
        aws_access_key_id="step", aws_secret_access_key="x", aws_session_token="t", region_name="eu-west-1"
    )
    client = session.client(service)

    def keep(request: Any, **_: Any) -> AWSResponse:
        headers = {
            str(name).lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        raise Sent(HttpRequest(request.method, request.url, headers, body))

    client.meta.events.register("before-send", keep)
    try:
        getattr(client, operation)(**parameters)
    except Sent as sent:
        return sent.request
    raise AssertionError("nothing was sent")
