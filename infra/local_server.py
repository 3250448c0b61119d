"""moto's HTTP server on a free port of 127.0.0.1, for what cannot be answered in process.

moto's own ``ThreadedMotoServer`` listens on every interface by default, logs every request to stderr and takes half a
second to stop; this is the same application behind the same kind of server without the three.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.client import responses
from typing import Any

from solidstate.infra.iam_asked import HttpRequest, Judge

LOOPBACK = "127.0.0.1"
_POLL_S = 0.02


@contextmanager
def loopback_server(judge: Judge | None = None) -> Generator[str]:
    """Serve moto; gives the endpoint URL. No request is accepted any more after exit; one under way is abandoned. What
    ``judge`` denies has its answer."""
    from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]  # moto is typed in part
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    class QuietHandler(MotoRequestHandler):
        """Answers without writing an access log."""

        def log(self, type: str, message: str, *args: Any) -> None:
            """Say nothing."""

    server = make_server(
        LOOPBACK,
        0,
        _judged(DomainDispatcherApplication(create_backend_app), judge),
        threaded=True,
        request_handler=QuietHandler,
    )
    # A connection kept open by a client must keep neither this context nor the process alive.
    server.daemon_threads = True  # type: ignore[attr-defined]  # a mix-in of socketserver, chosen at run time
    server.block_on_close = False  # type: ignore[attr-defined]  # the same
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,), name="local-aws", daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _judged(application: Any, judge: Judge | None) -> Any:
    """The same WSGI application, asked only for what is not denied."""
    if judge is None:
        return application

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        denied = judge(_readable(environ))
        if denied is None:
            return application(environ, start_response)
        status, headers, body = denied
        sent = body.encode()
        start_response(f"{status} {responses[status]}", [*headers.items(), ("content-length", str(len(sent)))])
        return [sent]

    return answer


def _readable(environ: dict[str, Any]) -> HttpRequest:
    """The request as a judge reads it. What S3 is sent stays in its stream: it may be large, and says nothing."""
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    query = environ.get("QUERY_STRING", "")
    url = f"http://{environ.get('HTTP_HOST', '')}{environ.get('RAW_URI') or environ['PATH_INFO']}"
    body = b""
    if environ["REQUEST_METHOD"] == "POST" and environ.get("CONTENT_LENGTH"):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
    return HttpRequest(environ["REQUEST_METHOD"], url if "?" in url or not query else f"{url}?{query}", headers, body)
