"""Progress of a run whose steps run in other processes: told from what they leave in the store, as soon as they end."""

from __future__ import annotations

import threading
from typing import Any

import msgspec

from solidstate.errors import StorageError
from solidstate.events import AnyEvent, RunStart, StepStart
from solidstate.handler.recorder import Observer, Recorder, Scope
from solidstate.handler.reuse import reuse_of
from solidstate.handler.runtime import LoadedPipeline
from solidstate.planner.contract import Payload, StartPayload, StepPayload
from solidstate.storage.history import record_of, step_events
from solidstate.storage.store import ObjectStore


class Narration:
    """``before`` and ``after`` are for each invocation's event. A step's begin is told when it is invoked, the rest of
    its events when the invocation has ended."""

    def __init__(self, store: ObjectStore, loaded: LoadedPipeline, run: str, observer: Observer) -> None:
        self._store = store
        self._loaded = loaded
        self._run = run
        self._observer = observer
        self._told: set[tuple[str, str, int, int]] = set()
        self._lock = threading.Lock()

    def before(self, event: Any) -> None:
        payload = _payload(event)
        if isinstance(payload, StepPayload) and payload.step in self._loaded.steps:
            scope = Scope(
                run=self._run,
                pipeline=self._loaded.definition.name,
                step=payload.step,
                attempt=payload.retry + 1,
                item=payload.item or "",
            )
            Recorder(scope, self._observer).emit(StepStart, solid=self._loaded.steps[payload.step].solid)

    def after(self, event: Any) -> None:
        payload = _payload(event)
        try:
            if isinstance(payload, StartPayload):
                self._tell_start()
            elif isinstance(payload, StepPayload):
                name = self._loaded.definition.name
                self._tell(step_events(self._store, name, payload.step, self._run, item=payload.item or ""))
        except StorageError:  # nothing was left, or the run has been stopped; the summary will say what there is
            pass

    def _tell_start(self) -> None:
        record = record_of(self._store, self._loaded.definition.name, self._run)
        reuse = reuse_of(self._loaded, record.request.get("steps"), record.request.get("from_run"))
        scope = Scope(run=self._run, pipeline=record.pipeline, execution=record.execution)
        Recorder(scope, self._observer).emit(
            RunStart,
            mode=record.mode,
            plan=record.plan,
            steps=len(reuse.compute),
            preset=record.preset,
            tags=record.tags,
            from_run=reuse.from_run,
            reused=reuse.reuse,
        )

    def _tell(self, events: list[AnyEvent]) -> None:
        with self._lock:
            fresh = [event for event in events if _identity(event) not in self._told]
            self._told.update(_identity(event) for event in fresh)
        for event in fresh:
            if not isinstance(event, StepStart):
                self._observer(event)


def _payload(event: Any) -> Any:
    try:
        return msgspec.convert(event, Payload)
    except msgspec.ValidationError:
        return None


def _identity(event: AnyEvent) -> tuple[str, str, int, int]:
    return event.step, event.item, event.attempt, event.seq
