"""What a test has in hand: pipelines run on a local Step Functions, Lambda and S3, and all they leave behind.

The machines are those that ``solidstate compile`` makes, the handler is the one that is deployed. Machines stay for the
tests that follow; runs and their data are in a bucket of this test, which goes when it ends.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import msgspec

from solidstate.errors import EngineError
from solidstate.handler.logs import StepLogger
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.handler.start import run_exists
from solidstate.infra.home import new_run_id
from solidstate.infra.local_deploy import summary_after
from solidstate.infra.results import PipelineResult, SolidResult
from solidstate.infra.run_ids import check_run_id
from solidstate.infra.time_limits import StoreOfTheLiving
from solidstate.pipeline import PipelineDefinition
from solidstate.request import resolve_request
from solidstate.storage import keys
from solidstate.storage.files import open_s3
from solidstate.storage.s3 import S3Store, s3_client
from solidstate.storage.store import ObjectStore
from solidstate.storage.task_tokens import StepFunctionsTokens
from solidstate.stubs import with_resources
from solidstate.testing.account import Account, no_stack_twice, open_account
from solidstate.testing.deployments import Deployment, StackRun
from solidstate.testing.fault_kinds import Fault
from solidstate.testing.faults import Faults
from solidstate.testing.faulty_s3 import FaultyS3, open_faulty_s3
from solidstate.testing.replay import replay_from

WAIT_S = 300.0
"""How long a run may take, unless its test says otherwise."""


class LocalStack:
    """A running stack, with a bucket and run ids of its own. Made by the fixture ``local_stack``, or by
    :func:`open_local_stack`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._aws = account.aws
        self._test = account.new_test()
        self._faults: list[Fault] = []
        self._logger = StepLogger("solidstate", _Stderr())  # type: ignore[arg-type]  # logging writes and flushes
        self._stubbed: dict[str, LoadedPipeline] = {}
        self.endpoint_url = self._aws.endpoint_url
        self.region = self._aws.region
        self.bucket = f"solidstate-test-{self._test}"
        """Where the runs of this test keep their data, and the test may keep its own."""
        self._aws.create_bucket(self.bucket)
        self.store: ObjectStore = StoreOfTheLiving(S3Store(self.s3, self.bucket))
        """The bucket as solidstate sees it."""
        self._way: tuple[str, ObjectStore] = (self.endpoint_url, self.store)

    def client(self, service: str) -> Any:
        """A boto3 client of ``service`` at the local endpoint, made once."""
        return self._aws.client(service)

    @property
    def s3(self) -> Any:
        """A boto3 client of S3."""
        return self._aws.client("s3")

    @cached_property
    def fs(self) -> Any:
        """An s3fs file system at the local endpoint, as ``context.fs`` is in a step."""
        return open_s3(self.endpoint_url)

    def run(
        self,
        pipeline: PipelineDefinition,
        request: Mapping[str, Any] | None = None,
        *,
        run_id: str | None = None,
        resources: Mapping[str, Any] | None = None,
        raise_on_error: bool = True,
        timeout_s: float = WAIT_S,
    ) -> PipelineResult:
        """Run a pipeline to its end. As ``execute_pipeline``, but as an execution of its state machine.

        Raises RequestErrors when ``request`` is not valid, PipelineFailed when a step failed (unless ``raise_on_error``
        is off), EngineError when the execution breaks down or takes longer than ``timeout_s``.
        """
        result = self.result(self.start(pipeline, request, run_id=run_id, resources=resources), timeout_s=timeout_s)
        return result.raise_on_error() if raise_on_error else result

    def start(
        self,
        pipeline: PipelineDefinition,
        request: Mapping[str, Any] | None = None,
        *,
        run_id: str | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> str:
        """Start a run and do not wait. Gives the ARN of its execution, for :meth:`result`."""
        run = run_id if run_id is not None else new_run_id()
        check_run_id(run)
        stubbed = with_resources(pipeline, resources)
        resolve_request(stubbed, request)
        if self.store.exists(keys.run_record(pipeline.name, run)):
            raise run_exists(pipeline.name, run)
        deployment = self._account.deployed(pipeline, self._test, run)
        loaded = deployment.loaded
        self._enter(deployment, run, LoadedPipeline(stubbed, loaded.plan) if stubbed is not pipeline else loaded)
        text = msgspec.json.encode(request if request is not None else {}, enc_hook=str).decode()
        return self._aws.start(deployment.machine, run, text)

    def machine_arn(self, pipeline: PipelineDefinition, *, resources: Mapping[str, Any] | None = None) -> str:
        """The ARN of the pipeline's state machine, to start executions oneself; ``resources`` are for all of those."""
        stubbed = with_resources(pipeline, resources)
        deployment = self._account.deployed(pipeline, self._test, None)
        deployment.handed_to = self._test
        self._stubbed[deployment.function] = LoadedPipeline(stubbed, deployment.loaded.plan)
        return deployment.machine

    def result(self, execution_arn: str, *, timeout_s: float = WAIT_S) -> PipelineResult:
        """Wait for an execution; what its run was. Raises EngineError when it ended before the run began, which is what
        an input that is no run request leads to."""
        described = self._aws.wait(execution_arn, poll_s=0.01, timeout_s=timeout_s)
        run_id = keys.run_id_from(described["name"])
        deployment = self._deployment(execution_arn)
        run = deployment.runs.get(run_id)
        if run is None:
            raise EngineError(
                f"The execution `{execution_arn}` ended as {described['status']} before its run began.",
                subject=execution_arn,
            )
        summary = summary_after(run.runtime, run.loaded, self.store, run_id, described)
        return PipelineResult(run.loaded, self.store, summary, run.causes.by_step)

    def history(self, execution_arn: str) -> list[dict[str, Any]]:
        """The events of an execution as Step Functions tells them, oldest first."""
        return self._aws.history(execution_arn)

    def faults(self, step: str | None = None, item: str | None = None) -> Faults:
        """Faults to run into: ``with local_stack.faults("join").duplicate(): ...``. Of one step (and one item of a
        mapped one), or of whatever comes first."""
        return Faults(self._faults, step, item)

    @contextmanager
    def faulty_s3(self, client: str = "boto3") -> Generator[FaultyS3]:
        """Runs that are started inside of the ``with`` block reach S3 through a proxy that can be told what to do to
        requests, over HTTP and with either ``client`` (``"boto3"`` or ``"obstore"``). ``context.fs`` too."""
        with open_faulty_s3(self.endpoint_url) as faults:
            made: ObjectStore
            if client == "obstore":
                from solidstate.storage.s3_obstore import ObstoreS3Store, obstore_bucket

                made = ObstoreS3Store(obstore_bucket(self.bucket, faults.url, self.region), self.bucket)
            else:
                made = S3Store(s3_client(faults.url, self.region), self.bucket)
            self._way = (faults.url, StoreOfTheLiving(made))
            try:
                yield faults
            finally:
                self._way = (self.endpoint_url, self.store)

    def replay(
        self,
        pipeline: PipelineDefinition,
        step: str,
        run: PipelineResult | str,
        *,
        item: str | None = None,
        resources: Mapping[str, Any] | None = None,
        raise_on_error: bool = True,
    ) -> SolidResult:
        """One step of a run of this test again, in this process and without a trace. As ``replay_step``."""
        run_id = run if isinstance(run, str) else run.run_id
        return replay_from(
            self.store,
            pipeline,
            step,
            run_id,
            item=item,
            resources=resources,
            open_fs=lambda: open_s3(self.endpoint_url),
            raise_on_error=raise_on_error,
            allow_pickle=True,  # this test's own
        )

    def _deployment(self, execution_arn: str) -> Deployment:
        machine = execution_arn.replace(":execution:", ":stateMachine:").rpartition(":")[0]
        for deployment in self._account.deployments():
            if deployment.machine == machine:
                return deployment
        raise EngineError(
            f"The execution `{execution_arn}` is not of a state machine of this stack.",
            subject=execution_arn,
            hint="start executions of the machine that `machine_arn(pipeline)` names",
        )

    def _enter(self, deployment: Deployment, run: str, loaded: LoadedPipeline) -> StackRun:
        endpoint, store = self._way
        runtime = Runtime(
            [loaded],
            store,
            engine="moto",
            open_fs=lambda: open_s3(endpoint),
            log_sink=self._logger.sink,
            sleep=time.sleep if self._account.pauses else lambda _: None,
            tokens=StepFunctionsTokens(lambda: self.client("stepfunctions")),
        )
        entered = deployment.runs[run] = StackRun(loaded, runtime, self._faults)
        deployment.taken[run] = self._test
        return entered

    def adopt(self, deployment: Deployment, run: str) -> StackRun:
        """The run of an execution that was started by its machine's ARN."""
        return self._enter(deployment, run, self._stubbed.get(deployment.function, deployment.loaded))

    def close(self) -> None:
        """Stop what still runs and empty the bucket."""
        states = self.client("stepfunctions")
        for deployment in self._account.deployments():
            mine = [run for run in deployment.runs if deployment.taken.get(run) == self._test]
            if not mine:
                continue
            pipeline = deployment.loaded.definition.name
            if not all(self.store.exists(keys.run_summary(pipeline, run)) for run in mine):
                running = states.list_executions(stateMachineArn=deployment.machine, statusFilter="RUNNING")
                for execution in running["executions"]:
                    self._aws.stop(execution["executionArn"], "RunIsOver", "the test ended")
            for run in mine:
                del deployment.runs[run]
        with contextlib.suppress(self.s3.exceptions.NoSuchBucket):  # emptied by somebody's `mock_aws`
            for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket):
                for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    self.s3.delete_object(Bucket=self.bucket, Key=entry["Key"], VersionId=entry["VersionId"])
            self.s3.delete_bucket(Bucket=self.bucket)
        self._logger.close()


@contextmanager
def stack_of(account: Account) -> Generator[LocalStack]:
    """A stack for one test in an account that stays open. EngineError when another one is in use."""
    if account.functions.adopt is not None:
        raise no_stack_twice()
    stack = LocalStack(account)
    account.functions.adopt = stack.adopt
    try:
        yield stack
    finally:
        account.functions.adopt = None
        stack.close()


@contextmanager
def open_local_stack(*, pauses: bool = False) -> Generator[LocalStack]:
    """A running stack where there are no fixtures, for the length of a ``with`` block. Retries do not wait, unless
    ``pauses``. EngineError when a local AWS is open already in this process."""
    with open_account(pauses=pauses) as account, stack_of(account) as stack:
        yield stack


class _Stderr:
    """Standard error as it is at the time of writing: pytest puts another one there for each test."""

    @staticmethod
    def write(text: str) -> int:
        return sys.stderr.write(text)

    @staticmethod
    def flush() -> None:
        sys.stderr.flush()
