"""Lambda functions in processes of their own, for the local AWS: an invoker that keeps execution environments, reuses
the one used last, and gives each the limits of its step.

What is not imitated: environments are not frozen between invocations, /tmp has no quota, and only what a process writes
below ``TMPDIR`` is its own (a path that says ``/tmp`` is this machine's).
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from solidstate.infra.lambda_environment import Environment, Sandbox, exited
from solidstate.infra.local_lambda import FunctionFailed, LambdaContext

WATCH_S = 0.02
"""Between two looks at the memory of running invocations."""


class Limits(NamedTuple):
    """Of a function: seconds an invocation may take, and MB of memory."""

    timeout_s: int
    memory_mb: int


def default_environments() -> int:
    """How many processes run at a time. Lambda has a thousand; a laptop swaps long before."""
    return max(4, 2 * (os.cpu_count() or 1))


class LambdaProcesses:
    """An invoker for ``local_aws`` and a context manager. ``of_step`` are limits by step; payloads of other kinds get
    ``largest``, as a function that all of them share would have."""

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        largest: Limits,
        of_step: Mapping[str, Limits],
        folder: Path,
        logs: Path,
        environments: int | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._largest = largest
        self._of_step = of_step
        self._folder = folder
        self._logs = logs
        self._slots = threading.BoundedSemaphore(environments or default_environments())
        self._lock = threading.Lock()
        self._idle: dict[int, list[Environment]] = defaultdict(list)
        self._all: list[Environment] = []
        self._busy: set[Environment] = set()
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="lambda-spawner")
        self._closed = threading.Event()
        self.variables: dict[str, str] = {}
        self.before: Callable[[Any], None] = _nothing
        self.after: Callable[[Any], None] = _nothing
        """Called with each event before its invocation, and after that has ended, however it ended."""

    def __enter__(self) -> Self:
        atexit.register(self.close)
        threading.Thread(target=self._watch, name="lambda-memory", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def started(self) -> int:
        """How many environments there were, the ended ones included: the number of cold starts."""
        return len(self._all)

    @property
    def pids(self) -> dict[int, bool]:
        """The processes that live, each with whether it runs an invocation."""
        with self._lock:
            return {one.pid: one in self._busy for one in self._all if one.alive}

    def __call__(self, function_name: str, event: Any, context: LambdaContext) -> bytes:
        """Run one invocation. Raises FunctionFailed with what Lambda would answer."""
        step = event.get("step", "") if isinstance(event, dict) and event.get("kind") == "step" else ""
        limits = self._of_step.get(step, self._largest)
        body = json.dumps(event).encode()
        try:
            with self._slots:
                environment = self._take(function_name, limits.memory_mb)
                self.before(event)
                try:
                    outcome = environment.invoke(body, context, limits.timeout_s)
                finally:
                    self._give_back(environment, limits.memory_mb)
        finally:
            self.after(event)
        if outcome.failed:
            raise FunctionFailed(outcome.payload)
        return outcome.payload

    def close(self) -> None:
        """Kill every process; invocations under way fail."""
        self._closed.set()
        with self._lock:
            every = list(self._all)
        for one in every:
            one.kill()
        for one in every:
            one.close()
        self._spawner.shutdown()
        atexit.unregister(self.close)

    def _take(self, function_name: str, memory_mb: int) -> Environment:
        """The environment that was used last, which is the one most likely to be still in caches; else a new one."""
        with self._lock:
            if self._closed.is_set():
                raise FunctionFailed(exited("", -signal.SIGKILL).payload)
            while self._idle[memory_mb]:
                environment = self._idle[memory_mb].pop()
                if environment.alive:
                    self._busy.add(environment)
                    return environment
            number = len(self._all) + 1
            environment = self._new(function_name, memory_mb, number)
            self._all.append(environment)
            self._busy.add(environment)
            return environment

    def _new(self, function_name: str, memory_mb: int, number: int) -> Environment:
        variables = {
            **self._sandbox.variables,
            **self.variables,
            "AWS_LAMBDA_FUNCTION_NAME": function_name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{number:03d}",
        }
        sandbox = msgspec.structs.replace(self._sandbox, variables=variables, memory_mb=memory_mb)
        folder, log = self._folder / f"{number:03d}", self._logs / f"{number:03d}.log"
        return Environment(sandbox, lambda start: self._spawner.submit(start).result(), folder, log)

    def _give_back(self, environment: Environment, memory_mb: int) -> None:
        with self._lock:
            self._busy.discard(environment)
            if environment.alive:
                self._idle[memory_mb].append(environment)

    def _watch(self) -> None:
        while not self._closed.wait(WATCH_S):
            with self._lock:
                busy = list(self._busy)
            for environment in busy:
                if environment.over_limit():
                    environment.kill()
            if not busy:
                time.sleep(WATCH_S)


def _nothing(_: Any) -> None:
    pass
