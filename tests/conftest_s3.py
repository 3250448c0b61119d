"""An S3 on loopback whose requests can be counted, for tests of any layer: ``pytest_plugins`` or an import makes the
fixtures known."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from solidstate.storage.s3 import S3Store, s3_client

Requests = list[tuple[str, str]]
"""(method, path below the bucket with its query, if any), in the order they arrived."""

_numbers = itertools.count()


class CountedServer:
    """A moto server on a free loopback port that notes each request at the HTTP level, retries included.

    ``fail_next`` makes it answer the next requests itself: (status, S3 error code) each.
    """

    def __init__(self) -> None:
        self.requests: Requests = []
        self.fail_next: list[tuple[int, str]] = []
        self._moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)

    @property
    def url(self) -> str:
        host, port = self._moto.get_host_and_port()
        return f"http://{host}:{port}"

    def start(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._moto.start()
        server: Any = self._moto._server  # the WSGI server, whose app moto offers no way to wrap
        self._app: Callable[..., Iterable[bytes]] = server.app
        server.app = self._answer

    def stop(self) -> None:
        self._moto.stop()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        query = environ.get("QUERY_STRING", "")
        path = environ["PATH_INFO"].lstrip("/").partition("/")[2]
        self.requests.append((environ["REQUEST_METHOD"], path + (f"?{query}" if query else "")))
        if not self.fail_next:
            return self._app(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"].read(length)
        status, code = self.fail_next.pop(0)
        start_response(f"{status} {code}", [("Content-Type", "application/xml")])
        if environ["REQUEST_METHOD"] == "HEAD":
            return [b""]
        return [f"<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>".encode()]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[CountedServer]:
    """One server for the session."""
    server = CountedServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3_store(s3_server: CountedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    """A store on a bucket of its own."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = s3_client(s3_server.url, "us-east-1")
    bucket = f"bucket-{next(_numbers)}"
    client.create_bucket(Bucket=bucket)
    yield S3Store(client, bucket)
    client.close()


@pytest.fixture
def s3_requests(s3_server: CountedServer, s3_store: S3Store) -> tuple[S3Store, Requests]:
    """The store and the list its requests are noted in, empty at first."""
    s3_server.requests.clear()
    s3_server.fail_next.clear()
    return s3_store, s3_server.requests
