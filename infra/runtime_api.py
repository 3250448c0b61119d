"""Lambda's Runtime API (version 2018-06-01) on loopback: hands events to one runtime process, takes its answers.

One server for each execution environment: the client in awslambdaric knows its environment by host and port alone.
"""

from __future__ import annotations

import http.server
import queue
import socketserver
import threading
from typing import Any, cast

import msgspec

from solidstate.infra.local_server import LOOPBACK

_ROOT = "/2018-06-01/runtime"
_POLL_S = 0.05
ACCEPTED = 202


class Event(msgspec.Struct, frozen=True):
    """One invocation, as the runtime is told of it. ``deadline_ms`` is on the clock of the wall, as in AWS."""

    request: str
    body: bytes
    function_arn: str
    deadline_ms: int


class Ready(msgspec.Struct, frozen=True):
    """The runtime has initialized, and asks for an event."""


class Answered(msgspec.Struct, frozen=True):
    """The runtime's answer to an event; with ``failed`` it is a document about an error."""

    body: bytes
    failed: bool


class InitFailed(msgspec.Struct, frozen=True):
    """The runtime could not load the handler. It exits next."""

    body: bytes


class Exited(msgspec.Struct, frozen=True):
    """The process is gone; ``code`` as ``subprocess`` gives it, negative for a signal."""

    code: int


News = Ready | Answered | InitFailed | Exited


class RuntimeApi:
    """``news`` is what has come from the process, in order."""

    def __init__(self) -> None:
        self.news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._current = ""
        self._asked = False
        self._server = _Server((LOOPBACK, 0), _Handler)
        self._server.api = self
        self.address = f"{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True)
        self._thread.start()

    def send(self, event: Event) -> None:
        """Hand the event to the runtime as soon as it asks."""
        self._events.put(event)

    def next_event(self) -> Event | None:
        """For the runtime's request: waits; None when this server has closed."""
        if not self._asked:
            self._asked = True
            self.news.put(Ready())
        event = self._events.get()
        self._current = event.request if event is not None else ""
        return event

    def take(self, path: str, body: bytes) -> bool:
        """What the runtime has posted; False when it answers no event that it was given."""
        if path == f"{_ROOT}/init/error":
            self.news.put(InitFailed(body))
            return True
        place = f"{_ROOT}/invocation/{self._current}/"
        if not self._current or path not in (f"{place}response", f"{place}error"):
            return False
        self._current = ""
        self.news.put(Answered(body, failed=path.endswith("/error")))
        return True

    def close(self) -> None:
        """Take no more requests. Waiting ones end without an answer."""
        self._events.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False
    api: RuntimeApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a peer that was killed breaks its connection, and its exit is news of its own."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One segment an answer: with Nagle's algorithm, a second one would wait 40 ms for the first to be acknowledged.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Keep no access log."""

    def do_GET(self) -> None:
        if self.path != f"{_ROOT}/invocation/next":
            self._answer(404)
            return
        event = self._api().next_event()
        if event is None:
            self.close_connection = True
            return
        facts = {
            "Lambda-Runtime-Aws-Request-Id": event.request,
            "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": event.function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-00000000-{event.request.replace('-', '')[:24]};Sampled=0",
        }
        self._answer(200, event.body, facts)

    def do_POST(self) -> None:
        body = self._body()
        taken = self._api().take(self.path, body)
        self._answer(ACCEPTED if taken else 400, b'{"status":"OK"}' if taken else b"{}")

    def _api(self) -> RuntimeApi:
        return cast("_Server", self.server).api

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts: list[bytes] = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, body: bytes = b"{}", facts: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (facts or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
