"""One invocation of the step function on the way to its handler: what faults see of it, and where they come in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from solidstate.infra.local_lambda import LambdaContext
from solidstate.storage import keys
from solidstate.storage.store import ObjectStore

Call = Callable[[LambdaContext], dict[str, Any]]
"""Run the invocation's event with this context."""


class Invocation(msgspec.Struct, frozen=True):
    """Whose: ``step`` and ``item`` of a step's attempt, both empty of Start run, End run and what is between steps."""

    event: dict[str, Any]
    pipeline: str
    run: str
    step: str = ""
    item: str = ""

    @property
    def commit_key(self) -> str:
        """Of the step's result; empty where there is no step."""
        return keys.commit(self.pipeline, self.step, self.run, self.item) if self.step else ""


class FaultPoints(Protocol):
    """A fault, where it can strike."""

    def around(self, invocation: Invocation, call: Call) -> Call:
        """``call``, or one in its place that treats the invocation otherwise."""
        ...

    def store_of(self, invocation: Invocation, store: ObjectStore) -> ObjectStore:
        """``store``, or one in its place that treats this invocation otherwise."""
        ...


def invocation_of(event: dict[str, Any], pipeline: str) -> Invocation:
    """What an event is about."""
    if event["kind"] == "start":
        return Invocation(event, pipeline, keys.run_id_from(event["name"]))
    run = event["run"]["id"]
    if event["kind"] != "step":
        return Invocation(event, pipeline, run)
    return Invocation(event, pipeline, run, event["step"], event.get("item") or "")


def faulty(
    invocation: Invocation,
    faults: Sequence[FaultPoints],
    store: ObjectStore,
    run_with: Callable[[ObjectStore, LambdaContext], dict[str, Any]],
) -> Call:
    """How the invocation runs under ``faults``, of which the first is outermost. ``run_with`` runs it on a store; each
    delivery has one of its own."""

    def deliver(context: LambdaContext) -> dict[str, Any]:
        seen = store
        for fault in faults:
            seen = fault.store_of(invocation, seen)
        return run_with(seen, context)

    call: Call = deliver
    for fault in reversed(faults):
        call = fault.around(invocation, call)
    return call
