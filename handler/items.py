"""Which items a dynamic output has: what a Map state runs over, what End run looks for, what a reused run must hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from solidstate.handler.rendezvous import Meeting, parked_digest, waited_for
from solidstate.handler.runtime import LoadedPipeline, Runtime, complete_handle, loaded_for
from solidstate.handler.upstream import label, read_commit
from solidstate.planner.contract import ItemsPayload, RunHandle
from solidstate.planner.plan import OutputRef, Step
from solidstate.storage import keys
from solidstate.storage.commits import Commit
from solidstate.storage.store import ObjectStore, located


def item_keys(store: ObjectStore, pipeline: str, over: OutputRef, runs: Iterable[str]) -> list[str] | None:
    """The keys in the order they were yielded, from the first of ``runs`` that has the producer's commit; none when it
    was skipped; None without a commit."""
    commit = producer_commit(store, pipeline, over, runs)
    return keys_in(commit, over) if commit is not None else None


def producer_commit(store: ObjectStore, pipeline: str, over: OutputRef, runs: Iterable[str]) -> Commit | None:
    """The commit that tells the items, from the first of ``runs`` that has it."""
    for run in dict.fromkeys(runs):
        commit = read_commit(store, pipeline, over.step, run)
        if commit is not None:
            return commit
    return None


def keys_in(commit: Commit, over: OutputRef) -> list[str]:
    """The items that a producer's commit has to give: none of an output that is withheld."""
    return [] if over.output in commit.withheld else list(commit.items(over.output))


def answer_items(runtime: Runtime, payload: ItemsPayload) -> dict[str, Any]:
    """``{"items": [key, ...]}``, or where such a list was written; with a token it is answered so too. A producer that
    failed, was skipped or is not selected has no items: the steps mapped over it are then reported by End run, not run
    one by one."""
    loaded = loaded_for(runtime, payload.run, f"Items of `{payload.step}`")
    run = complete_handle(runtime, payload.run)
    meeting = Meeting(runtime, run)
    if payload.woken:
        meeting.check_woken(payload.steps[0])
    elif payload.token is not None and any_selected(run, payload.steps):
        waits = waited_for(payload.waits, run, loaded.steps)
        if meeting.first_missing(waits) is not None:
            meeting.park(payload.steps[0], payload.token, waits)
            return msgspec.to_builtins(parked_digest(payload.steps[0], waits))  # type: ignore[no-any-return]
    answer = _answer(runtime, loaded, msgspec.structs.replace(payload, run=run))
    if payload.token is not None:
        meeting.answer(payload.token, answer)
    return answer


def _answer(runtime: Runtime, loaded: LoadedPipeline, payload: ItemsPayload) -> dict[str, Any]:
    found = keys_to_run(runtime, loaded, payload.run, OutputRef(payload.step, payload.output), payload.steps)
    if not payload.listed:
        return {"items": found}
    key = keys.item_list(loaded.definition.name, payload.step, payload.run.id, payload.output)
    runtime.store.put(key, msgspec.json.encode(found))
    bucket, whole = located(runtime.store, key)
    return {"bucket": bucket, "key": whole, "count": len(found)}


def keys_to_run(
    runtime: Runtime, loaded: LoadedPipeline, handle: RunHandle, over: OutputRef, steps: Iterable[str]
) -> list[str]:
    """The items to run mapped ``steps`` for: none when none of them is selected."""
    run = complete_handle(runtime, handle)
    if not any_selected(run, steps):
        return []
    reused = run.steps is not None and over.step not in run.steps and run.from_run is not None
    return (
        item_keys(runtime.store, loaded.definition.name, over, [run.from_run if reused and run.from_run else run.id])
        or []
    )


def any_selected(run: RunHandle, steps: Iterable[str]) -> bool:
    """Whether one of ``steps`` is to run."""
    return run.steps is None or not set(run.steps).isdisjoint(steps)


def lacking_results(store: ObjectStore, pipeline: str, step: Step, run: str) -> list[str]:
    """Of a step, or of the items of a mapped one, those that have no result in ``run``."""
    if step.map_over is None:
        return [] if store.exists(keys.commit(pipeline, step.name, run)) else [step.name]
    found = item_keys(store, pipeline, step.map_over, [run])
    if found is None:
        return [step.name]
    return [label(step.name, key) for key in found if not store.exists(keys.commit(pipeline, step.name, run, key))]
