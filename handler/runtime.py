"""What one Lambda function (or one local process) needs to run steps: the pipelines it holds and where data lives."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from typing import Any, Protocol

import msgspec

from solidstate.composite_ports import ways_in, ways_out
from solidstate.composition import Node
from solidstate.errors import TargetError, name_list, short
from solidstate.handler.context import LogSink
from solidstate.handler.outcome import PlanChanged
from solidstate.handler.recorder import Observer
from solidstate.handler.repeats import Repeats
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.contract import RunHandle
from solidstate.planner.plan import ExecutionPlan, Step, encode_plan, hash_of_encoded
from solidstate.storage import keys
from solidstate.storage.records import decode_run_record
from solidstate.storage.remembered import Remembered
from solidstate.storage.store import AttendedStore, ObjectStore


class InvocationContext(Protocol):
    """The part of Lambda's context object that is used."""

    @property
    def aws_request_id(self) -> str: ...

    def get_remaining_time_in_millis(self) -> int: ...


class TaskTokens(Protocol):
    """What answers the task tokens of states that wait; False for a token that is not open any more. Raises
    StorageUnavailable when an answer did not get through."""

    def succeed(self, token: str, answer: bytes) -> bool: ...
    def fail(self, token: str, error: str, cause: str) -> bool: ...


class Watcher(Protocol):
    """What stores events of attempts while they run (``handler.live_events``)."""

    def watch(self, attempt: Any, /) -> None: ...
    def leave(self, attempt: Any, /) -> None: ...


class LoadedPipeline:
    """A definition, the plan shipped beside it, and both indexed by step."""

    def __init__(self, definition: PipelineDefinition, plan: ExecutionPlan) -> None:
        self.definition = definition
        self.plan = plan
        self.encoded = encode_plan(plan)
        self.hash = hash_of_encoded(self.encoded)
        self.steps: dict[str, Step] = {step.name: step for step in plan.steps}
        self.nodes: dict[str, Node] = {node.name: node for node in definition.nodes}
        self.ways_in = ways_in(definition.nodes, definition.composites)
        self.ways_out = ways_out(definition.nodes, definition.composites)


class Runtime:
    """``open_fs`` makes the file system of ``context.fs``; ``observer`` sees events as they happen; ``log_sink`` makes
    the sink for one attempt's log lines from its identifying fields; ``sleep`` waits a number of seconds;
    ``fetch_workers`` is how many objects are fetched at a time, 1 for a store that answers at once; ``remembered`` is
    for a store in memory and spares decoding what this process wrote itself; ``tokens`` answers the task tokens of
    states that wait, None where there is no state machine; ``live`` stores the events of attempts while they run, None
    where nobody could read them. ``repeats``: of one invocation, see :meth:`during`."""

    repeats: Repeats | None = None

    def __init__(
        self,
        pipelines: list[LoadedPipeline],
        store: ObjectStore,
        *,
        engine: str,
        open_fs: Callable[[], Any],
        observer: Observer | None = None,
        log_sink: Callable[[dict[str, Any]], LogSink | None] | None = None,
        version: str = "",
        fetch_workers: int = 16,
        sleep: Callable[[float], None] = time.sleep,
        remembered: Remembered | None = None,
        tokens: TaskTokens | None = None,
        live: Watcher | None = None,
    ) -> None:
        self.pipelines = {loaded.definition.name: loaded for loaded in pipelines}
        self.store = store
        self.engine = engine
        self.open_fs = open_fs
        self.observer = observer
        self.log_sink = log_sink
        self.version = version
        self.fetch_workers = fetch_workers
        self.sleep = sleep
        self.remembered = remembered
        self.tokens = tokens
        self.live = live
        self.allow_pickle = True
        """Whether a step may read what its type asks to be pickled; not so in tools that read what others wrote."""

    def during(self, invocation: InvocationContext) -> Runtime:
        """For one invocation: what is asked of the store again is on record then, and takes no more than its time."""
        store = self.store
        if not isinstance(store, AttendedStore):
            return self
        runtime = copy(self)
        runtime.repeats = Repeats()
        runtime.store = store.attended(lambda: invocation.get_remaining_time_in_millis() / 1000, runtime.repeats)
        return runtime

    def answering(self) -> TaskTokens:
        """What answers task tokens; a TypeError where nothing does."""
        if self.tokens is None:
            raise TypeError(f"the engine `{self.engine}` has no state machine whose task tokens it could answer")
        return self.tokens

    def pipeline(self, name: str) -> LoadedPipeline:
        """Raises TargetError for a pipeline this function was not deployed with."""
        try:
            return self.pipelines[name]
        except KeyError:
            raise TargetError(
                f"This function does not hold pipeline `{name}`; it holds {name_list(list(self.pipelines)) or 'none'}.",
                subject=name,
                hint="deploy the function and the state machine together",
            ) from None


def loaded_for(runtime: Runtime, run: RunHandle, step: str, *others: str) -> LoadedPipeline:
    """The pipeline of a run, when this function holds the very plan the run follows. Raises PlanChanged, naming the
    step that is asked for, otherwise; TargetError when it does not hold the pipeline at all, or the plan has no such
    step, or none of the ``others``."""
    loaded = runtime.pipeline(run.pipeline)
    if run.plan != loaded.hash:
        raise PlanChanged(
            f"`{step}`: the state machine follows plan {run.plan}, the function holds plan {loaded.hash}. "
            "Fix: deploy both together, then start a new run."
        )
    for name in (step, *others):
        if name not in loaded.steps:  # no machine compiled from this plan asks for it
            raise TargetError(
                f"Pipeline `{run.pipeline}` has no step `{short(name)}`.",
                subject=short(name),
                hint="start a run instead of invoking the function",
            )
    return loaded


def complete_handle(runtime: Runtime, run: RunHandle) -> RunHandle:
    """The handle with its request: read from the run record when it was too large to travel (one GET)."""
    if run.request is not None:
        return run
    key = keys.run_record(run.pipeline, run.id)
    request = decode_run_record(runtime.store.get(key), key).request
    return msgspec.structs.replace(run, request=request, steps=request.get("steps"), from_run=request.get("from_run"))
