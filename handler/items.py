"""Which items a dynamic output has: what a Map state runs over, what End run looks for, what a reused run must hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from solidstate.errors import MissingObject
from solidstate.handler.committed import label, own_commit, read_commit
from solidstate.handler.rendezvous import Meeting, parked_digest
from solidstate.handler.runtime import LoadedPipeline, Runtime, complete_handle, loaded_for
from solidstate.planner.contract import ItemEntry, ItemsPayload, MapItem, RunHandle
from solidstate.planner.plan import OutputRef, Step
from solidstate.storage import keys
from solidstate.storage.commits import Commit, decode_commit, item_lines
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


def items_in(store: ObjectStore, pipeline: str, over: OutputRef, run: str) -> list[MapItem]:
    """The items in the order they were yielded, each with where it stands. None of an output that is withheld, or where
    there is no commit."""
    key = keys.commit(pipeline, over.step, run)
    try:
        body = store.get(key)
    except MissingObject:
        return []
    commit = own_commit(decode_commit(body, key), key, pipeline, over.step, run)
    if over.output in commit.withheld:
        return []
    head, lines = item_lines(body)
    items = [out for out in commit.outputs if out.item]
    return [
        MapItem(out.item, ItemEntry(at, size, head))
        for out, (at, size) in zip(items, lines, strict=True)
        if out.name == over.output
    ]


def answer_items(runtime: Runtime, payload: ItemsPayload) -> dict[str, Any]:
    """``{"items": [MapItem, ...]}``, or where such a list was written; with a token it is answered so too. A producer
    that failed, was skipped or is not selected has no items: the steps mapped over it are then reported by End run, not
    run one by one."""
    loaded = loaded_for(runtime, payload.run, payload.step, *payload.steps)
    run = complete_handle(runtime, payload.run)
    meeting = Meeting(runtime, run)
    if payload.woken:
        meeting.check_woken(payload.steps[0])
    elif payload.token is not None and meeting.first_missing(payload.waits) is not None:
        meeting.park(payload.steps[0], payload.token, payload.waits)
        return msgspec.to_builtins(parked_digest(payload.steps[0], payload.waits))  # type: ignore[no-any-return]
    answer = _answer(runtime, loaded, msgspec.structs.replace(payload, run=run))
    if payload.token is not None:
        meeting.answer(payload.token, answer)
    return answer


def _answer(runtime: Runtime, loaded: LoadedPipeline, payload: ItemsPayload) -> dict[str, Any]:
    found = items_to_run(runtime, loaded, payload.run, OutputRef(payload.step, payload.output), payload.steps)
    if not payload.listed:
        return {"items": msgspec.to_builtins(found)}
    key = keys.item_list(loaded.definition.name, payload.steps[0], payload.run.id, payload.output)
    runtime.store.put(key, msgspec.json.encode(found))
    bucket, whole = located(runtime.store, key)
    return {"bucket": bucket, "key": whole, "count": len(found)}


def items_to_run(
    runtime: Runtime, loaded: LoadedPipeline, handle: RunHandle, over: OutputRef, steps: Iterable[str]
) -> list[MapItem]:
    """The items to run mapped ``steps`` for: none when none of them is selected."""
    run = complete_handle(runtime, handle)
    if not any_selected(run, steps):
        return []
    reused = run.from_run if run.steps is not None and over.step not in run.steps else None
    return items_in(runtime.store, loaded.definition.name, over, reused or run.id)


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
