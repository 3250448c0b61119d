"""What a request to AWS asks for: IAM actions on resources, read from the request as it is sent.

Read from requests and not from clients, so that boto3, s3fs, other libraries and other processes are seen alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from solidstate.infra.iam_resources import resources_of
from solidstate.infra.iam_s3 import asked_of_s3

_SCOPE = re.compile(r"(?:Credential=|^)([^/,= ]+)/\d+/([\w-]*)/([\w-]+)/aws4_request")
_PREFIXES = {
    "bedrock-runtime": "bedrock",
    "email": "ses",
    "monitoring": "cloudwatch",
    "tagging": "tag",
}
"""IAM's name of a service where it is not the one that requests are signed for."""
_MODELS = {
    "bedrock": "bedrock-runtime",
    "email": "sesv2",
    "es": "opensearch",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
"""botocore's name of a service where it is not the one that requests are signed for."""
_ACTIONS = {
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
    "dynamodb:ExecuteStatement": "dynamodb:PartiQLSelect",
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
}
"""Actions that are not called as the operation they allow."""


class Asked(msgspec.Struct, frozen=True):
    """One action on one of some resources (ARNs); none when they cannot be read from the request. ``context`` are
    IAM's condition keys."""

    action: str
    resources: tuple[str, ...] = ()
    context: dict[str, str] = {}


class Signer(msgspec.Struct, frozen=True):
    """Who signed a request, for where and for which service."""

    key: str
    region: str
    service: str


class HttpRequest(msgspec.Struct, frozen=True):
    """A request to AWS. Names of headers are in lower case; ``body`` is empty where nothing is to be read from it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.url).path)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))


Answer = tuple[int, dict[str, str], str]
"""Status, headers, body."""
Judge = Callable[[HttpRequest], Answer | None]
"""Gives the answer to a request that is denied, None for one that may be made."""


def signer_of(request: HttpRequest) -> Signer | None:
    """By the signature in its headers or, of a presigned address, in its query; None when there is none. S3 alone takes
    signatures of version 2."""
    given = request.headers.get("authorization", "")
    found = _SCOPE.search(given or request.query.get("X-Amz-Credential", ""))
    if found:
        return Signer(found[1], found[2], found[3])
    older = given.removeprefix("AWS ").partition(":")[0] if given.startswith("AWS ") else ""
    key = older or request.query.get("AWSAccessKeyId", "")
    return Signer(key, "", "s3") if key else None


def asked_of(request: HttpRequest, signer: Signer) -> list[Asked] | None:
    """Everything the request asks for; None when it is not known what that is."""
    if signer.service == "s3":
        host = urlsplit(request.url).hostname or ""
        return [Asked(*one) for one in asked_of_s3(request.method, host, request.path, request.query, request)]
    found = _operation(request, signer.service)
    if found is None:
        return None
    operation, given = found
    service = _PREFIXES.get(signer.service, signer.service)
    action = f"{service}:{operation}"
    return [Asked(_ACTIONS.get(action, action), resources_of(service, given))]


def _operation(request: HttpRequest, service: str) -> tuple[str, dict[str, Any]] | None:
    """The operation's name and its parameters as far as they stand in the request."""
    target = request.headers.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2], _json(request.body)
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"))) if request.method == "POST" else request.query
    if "Action" in form:
        return form["Action"], dict(form)
    return _rest_operation(request, service)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _rest_operation(request: HttpRequest, service: str) -> tuple[str, dict[str, Any]] | None:
    """By method and path, as the service's model says. Of several patterns the one with most of its own text is meant:
    ``/functions/{name}/invocations`` before ``/functions/{name}``."""
    import botocore.session

    session: Any = botocore.session.get_session()
    name = _MODELS.get(service, service)
    if name not in session.get_available_services():
        return None
    model = session.get_service_model(name)
    best: tuple[int, str, Mapping[str, str]] | None = None
    for operation in model.operation_names:
        http = model.operation_model(operation).http
        if http.get("method") != request.method:
            continue
        template = str(http.get("requestUri", "/")).partition("?")[0]
        found = re.fullmatch(_pattern(template), request.path)
        own = len(re.sub(r"\{[^}]*\}", "", template))
        if found and (best is None or own > best[0]):
            best = (own, operation, found.groupdict())
    if best is None:
        return None
    return best[1], {**_json(request.body), **best[2]}


def _pattern(template: str) -> str:
    pieces = re.split(r"\{(\w+)(\+?)\}", template)
    pattern = re.escape(pieces[0])
    for name, greedy, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        pattern += f"(?P<{name}>{'.+' if greedy else '[^/]+'}){re.escape(text)}"
    return pattern + "/?" if not pattern.endswith("/") else pattern
