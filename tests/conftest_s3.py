"""An S3 on loopback whose requests can be counted, and a store on it through each client, for tests of any layer:
``pytest_plugins`` or an import makes the fixtures known."""

from __future__ import annotations

import itertools
import logging
import os
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from solidstate.storage.s3 import S3Store, s3_client
from solidstate.storage.s3_obstore import ObstoreS3Store, obstore_bucket

AnyS3Store = S3Store | ObstoreS3Store
CLIENTS = ["boto3", "obstore"]

Requests = list[tuple[str, str]]
"""(method, path below the bucket with its query, if any), in the order they arrived."""

_numbers = itertools.count()


class CountedServer:
    """A moto server on a free loopback port that notes each request at the HTTP level, retries included.

    ``fail_next`` makes it answer the next requests itself: (status, S3 error code) each. ``lose_next`` makes it do what
    the next requests ask, those after ``lose_after`` that are answered, and then hang up.
    """

    def __init__(self) -> None:
        self.requests: Requests = []
        self.behave()
        self.headers: dict[str, Any] = {}
        """The last request's, as WSGI spells them."""
        self._moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)

    def behave(self) -> None:
        """Answer whatever is asked."""
        self.fail_next: list[tuple[int, str]] = []
        self.lose_next = 0
        self.lose_after = 0
        self.lose_by_reset = False

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
        self.headers = environ
        query = environ.get("QUERY_STRING", "")
        path = environ["PATH_INFO"].lstrip("/").partition("/")[2]
        self.requests.append((environ["REQUEST_METHOD"], path + (f"?{query}" if query else "")))
        if self.lose_next and self.lose_after:
            self.lose_after -= 1
        elif self.lose_next:
            self.lose_next -= 1
            b"".join(self._app(environ, _unheard))
            connection: socket.socket = environ["werkzeug.socket"]
            if self.lose_by_reset:
                _reset(connection)
            else:
                connection.shutdown(socket.SHUT_RDWR)
            raise ConnectionError("as the test wants it")
        if not self.fail_next:
            return self._app(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"].read(length)
        status, code = self.fail_next.pop(0)
        start_response(f"{status} {code}", [("Content-Type", "application/xml")])
        if environ["REQUEST_METHOD"] == "HEAD":
            return [b""]
        return [f"<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>".encode()]


def _unheard(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
    """A `start_response` whose answer nobody gets."""


def _reset(connection: socket.socket) -> None:
    """End a connection as a machine does that has crashed. Whoever holds the socket reads its end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ended, other = socket.socketpair()
    other.close()
    os.dup2(ended.fileno(), connection.fileno())
    ended.close()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[CountedServer]:
    """One server for the session."""
    server = CountedServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3_boto3(s3_server: CountedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A boto3 client of the server, and credentials for any other client."""
    s3_server.behave()  # whatever an earlier test has left to go wrong
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = s3_client(s3_server.url, "us-east-1")
    yield client
    client.close()


@pytest.fixture
def bucket(s3_boto3: Any) -> str:
    """A bucket of the test's own."""
    name = f"bucket-{next(_numbers)}"
    s3_boto3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def boto3_store(s3_boto3: Any, bucket: str) -> S3Store:
    """The bucket through boto3."""
    return S3Store(s3_boto3, bucket)


@pytest.fixture
def obstore_store(s3_server: CountedServer, bucket: str) -> ObstoreS3Store:
    """The bucket through obstore."""
    return ObstoreS3Store(obstore_bucket(bucket, s3_server.url, "us-east-1"), bucket)


@pytest.fixture(params=CLIENTS)
def s3_store(request: pytest.FixtureRequest) -> AnyS3Store:
    """The bucket through each client in turn."""
    store: AnyS3Store = request.getfixturevalue(f"{request.param}_store")
    return store


@pytest.fixture
def s3_requests(s3_server: CountedServer, s3_store: AnyS3Store) -> tuple[AnyS3Store, Requests]:
    """The store and the list its requests are noted in, empty at first."""
    s3_server.requests.clear()
    return s3_store, s3_server.requests
