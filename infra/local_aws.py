"""An AWS account on this machine: moto with its repairs, an endpoint on loopback, and Lambda functions that run.

``local_aws`` opens it for the length of a ``with``. Clients of this process are answered in process (see
``local_shortcut``); s3fs, subprocesses and the AWS command line use the endpoint. State lives in this process only, and
every opening starts empty. Nothing reaches beyond loopback.
"""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any

from solidstate.errors import EngineError
from solidstate.infra.iam_asked import Judge
from solidstate.infra.local_environment import (
    REGION,
    fresh_sessions,
    local_environment,
    publish_endpoint,
    quiet_logs,
)
from solidstate.infra.local_lambda import LambdaInvoker, local_lambda
from solidstate.infra.local_server import loopback_server
from solidstate.infra.local_shortcut import shortcut
from solidstate.infra.moto_inside import ACCOUNT_ID, ENGINE_KEY, inside
from solidstate.infra.moto_repairs import apply_repairs

_ROLE = "local"
_open = threading.Lock()


class LocalAws:
    """One opened local account, and the few operations a run needs of it. Thread safe."""

    def __init__(self, endpoint_url: str, region: str = REGION) -> None:
        self.endpoint_url = endpoint_url
        self.region = region
        self.account_id = ACCOUNT_ID
        self._clients: dict[str, Any] = {}
        self._session: Any = None
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """A boto3 client of ``service``, made once; the engine's own, which no policy binds."""
        import boto3

        with self._lock:
            if self._session is None:  # one for all: each reads the endpoints of every service anew
                self._session = boto3.session.Session(
                    aws_access_key_id=ENGINE_KEY,
                    aws_secret_access_key="local",  # noqa: S106 - moto's account has no secrets
                    region_name=self.region,
                )
            if service not in self._clients:
                # The stubs list every service as a literal; here it is a parameter, and the session Any.
                self._clients[service] = self._session.client(service, endpoint_url=self.endpoint_url)
            return self._clients[service]

    def create_bucket(self, name: str) -> None:
        """Create the bucket ``name``."""
        self.client("s3").create_bucket(Bucket=name)

    def create_function(self, name: str, timeout_s: int, memory_mb: int) -> str:
        """Create the Lambda function ``name``; the invoker runs it. Gives its ARN."""
        created = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="local.handler",
            Role=self._role(),
            Code={"ZipFile": _empty_bundle()},
            Timeout=timeout_s,
            MemorySize=memory_mb,
        )
        return str(created["FunctionArn"])

    def create_machine(self, name: str, definition: str) -> str:
        """Create the state machine ``name`` from its definition (JSON text). Gives its ARN.

        ``EngineError`` with the parser's message when the definition is not accepted.
        """
        from botocore.exceptions import ClientError

        try:
            made = self.client("stepfunctions").create_state_machine(
                name=name, definition=definition, roleArn=self._role()
            )
        except ClientError as error:
            raise EngineError(
                f"The definition of the state machine `{name}` was not accepted: {error}.", subject=name
            ) from error
        return str(made["stateMachineArn"])

    def start(self, arn: str, name: str | None, input: Any) -> str:
        """Start the machine ``arn``; gives the execution's ARN. ``input`` is JSON text, or a value to encode."""
        text = input if isinstance(input, str) else json.dumps(input)
        named = {} if name is None else {"name": name}
        started = self.client("stepfunctions").start_execution(stateMachineArn=arn, input=text, **named)
        return str(started["executionArn"])

    def describe(self, execution_arn: str) -> dict[str, Any]:
        """What DescribeExecution answers, without the response metadata."""
        described: dict[str, Any] = self.client("stepfunctions").describe_execution(executionArn=execution_arn)
        described.pop("ResponseMetadata", None)
        return described

    def wait(
        self,
        execution_arn: str,
        poll_s: float = 0.05,
        on_tick: Callable[[], None] | None = None,
        timeout_s: float | None = None,
    ) -> dict[str, Any]:
        """Wait until the execution ends; gives its description.

        ``on_tick`` is called once a poll, and once more after the end. KeyboardInterrupt comes through at once.
        ``EngineError`` when it still runs after ``timeout_s`` seconds.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            described = self.describe(execution_arn)
            if on_tick is not None:
                on_tick()
            if described["status"] != "RUNNING":
                return described
            if deadline is not None and time.monotonic() > deadline:
                raise EngineError(
                    f"The execution `{execution_arn}` was expected to end within {timeout_s:g} s, but it still runs.",
                    subject=execution_arn,
                )
            time.sleep(poll_s)

    def stop(self, execution_arn: str, error: str, cause: str) -> None:
        """Stop the execution; it ends ABORTED. A Lambda function that is running runs on, as in AWS."""
        self.client("stepfunctions").stop_execution(executionArn=execution_arn, error=error, cause=cause)

    def history(self, execution_arn: str) -> list[dict[str, Any]]:
        """All events of the execution, oldest first."""
        pages = self.client("stepfunctions").get_paginator("get_execution_history")
        found = pages.paginate(executionArn=execution_arn, PaginationConfig={"PageSize": 1000})
        return [event for page in found for event in page["events"]]

    def _role(self) -> str:
        iam = self.client("iam")
        try:
            made = iam.get_role(RoleName=_ROLE)
        except iam.exceptions.NoSuchEntityException:
            made = iam.create_role(RoleName=_ROLE, AssumeRolePolicyDocument="{}")
        return str(made["Role"]["Arn"])


@contextmanager
def local_aws(invoke: LambdaInvoker, judge: Judge | None = None, *, timed: bool = True) -> Generator[LocalAws]:
    """Open a local AWS, empty, whose Lambda functions all run ``invoke``. What ``judge`` denies has its answer.
    ``timed`` is off for an invoker that ends what takes too long by itself.

    One at a time in a process; any number of processes at the same time. On exit running executions are aborted and
    environment, sessions, log levels and moto's switches are as before. ``EngineError`` when one is open already, when
    moto's own ``mock_aws`` is active, or when moto is not the supported version.
    """
    if not _open.acquire(blocking=False):
        raise EngineError(
            "A local AWS is already open in this process; one at a time is expected.",
            hint="open it once and use it for both runs, or run the second one in a process of its own",
        )
    try:
        with ExitStack() as stack:
            stack.enter_context(local_environment(REGION))
            stack.enter_context(quiet_logs())
            apply_repairs()
            stack.enter_context(_executing_moto())
            endpoint_url = stack.enter_context(loopback_server(judge))
            publish_endpoint(endpoint_url)
            stack.enter_context(fresh_sessions())
            stack.enter_context(shortcut(endpoint_url, judge))
            stack.enter_context(local_lambda(invoke, timed=timed))
            stack.callback(_abort_executions)
            yield LocalAws(endpoint_url)
    finally:
        _open.release()


@contextmanager
def _executing_moto() -> Generator[None]:
    """Empty moto before and after, with the interpreter that runs state machines switched on in between."""
    if inside("core.models").botocore_stubber.enabled:
        raise EngineError(
            "moto's `mock_aws` is active in this process, whose data opening a local AWS would erase.",
            hint="leave `mock_aws` before the run",
        )
    config = inside("core.config").default_user_config
    former = config["stepfunctions"]
    _reset()
    config["stepfunctions"] = {"execute_state_machine": True}
    try:
        yield
    finally:
        config["stepfunctions"] = former
        _reset()


def _reset() -> None:
    inside("core.base_backend").BackendDict.reset()
    inside("core.model_instances").reset_model_data()


def _abort_executions() -> None:
    """Stop what still runs, so that its threads end instead of meeting a closed server."""
    import datetime

    backends = inside("stepfunctions.parser.models").stepfunctions_parser_backends
    for account in list(backends.values()):
        for backend in list(account.values()):
            for machine in list(backend.state_machines):
                for execution in list(machine.executions):
                    worker = getattr(execution, "exec_worker", None)
                    if worker is not None and worker.env is not None and execution.status == "RUNNING":
                        execution.stop(stop_date=datetime.datetime.now(datetime.UTC), error="", cause="")


def _empty_bundle() -> bytes:
    """A deployment package, which moto insists on; the invoker is what runs."""
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("local.py", "")
    return bundle.getvalue()
