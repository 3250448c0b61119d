"""moto's HTTP server on a free port of 127.0.0.1, for what cannot be answered in process.

moto's own ``ThreadedMotoServer`` listens on every interface by default, logs every request to stderr and takes half a
second to stop; this is the same application behind the same kind of server without the three.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

LOOPBACK = "127.0.0.1"
_POLL_S = 0.02


@contextmanager
def loopback_server() -> Generator[str]:
    """Serve moto; gives the endpoint URL. No request is accepted any more after exit; one under way is abandoned."""
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
        DomainDispatcherApplication(create_backend_app),
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
