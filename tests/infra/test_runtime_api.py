"""The Runtime API as a runtime client sees it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator

import pytest

from solidstate.infra.runtime_api import Answered, Event, InitFailed, Ready, RuntimeApi

ROOT = "/2018-06-01/runtime"


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    """A server."""
    made = RuntimeApi()
    yield made
    made.close()


def ask(
    api: RuntimeApi, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(api.address, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read(), dict(answer.getheaders())
    connection.close()
    return found


def event(request: str = "r-1", body: bytes = b'{"a": 1}') -> Event:
    return Event(request, body, "arn:f", 1_700_000_000_123)


def test_it_listens_on_loopback_only(api: RuntimeApi) -> None:
    """Nobody else is to invoke anything."""
    assert api.address.startswith("127.0.0.1:")


def test_an_event_is_handed_out_with_what_lambda_says_of_it(api: RuntimeApi) -> None:
    """The first request for one says that the runtime is ready."""
    api.send(event())
    status, body, headers = ask(api, "GET", f"{ROOT}/invocation/next")
    assert (status, json.loads(body)) == (200, {"a": 1})
    assert {name: headers[name] for name in headers if name.startswith("Lambda-")} == {
        "Lambda-Runtime-Aws-Request-Id": "r-1",
        "Lambda-Runtime-Deadline-Ms": "1700000000123",
        "Lambda-Runtime-Invoked-Function-Arn": "arn:f",
        "Lambda-Runtime-Trace-Id": "Root=1-00000000-r1;Sampled=0",
    }
    assert api.news.get(timeout=1) == Ready()
    api.send(event("r-2"))
    ask(api, "GET", f"{ROOT}/invocation/next")
    assert api.news.empty()


@pytest.mark.parametrize(("end", "failed"), [("response", False), ("error", True)])
def test_answers_are_taken_once(api: RuntimeApi, end: str, failed: bool) -> None:
    """Of the event that was handed out; anything else is refused and forgotten."""
    api.send(event())
    ask(api, "GET", f"{ROOT}/invocation/next")
    api.news.get(timeout=1)
    assert ask(api, "POST", f"{ROOT}/invocation/other/{end}", b"no")[0] == 400
    assert ask(api, "POST", f"{ROOT}/invocation/r-1/{end}", b"yes")[0] == 202
    assert ask(api, "POST", f"{ROOT}/invocation/r-1/{end}", b"again")[0] == 400
    assert api.news.get(timeout=1) == Answered(b"yes", failed)
    assert api.news.empty()


def test_a_body_may_come_in_pieces(api: RuntimeApi) -> None:
    """Some clients send them so."""
    api.send(event())
    ask(api, "GET", f"{ROOT}/invocation/next")
    api.news.get(timeout=1)
    pieces = b"3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\n\r\n"
    assert ask(api, "POST", f"{ROOT}/invocation/r-1/response", pieces, **{"Transfer-Encoding": "chunked"})[0] == 202
    assert api.news.get(timeout=1) == Answered(b"abcdefgh", failed=False)


def test_a_failed_start_is_news(api: RuntimeApi) -> None:
    """Before any event."""
    assert ask(api, "POST", f"{ROOT}/init/error", b"{}")[0] == 202
    assert api.news.get(timeout=1) == InitFailed(b"{}")


def test_other_paths_are_not_there(api: RuntimeApi) -> None:
    """The telemetry of extensions, for example."""
    assert ask(api, "GET", f"{ROOT}/extension")[0] == 404
    assert ask(api, "POST", "/", b"")[0] == 400


def test_closing_lets_a_waiting_request_go() -> None:
    """A runtime that waits for an event must not keep the server open."""
    made = RuntimeApi()
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(made, "GET", f"{ROOT}/invocation/next")
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    assert made.news.get(timeout=5) == Ready()
    made.close()
    assert ended.wait(5)
