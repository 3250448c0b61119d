"""Follow an execution while it runs: its events are told as they come in, to whoever watches a local run, too.

Two sources, asked again and again: Step Functions says which attempts have begun and ended, and S3 has what an attempt
recorded: in parts while it runs, all of it once it has ended. Items of a distributed Map have executions of their own,
by the thousand; their commits are listed instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from solidstate.errors import IntermediateError, MissingObject, RunNotFound, StorageError
from solidstate.events import AnyEvent, RunStart, StepStart
from solidstate.handler.recorder import Observer
from solidstate.handler.upstream import each
from solidstate.infra.execution_history import Invocation
from solidstate.infra.execution_watch import Watch
from solidstate.infra.executions import Execution, Executions
from solidstate.infra.lost_ends import Unit, attempt_start, unit_events
from solidstate.infra.run_facts import run_start
from solidstate.planner.plan import ExecutionPlan, Step, decode_plan
from solidstate.storage import keys
from solidstate.storage.attempts import Tail
from solidstate.storage.history import items_so_far, record_of, step_events
from solidstate.storage.records import RunRecord
from solidstate.storage.store import ObjectStore

QUICK_S, SLOW_S = 0.5, 2.0
"""Pauses between two looks: short ones first, for runs that are over soon; two requests a look."""
QUICK_LOOKS = 20
WORKERS = 16
MAX_TAILS = 64
"""Running steps, or items, that are looked at in one look; where more run, the others have their turn at the next."""
_FIRST_PART_S = 1.0
"""No attempt stores a part before."""


def pauses() -> Iterable[float]:
    """How long to wait before each further look."""
    for _ in range(QUICK_LOOKS):
        yield QUICK_S
    while True:
        yield SLOW_S


class Follower:
    """Tells ``observer`` what happens in one execution of ``pipeline``."""

    def __init__(
        self, executions: Executions, store: ObjectStore, pipeline: str, run: str, arn: str, observer: Observer
    ) -> None:
        self._executions = executions
        self._store = store
        self._pipeline = pipeline
        self._run = run
        self._arn = arn
        self._observer = observer
        self._watch = Watch(executions, arn)
        self._record: RunRecord | None = None
        self._steps: dict[str, Step] = {}
        self._attempts: dict[Unit, list[Invocation]] = {}
        self._told: set[tuple[str, str, int, int]] = set()
        self._maps = (0, 0)
        self._items: set[Unit] = set()
        self._tail = Tail(store, pipeline, run)
        self._since: dict[Unit, float] = {}  # by the clock of this machine
        self._turn = 0

    def follow(self, waits: Iterable[float] | None = None, sleep: Callable[[float], None] = time.sleep) -> Execution:
        """Until the execution has ended; gives how. KeyboardInterrupt comes through and leaves the execution alone."""
        for pause in waits if waits is not None else pauses():
            execution = self._executions.describe(self._arn)
            self._look()
            if not execution.running:
                return execution
            sleep(pause)
        return self._executions.describe(self._arn)

    def _look(self) -> None:
        try:
            changed = self._watch.poll()
        except RunNotFound:  # just started: the history is not there yet
            return
        units: dict[Unit, None] = {}
        for invocation in changed:
            if invocation.kind == "step":
                unit = (invocation.step, invocation.item)
                known = self._attempts.setdefault(unit, [])
                if all(one is not invocation for one in known):
                    known.append(invocation)
                units[unit] = None
        record = self._begun()
        if record is None:
            return
        maps = self._watch.maps
        if maps[1] or maps != self._maps:  # once more when the last one is over
            units.update(dict.fromkeys(self._fresh_items()))
        self._maps = maps
        self._tell_of(list(units), record)
        for events in each(self._parts, self._running(), WORKERS):
            for event in events:
                self._tell(event)

    def _begun(self) -> RunRecord | None:
        """The record, once the gate has let the run in, which is then told first."""
        if self._record is None:
            try:
                record = record_of(self._store, self._pipeline, self._run)
                if record.execution != self._arn:  # the gate will refuse this one: the name is taken
                    return None
                plan = self._plan(record)
            except MissingObject:
                return None
            self._record, self._steps = record, {step.name: step for step in plan.steps}
            selected = record.request.get("steps")
            self._tell(run_start(record, len(self._steps if selected is None else selected)))
        return self._record

    def _plan(self, record: RunRecord) -> ExecutionPlan:
        key = keys.plan(self._pipeline, record.plan)
        try:
            return decode_plan(self._store.get(key))
        except msgspec.MsgspecError as error:
            raise IntermediateError(f"The object `{key}` is not a plan: {error}.", subject=key) from error

    def _fresh_items(self) -> list[Unit]:
        """Items of mapped steps that have left something since the last look and are in no history that is read."""
        found = [
            (step.name, item)
            for step in self._steps.values()
            if step.map_over is not None
            for item in items_so_far(self._store, self._pipeline, step.name, self._run)
        ]
        fresh = [unit for unit in found if unit not in self._items and unit not in self._attempts]
        self._items.update(fresh)
        return fresh

    def _tell_of(self, units: list[Unit], record: RunRecord) -> None:
        for unit in units:
            for attempt in self._attempts.get(unit, []):
                self._tell(attempt_start(self._steps.get(unit[0]), attempt, record))
        ended = [unit for unit in units if self._has_news(unit)]
        for unit, recorded in zip(ended, each(self._recorded, ended, WORKERS), strict=True):
            step, attempts = self._steps.get(unit[0]), self._attempts.get(unit, [])
            # Whether an attempt that left no end is repeated is known a moment later than that it has failed.
            known = [one for one in attempts if one.followed or one.settled]
            for event in unit_events(step, recorded, known, record):
                self._tell(event)

    def _running(self) -> list[Unit]:
        """Those that may have stored a part, not too many of them."""
        now = time.monotonic()
        going = [unit for unit, known in self._attempts.items() if any(one.outcome == "running" for one in known)]
        found = [unit for unit in going if now - self._since.setdefault(unit, now) >= _FIRST_PART_S]
        if len(found) <= MAX_TAILS:
            return found
        begin = self._turn = (self._turn + MAX_TAILS) % len(found)
        return (found[begin:] + found[:begin])[:MAX_TAILS]

    def _parts(self, unit: Unit) -> list[AnyEvent]:
        try:
            return self._tail.news(*unit)
        except StorageError:  # told when the attempt has ended
            return []

    def _has_news(self, unit: Unit) -> bool:
        attempts = self._attempts.get(unit)
        return attempts is None or any(one.outcome in ("succeeded", "failed") for one in attempts)

    def _recorded(self, unit: Unit) -> list[AnyEvent]:
        try:
            return step_events(self._store, self._pipeline, unit[0], self._run, item=unit[1])
        except StorageError:  # told by the summary that follows
            return []

    def _tell(self, event: AnyEvent) -> None:
        number = 0 if isinstance(event, (RunStart, StepStart)) else event.seq
        identity = (event.step, event.item, event.attempt, number)
        if identity not in self._told:
            self._told.add(identity)
            self._observer(event)
