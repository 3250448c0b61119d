"""What was deployed into a local AWS for tests, and which run of which test an invocation belongs to."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import msgspec

from solidstate.errors import EngineError
from solidstate.handler.entry import make_handler
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.runtime import InvocationContext, LoadedPipeline, Runtime
from solidstate.infra.causes import Causes
from solidstate.infra.local_lambda import LambdaContext
from solidstate.infra.time_limits import TimeLimited
from solidstate.storage.store import ObjectStore
from solidstate.testing.invocations import FaultPoints, faulty, invocation_of


class StackRun:
    """One run on the stack: the pipeline as its test wants it, where its data lives, and what its steps raised."""

    def __init__(self, loaded: LoadedPipeline, runtime: Runtime, faults: list[Any]) -> None:
        self.loaded = loaded
        self.runtime = runtime
        self.causes = Causes()
        self._faults = faults
        self._timeouts_s = {step.name: step.compute.timeout_s for step in loaded.plan.steps}

    def invoke(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """One invocation of the step function, under the faults that are on."""
        faults: list[FaultPoints] = list(self._faults)
        invocation = invocation_of(event, self.loaded.definition.name)

        def run_with(store: ObjectStore, context: LambdaContext) -> dict[str, Any]:
            limited = TimeLimited(self._timeouts_s)
            limited.handler = self._handler(store)
            return limited(context.function_name, event, context)

        return faulty(invocation, faults, self.runtime.store, run_with)(context)

    def _handler(self, store: ObjectStore) -> Callable[[dict[str, Any], InvocationContext], dict[str, Any]]:
        runtime = self.runtime
        if store is not runtime.store:
            runtime = copy.copy(runtime)
            runtime.store = store
        handle = make_handler(runtime)

        def handler(event: dict[str, Any], context: InvocationContext) -> dict[str, Any]:
            try:
                return handle(event, context)
            except AttemptFailed as failed:
                self.causes.remember(failed)
                raise

        return handler


class Deployment(msgspec.Struct, eq=False):
    """One pipeline, deployed: its function and its machine, and the runs that are known by their ids.

    ``taken`` are the names of executions, each with the number of the test that used it: of one machine they may be
    used once, and a test that chooses one must not meet another's.
    """

    loaded: LoadedPipeline
    function: str
    machine: str
    runs: dict[str, StackRun] = {}
    taken: dict[str, int] = {}
    handed_to: int | None = None

    def is_free(self, name: str, test: int) -> bool:
        """Whether no other test has used that name of an execution."""
        return self.taken.get(name, test) == test


class Functions:
    """The invoker: all Lambda functions of the local AWS, by name. ``adopt`` makes the run for an execution that
    somebody started by its machine's ARN; None when no test is there to have started it."""

    def __init__(self) -> None:
        self.deployments: dict[str, Deployment] = {}
        self.adopt: Callable[[Deployment, str], StackRun] | None = None

    def __call__(self, function_name: str, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        deployment = self.deployments.get(function_name)
        if deployment is None:
            raise EngineError(
                f"The Lambda function `{function_name}` is not one of a pipeline; a local stack runs no other code.",
                subject=function_name,
            )
        invocation = invocation_of(event, deployment.loaded.definition.name)
        run = deployment.runs.get(invocation.run)
        if run is None and event["kind"] == "start" and self.adopt is not None:
            run = self.adopt(deployment, invocation.run)
        if run is None:
            raise RunIsOver(f"The run `{invocation.run}` goes on after the test that started it.")
        return run.invoke(event, context)


class RunIsOver(Exception):
    """An invocation came after the end of its test, whose bucket is gone."""
