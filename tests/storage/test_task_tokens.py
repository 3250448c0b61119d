"""Answers to task tokens, against a server on loopback that answers as Step Functions does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config

from solidstate.errors import StorageError, StorageUnavailable
from solidstate.storage.task_tokens import StepFunctionsTokens, states_client


class Service:
    """Notes what it is asked; answers the next requests as told, then with success."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[tuple[int, str]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.asked.append((self.headers["X-Amz-Target"].partition(".")[2], body))
                status, code = service.answers.pop(0) if service.answers else (200, "")
                self.send_response(status)
                self.end_headers()
                self.wfile.write(
                    json.dumps({"__type": code, "message": "as the test wants it"} if code else {}).encode()
                )

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The server, and the environment in which a client finds it."""
    for name, value in [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "eu-west-1")]:
        monkeypatch.setenv(name, value)
    made = Service()
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def impatient() -> Any:
    """A client that tries each request once."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    return boto3.client("stepfunctions", region_name="eu-west-1", config=config)


def test_each_answer_is_one_request(service: Service) -> None:
    """Through the client of the environment, which is made once."""
    made: list[Any] = []

    def make() -> Any:
        made.append(states_client())
        return made[0]

    tokens = StepFunctionsTokens(make)
    assert made == []
    assert tokens.succeed("t1", b'{"a":1}')
    assert tokens.fail("t2", "Ready", "all are there")
    assert service.asked == [
        ("SendTaskSuccess", {"taskToken": "t1", "output": '{"a":1}'}),
        ("SendTaskFailure", {"taskToken": "t2", "error": "Ready", "cause": "all are there"}),
    ]
    (client,) = made
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.config.retries["total_max_attempts"] == 5


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_closed_token_is_no_error(service: Service, code: str) -> None:
    """Somebody else was first, or the task is over."""
    service.answers = [(400, code)] * 2
    tokens = StepFunctionsTokens(impatient)
    assert (tokens.succeed("t", b"{}"), tokens.fail("t", "Ready", "")) == (False, False)


@pytest.mark.parametrize(("status", "code"), [(400, "ThrottlingException"), (500, "InternalFailure"), (429, "Other")])
def test_a_busy_service_is_unavailable(service: Service, status: int, code: str) -> None:
    """Which the state machine repeats, under that very name."""
    service.answers = [(status, code)]
    with pytest.raises(StorageUnavailable) as caught:
        StepFunctionsTokens(impatient).succeed("t", b"{}")
    assert str(caught.value) == (
        f"Could not answer a task token: Step Functions answered {status} {code} until the tries were used up.\n"
        "  fix: try again; if it persists, ask for a higher quota of SendTaskSuccess and SendTaskFailure"
    )


def test_no_answer_is_unavailable_too(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens there."""
    service.server.shutdown()
    service.server.server_close()
    with pytest.raises(StorageUnavailable) as caught:
        StepFunctionsTokens(impatient).fail("t", "Ready", "")
    assert str(caught.value) == (
        f'Could not answer a task token: Could not connect to the endpoint URL: "{service.url}/".\n'
        "  fix: check the network, then try again"
    )


def test_a_missing_permission_names_itself(service: Service) -> None:
    """Another attempt would not help."""
    service.answers = [(400, "AccessDeniedException")]
    with pytest.raises(StorageError) as caught:
        StepFunctionsTokens(impatient).succeed("t", b"{}")
    assert type(caught.value) is StorageError
    assert str(caught.value) == (
        "Could not answer a task token: access denied.\n"
        "  fix: grant the function's role `states:SendTaskSuccess` and `states:SendTaskFailure` on the pipeline's "
        "state machines, as template.yaml does"
    )


def test_other_refusals_are_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the service, or botocore itself, has against it."""
    service.answers = [(400, "InvalidOutput")]
    tokens = StepFunctionsTokens(impatient)
    with pytest.raises(StorageError, match=r"^Could not answer a task token: .*InvalidOutput.*as the test wants it\.$"):
        tokens.succeed("t", b"{}")
    with pytest.raises(StorageError, match=r"^Could not answer a task token: Parameter validation failed"):
        tokens.succeed("", b"{}" * 200_000)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/none")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(StorageError, match=r"^Could not answer a task token: Unable to locate credentials"):
        StepFunctionsTokens(impatient).succeed("t", b"{}")


def test_what_is_no_error_of_aws_passes_as_it_is() -> None:
    """A bug of ours stays one."""

    class Odd:
        def send_task_success(self, **_: Any) -> None:
            raise KeyError("odd")

    with pytest.raises(KeyError):
        StepFunctionsTokens(Odd).succeed("t", b"{}")
