"""The HTTP of :mod:`solidstate.testing.faulty_s3`: a forwarding server whose connections can be mistreated."""

from __future__ import annotations

import http.client
import os
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

DELAY_S = 0.5
_OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "date", "server"}
_RESET = struct.pack("ii", 1, 0)


class Decides(Protocol):
    """Says what is to be done to a request: one of the faults, or None."""

    def __call__(self, method: str, target: str, *, conditional: bool) -> str | None: ...


class Proxy(ThreadingHTTPServer):
    """Serves from the beginning of its ``with`` block to the end."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream_url: str, decides: Decides) -> None:
        upstream = urlsplit(upstream_url)
        self.upstream = (upstream.hostname or "127.0.0.1", upstream.port or 80)
        self.decides = decides
        super().__init__(("127.0.0.1", 0), _Connection)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), name="faulty-s3", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what this is about."""


class _Connection(BaseHTTPRequestHandler):
    """One connection of a client, and one to the server behind."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body go out together

    def setup(self) -> None:
        super().setup()
        proxy: Any = self.server  # which the base class knows as any server
        self._decides: Decides = proxy.decides
        host, port = proxy.upstream
        self._upstream = http.client.HTTPConnection(host, port, timeout=60)

    def finish(self) -> None:
        self._upstream.close()
        super().finish()

    def handle_expect_100(self) -> bool:
        more = super().handle_expect_100()
        self.wfile.flush()
        return more

    def _forward(self) -> None:
        body = self._body()
        conditional = self.headers.get("If-None-Match") is not None
        fault = self._decides(self.command, self.path, conditional=conditional) or ""
        if fault[:1].isdigit():
            self._answer_error(*fault.split())
            return
        if fault == "reset":
            self._reset()
            return
        if fault == "delay":
            time.sleep(DELAY_S)
        status, headers, answer = self._ask(body)
        if fault == "lost answer":
            self._reset()
            return
        if fault == "damaged" and answer:
            answer = bytes([answer[0] ^ 1]) + answer[1:]
        self._answer(status, headers, answer, cut=fault == "truncated" and bool(answer))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _forward  # noqa: N815 - the names that http.server looks for

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_CONNECTION}
        if body or self.command in ("PUT", "POST"):
            headers["Content-Length"] = str(len(body))
        self._upstream.request(self.command, self.path, body or None, headers)
        answer = self._upstream.getresponse()
        return answer.status, answer.getheaders(), answer.read()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool) -> None:
        self.send_response_only(status)
        size = str(len(body))
        for name, value in headers:
            if name.lower() not in _OF_ONE_CONNECTION:
                self.send_header(name, value)
            elif name.lower() == "content-length" and self.command == "HEAD":
                size = value
        self.send_header("Content-Length", size)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def _answer_error(self, status: str, code: str) -> None:
        told = f"<Error><Code>{code}</Code><Message>made by a test</Message></Error>".encode()
        body = b"" if self.command == "HEAD" else told
        self._answer(int(status), [("Content-Type", "application/xml")], body, cut=False)

    def _reset(self) -> None:
        """End the connection as a machine does that has crashed: RST instead of FIN."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        os.close(self.connection.detach())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
