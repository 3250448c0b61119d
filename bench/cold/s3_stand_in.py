"""An S3 that knows GET, HEAD and PUT, for timing what its clients cost: ``s3_stand_in.py [CERTIFICATE]``

Prints its address. With a certificate (and its key, in one PEM file) it speaks TLS, as S3 does. Objects are in memory.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

objects: dict[str, bytes] = {}


class S3(BaseHTTPRequestHandler):
    """Path-style requests; signatures are not looked at."""

    protocol_version = "HTTP/1.1"  # connections stay open, as with S3
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        body = objects.get(self.path)
        if body is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code><Message>There is no such key.</Message></Error>")
        else:
            self._answer(200, body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(self._chunks())
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        if "aws-chunked" in (self.headers.get("Content-Encoding") or ""):
            body = _unchunked(body)
        if self.headers.get("If-None-Match") == "*" and self.path in objects:
            self._answer(412, b"<Error><Code>PreconditionFailed</Code><Message>There is one.</Message></Error>")
        else:
            objects[self.path] = body
            self._answer(200, b"")

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("ETag", '"0"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


def _unchunked(body: bytes) -> bytes:
    """The content of a body that boto3 has sent with its checksum at the end, as it does over TLS."""
    parts: list[bytes] = []
    at = 0
    while True:
        line = body.index(b"\r\n", at)
        size = int(body[at:line].partition(b";")[0], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[line + 2 : line + 2 + size])
        at = line + 2 + size + 2


server = ThreadingHTTPServer(("127.0.0.1", 0), S3)
server.daemon_threads = True
scheme = "http"
if len(sys.argv) > 1:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https"
print(f"{scheme}://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
