"""Who is running: one attempt of one step, and what the solid, its resources and its hooks share while it lasts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec

from solidstate.errors import StorageError
from solidstate.events import AnyEvent, StepSuccess, StorageRetry
from solidstate.handler.acquire import Resources, ResourceStack
from solidstate.handler.committed import label, read_commit, read_header, read_item
from solidstate.handler.context import StepContext, StepLog
from solidstate.handler.lifelines import tell
from solidstate.handler.loggers import Loggers
from solidstate.handler.recorder import Recorder, Scope
from solidstate.handler.runtime import InvocationContext, LoadedPipeline, Runtime
from solidstate.planner.contract import ItemEntry, RunHandle, StepPayload
from solidstate.planner.plan import OutputRef
from solidstate.solid import SolidDefinition
from solidstate.storage import keys
from solidstate.storage.commits import Commit, CommittedOutput
from solidstate.storage.records import decode_run_record
from solidstate.storage.store import Repeat, attended


class Attempt:
    """``payload`` has the complete handle of the run. What few attempts need (the log, the file system, the run's tags)
    is made when it is asked for. ``foreign``: whether it has read what this process did not write itself.
    ``committing`` gives the commit anew while it is being written."""

    foreign = False
    committing: Callable[[], bytes] | None = None
    _watched = False
    _loggers: Loggers | None = None
    _fs: Any = None
    _run_tags: dict[str, str] | None = None

    def __init__(
        self,
        runtime: Runtime,
        loaded: LoadedPipeline,
        payload: StepPayload,
        invocation: InvocationContext,
    ) -> None:
        self.runtime = runtime
        self.store = runtime.store
        self.loaded = loaded
        self.payload = payload
        name, run, request = payload.step, payload.run, invocation.aws_request_id
        self.run: RunHandle = run
        self.step = loaded.steps[name]
        self.solid: SolidDefinition = loaded.nodes[name].solid
        self.invocation = invocation
        self.number = number = payload.retry + 1
        self.attempt_id = keys.attempt_id(number, request)
        self.item = item = payload.item or ""
        self.label = label(name, item) if item else name
        self.commit_key = keys.commit(run.pipeline, name, run.id, item)
        scope = Scope(run.id, run.pipeline, name, number, run.execution, name, request, item)
        self.recorder = Recorder(scope, runtime.observer)
        self.sink = runtime.log_sink(scope.identity()) if runtime.log_sink is not None else None
        if runtime.repeats is not None:
            runtime.repeats.listen(self._asked_again)

    @property
    def log(self) -> StepLog:
        mode = self.loaded.definition.mode(self.run.mode)
        if not mode.loggers:
            return StepLog(self.recorder, self.sink)
        if self._loggers is None:
            # What they log themselves goes to no logger, and that they are opened is no event of the step.
            apart = Recorder(self.recorder.scope)
            stack = ResourceStack(mode, mode.loggers, self._configs(), apart, StepLog(self.recorder, self.sink), self)
            self._loggers = Loggers(mode.loggers, stack, self.recorder)
        return StepLog(self.recorder, self.sink, self._loggers.write)

    def close(self) -> None:
        """The attempt and its hooks are over: nothing is logged any more."""
        self._unwatch()
        for closed in self._loggers.close() if self._loggers is not None else ():
            if closed.error is not None and self.sink is not None:
                told = {"logger": closed.name, "error": f"{closed.error.type}: {closed.error.message}"}
                self.sink("warning", "a logger raised when it was closed", told)

    def run_of(self, step: str) -> str:
        """Where to read a step's result: in this run, or in the reused one for a step that is not selected."""
        run = self.run
        if run.from_run is not None and run.steps is not None and step not in run.steps:
            return run.from_run
        return run.id

    def commit_of(self, step: str, item: str = "", *, run: str = "") -> Commit | None:
        """The result of a step, from ``run`` or from where it is to be read; None when there is none."""
        pipeline, run = self.run.pipeline, run or self.run_of(step)
        remembered = self.runtime.remembered
        if remembered is not None:
            known = remembered.read(self.store, keys.commit(pipeline, step, run, item))
            if known is not None:
                return known
        self.foreign = True
        return self._as_planned(read_commit(self.store, pipeline, step, run, item))

    def item_of(self, over: OutputRef, entry: ItemEntry) -> CommittedOutput | None:
        """The item that the step is run for, read by itself; None when its producer has no commit."""
        self.foreign = True
        run = self.run_of(over.step)
        found = read_item(self.store, self.run.pipeline, over, run, self.item, entry)
        if found is not None and run == self.run.id:
            self._check_type(over.step, over.step, found, keys.commit(self.run.pipeline, over.step, run))
        return found

    def header_of(self, step: str, size: int) -> Commit | None:
        """A result without the items of dynamic outputs."""
        self.foreign = True
        return self._as_planned(read_header(self.store, self.run.pipeline, step, self.run_of(step), size))

    def _as_planned(self, commit: Commit | None) -> Commit | None:
        """A result of this run has the types that the plan says, which is the one it was made by. Raises
        MistypedIntermediate; what a reused run has was looked at by Start run, and is decoded as what it is."""
        if commit is not None and commit.run == self.run.id:
            name = label(commit.step, commit.item)
            for out in commit.outputs:
                self._check_type(
                    commit.step, name, out, keys.commit(commit.pipeline, commit.step, commit.run, commit.item)
                )
        return commit

    def _check_type(self, step: str, producer: str, out: CommittedOutput, key: str) -> None:
        for planned in self.loaded.steps[step].outputs:
            if planned.name == out.name and planned.type != out.type and not planned.nothing:
                from solidstate.handler.integrity import mistyped

                raise mistyped(out, OutputRef(step, out.name), producer, planned.type, key)

    def open_fs(self) -> Any:
        """One file system for the solid, its resources and hooks, made when the first asks."""
        if self._fs is None:
            self._fs = self.runtime.open_fs()
        return self._fs

    def run_tags(self) -> dict[str, str]:
        """Of the run record: they are rarely asked for, so they do not travel with every step."""
        if self._run_tags is None:
            key = keys.run_record(self.run.pipeline, self.run.id)
            self._run_tags = decode_run_record(self.store.get(key), key).tags
        return self._run_tags

    def stack(self, allowed: tuple[str, ...]) -> ResourceStack:
        """What opens the resources that the solid, or a hook, has declared."""
        mode = self.loaded.definition.mode(self.run.mode)
        return ResourceStack(mode, allowed, self._configs(), self.recorder, self.log, self)

    def _configs(self) -> dict[str, Any]:
        configs: dict[str, Any] = (self.run.request or {}).get("resources", {})
        return configs

    def context(self, config: Any, stack: ResourceStack) -> StepContext:
        """What the solid is given as its ``context``."""
        return StepContext(
            run_id=self.run.id,
            pipeline=self.run.pipeline,
            step_key=self.step.name,
            item=self.item or None,
            attempt=self.number,
            config=config,
            resources=Resources(stack),
            recorder=self.recorder,
            log=self.log,
            remaining_time=lambda: self.invocation.get_remaining_time_in_millis() / 1000,
            open_fs=self.open_fs,
            tags=self.step.tags,
            read_run_tags=self.run_tags,
        )

    def _asked_again(self, repeat: Repeat) -> bytes | None:
        """Put on record that the store is asked again, in the commit itself when it is that which is written."""
        facts = msgspec.structs.asdict(repeat)
        self.tell(self.recorder.emit(StorageRetry, **facts))
        return self.committing() if self.committing is not None else None

    def tell(self, event: AnyEvent) -> None:
        """Write an event of the step's life to the log, where there is one."""
        if self.sink is not None:
            tell(self.sink, event, self.recorder.events)

    def store_events(self, begin: int = 0) -> None:
        """Put on record what no commit holds: the events from number ``begin`` on."""
        key = keys.attempt(self.run.pipeline, self.step.name, self.run.id, self.attempt_id, self.item)
        self.store.put(key, self.recorder.encoded(begin))
        self._unwatch()  # nothing is left to be told before its time

    def store_last_events(self) -> None:
        """The same after the store did not answer: asked once, and only where it was asked more than once before. The
        success that could not be committed is none."""
        if not any(isinstance(event, StorageRetry) for event in self.recorder.events):
            return
        self._unwatch()
        self.store = attended(self.store, lambda: 0.0, lambda _: None)
        self.recorder.take_back(StepSuccess)
        with contextlib.suppress(StorageError):
            self.store_events()

    def watch(self) -> None:
        """From now on the attempt's events may be stored while it runs."""
        live = self.runtime.live
        if live is not None:
            live.watch(self)
            self._watched = True

    def _unwatch(self) -> None:
        if self._watched and self.runtime.live is not None:
            self._watched = False
            self.runtime.live.leave(self)

    def part_key(self, number: int) -> str:
        """Where part ``number`` of the events goes while the attempt runs."""
        of = self.run
        return keys.attempt_part(of.pipeline, self.step.name, of.id, self.attempt_id, number, self.item)
