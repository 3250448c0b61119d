"""The short way from boto3 to moto: a request to the local AWS is answered in process instead of over a socket.

botocore hands every request, from every client of the process, to ``URLLib3Session.send``. While the local AWS is open
that method gives requests for it, and requests that clients made earlier would send to the real AWS, straight to moto.
Nothing about the client changes: it signs, serializes, retries and parses as ever. moto's ``mock_aws`` does the same
from another place, but also replaces credentials, intercepts every use of ``requests`` and misses clients made before
moto was imported.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from solidstate.errors import EngineError
from solidstate.infra.iam_asked import HttpRequest, Judge
from solidstate.infra.moto_inside import ACCOUNT_ID, inside, swap

_SHORT = {"s3": "s3", "lambda": "lambda", "states": "stepfunctions", "iam": "iam"}
"""Services answered in process: signing name to moto's name. The others are rare here and go over the socket."""
_SCOPE = re.compile(r"Credential=[^/,]+/\d+/([\w-]+)/([\w-]+)/aws4_request")
_AWS_HOST = re.compile(r"(?:^|\.)(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws|amazonaws\.eu)$")


@contextmanager
def shortcut(endpoint_url: str, judge: Judge | None = None) -> Generator[None]:
    """Answer requests to ``endpoint_url``, and those meant for the real AWS, from moto in this process; what ``judge``
    denies, with its answer."""
    local_host = urlsplit(endpoint_url).netloc
    routes = _Routes()
    process_request = inside("core.botocore_stubber").BotocoreStubber().process_request

    def send(self: URLLib3Session, request: Any) -> Any:
        host = urlsplit(str(request.url)).netloc
        ours, real = host == local_host, _AWS_HOST.search(host.partition(":")[0])
        denied = judge(_readable(request)) if judge is not None and (ours or real) else None
        answer: Any
        if denied is not None:
            answer = denied
        elif ours:
            answer = routes.answer(request)
        elif real:
            answer = process_request(request)
            if answer is None:
                raise _refusal(host)
        else:
            answer = None  # another server on purpose: an explicit endpoint of the user's
        if answer is None:
            return original(self, request)
        status, headers, body = answer
        raw = io.BytesIO(body.encode() if isinstance(body, str) else body)
        return AWSResponse(request.url, status, headers, _Raw(raw))

    original = swap(URLLib3Session, "send", send)
    try:
        with _guarded_async_clients():
            yield
    finally:
        swap(URLLib3Session, "send", original)


def _readable(request: Any) -> HttpRequest:
    """A prepared request as a judge reads it; a stream is left alone."""
    headers = {
        str(name).lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    body = request.body.encode() if isinstance(request.body, str) else request.body
    return HttpRequest(
        str(request.method), str(request.url), headers, bytes(body) if isinstance(body, (bytes, bytearray)) else b""
    )


class _Routes:
    """moto's routing tables of the few services a run uses all the time, looked up once.

    moto's own in-process routing tries every pattern of every service and reloads a module for each S3 request, which
    is slow and, from several threads, unsafe.
    """

    def __init__(self) -> None:
        self._tables: dict[str, list[tuple[re.Pattern[str], Any]]] = {}
        self._normalized = inside("core.request").normalize_request
        self._http_error = inside("core.exceptions").HTTPException

    def answer(self, request: Any) -> Any:
        """(status, headers, body), or None when the request has to take the long way."""
        authorization: Any = request.headers.get("Authorization", "")
        scope = _SCOPE.search(authorization.decode() if isinstance(authorization, bytes) else authorization)
        parts = urlsplit(str(request.url))
        if scope is None or scope[2] not in _SHORT or parts.path.startswith("/v20180820/"):  # S3 Control signs as s3
            return None
        # The URL the request would have in AWS, which is how moto finds the region.
        parts = parts._replace(scheme="https", netloc=f"{scope[2]}.{scope[1]}.amazonaws.com")
        target = parts._replace(query="", fragment="").geturl()
        for pattern, handler in self._table(scope[2]):
            if pattern.match(target):
                moved = AWSPreparedRequest(request.method, parts.geturl(), request.headers, request.body, True)
                normalized = self._normalized(moved)
                try:
                    return handler(normalized, normalized.raw_url, normalized.headers)
                except self._http_error as error:
                    return error.code, error.get_headers(), error.get_body()
        return None

    def _table(self, signing_name: str) -> list[tuple[re.Pattern[str], Any]]:
        table = self._tables.get(signing_name)
        if table is None:
            backends = inside("backends").get_backend(_SHORT[signing_name])[ACCOUNT_ID]
            # Global services have one backend for the whole partition; the routes do not depend on the region.
            backend = backends["us-east-1" if "us-east-1" in backends else "aws"]
            table = [(re.compile(pattern), handler) for pattern, handler in backend.urls.items()]
            self._tables[signing_name] = table
        return table


class _Raw:
    """The part of urllib3's response that botocore reads a body from."""

    def __init__(self, body: io.BytesIO) -> None:
        self._body = body
        self.read = body.read
        self.close = body.close

    def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Iterator[bytes]:
        """The rest of the body, in one piece: it is in memory already."""
        rest = self._body.read()
        if rest:
            yield rest


@contextmanager
def _guarded_async_clients() -> Generator[None]:
    """Refuse what s3fs or aiobotocore clients made earlier would send to the real AWS; later ones know the endpoint."""
    module: Any = sys.modules.get("aiobotocore.httpsession")
    if module is None:
        yield
        return

    async def send(self: Any, request: Any) -> Any:
        host = str(urlsplit(str(request.url)).hostname)
        if _AWS_HOST.search(host):
            raise _refusal(host)
        return await original(self, request)

    original = swap(module.AIOHTTPSession, "send", send)
    try:
        yield
    finally:
        swap(module.AIOHTTPSession, "send", original)


def _refusal(host: str) -> EngineError:
    return EngineError(
        f"A request to `{host}` was refused, because this run is local and must not reach the real AWS.",
        subject=host,
        hint="make the client inside the solid, so that it finds the local endpoint",
    )
