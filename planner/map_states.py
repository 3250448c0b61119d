"""The states of steps that are mapped over the items of a dynamic output: one Task that tells which items there are,
and a Map that runs the steps for each.

Steps elsewhere that have a rendezvous with the region as a whole are woken by a Task behind the Map; the region is
known to them by the name of its first step.
"""

from __future__ import annotations

from typing import Any

import msgspec

from solidstate.errors import name_list
from solidstate.planner.limits import MAX_LAMBDA_TIMEOUT_S, TIMEOUT_MARGIN_S
from solidstate.planner.regions import Region
from solidstate.planner.retries import SERVICE
from solidstate.planner.states import (
    STATES_ALL,
    Catcher,
    ItemProcessor,
    ItemReader,
    Map,
    ProcessorConfig,
    Succeed,
    Task,
)
from solidstate.planner.step_states import (
    RESULT,
    Meeting,
    Scope,
    Way,
    also_waits,
    callback,
    comment_of,
    ended_task,
    few,
)

MAP_CONCURRENCY = 40
"""Iterations of an inline Map that run at a time: what the service does at most (developer guide, "Map state")."""
DISTRIBUTED_CONCURRENCY = 200
"""Child executions at a time. 1,000 is the default quota of concurrent Lambda invocations of an account."""


class RegionNames(msgspec.Struct, frozen=True):
    """The states of a region. ``woken`` is needed when it waits, ``ended`` when others wait for it, ``failed`` when it
    is the last of a branch and nobody does."""

    read: str
    each: str
    woken: str = ""
    ended: str = ""
    failed: str = ""


def region_states(region: Region, names: RegionNames, meeting: Meeting, way: Way, inside: tuple[str, Scope]) -> Scope:
    """All states of a region; ``inside`` is what is done for one item: where it starts, and its states."""
    each_way = Way(names.ended) if names.ended else Way(way.following)
    failed = names.ended or names.failed or way.following or ""
    catch = Catcher(error_equals=(STATES_ALL,), result_path=RESULT, next=failed)
    states = _readers(region, names, meeting, catch)
    states[names.each] = _map(region, each_way, catch, inside)
    if names.ended:
        note = f"{names.each} has ended: wakes {few(meeting.wakes)}"
        states[names.ended] = ended_task(region.steps[0].name, meeting.wakes, note, way, item=False)
    elif names.failed:
        states[names.failed] = Succeed(output_path=None)
    return states


def _readers(region: Region, names: RegionNames, meeting: Meeting, catch: Catcher) -> Scope:
    steps = [step.name for step in region.steps]
    comment = f"Which items {name_list(steps, limit=4)} {'are' if len(steps) > 1 else 'is'} to be run for"
    payload: dict[str, Any] = {
        "kind": "items",
        "step": region.over.step,
        "output": region.over.output,
        "steps": steps,
        "run.$": "$.run",
    }
    if region.listed:
        payload["listed"] = True
    states: Scope = {}
    if meeting.waits:
        waiting = payload | {"token.$": "$$.Task.Token", "waits": list(meeting.waits)}
        told = comment_of(f"{comment}; {also_waits(meeting.waits)}")
        waiter = callback(waiting, told, (SERVICE,), names.woken, Way(names.each))
        states[names.read] = msgspec.structs.replace(waiter, catch=(*waiter.catch, catch))
        payload["woken"] = True
    states[names.woken if meeting.waits else names.read] = Task(
        comment=comment_of(comment),
        parameters=payload,
        timeout_seconds=MAX_LAMBDA_TIMEOUT_S + TIMEOUT_MARGIN_S,
        result_path=RESULT,
        retry=(SERVICE,),
        catch=(catch,),
        next=names.each,
    )
    return states


def _map(region: Region, way: Way, catch: Catcher, inside: tuple[str, Scope]) -> Map:
    entry, states = inside
    comment = comment_of(f"Each item of `{region.over.output}` of `{region.over.step}`")
    told = "$$.Map.Item.Value"
    selector = {"run.$": "$.run", "item.$": f"{told}.key", "entry.$": f"{told}.entry"}
    onward = way.onward()
    if not region.listed:
        config = ProcessorConfig(mode="INLINE")
        return Map(
            comment=comment,
            items_path=f"{RESULT}.items",
            item_selector=selector,
            max_concurrency=MAP_CONCURRENCY,
            item_processor=ItemProcessor(processor_config=config, start_at=entry, states=states),
            result_path=None,
            **onward,
        )
    config = ProcessorConfig(mode="DISTRIBUTED", execution_type="STANDARD")
    reader = ItemReader(
        reader_config={"InputType": "JSON"},
        parameters={"Bucket.$": f"{RESULT}.bucket", "Key.$": f"{RESULT}.key"},
    )
    return Map(
        comment=comment,
        item_reader=reader,
        item_selector=selector,
        max_concurrency=DISTRIBUTED_CONCURRENCY,
        # An item that fails is caught inside; should its child execution break down, the others go on.
        tolerated_failure_count=region.max_items,
        item_processor=ItemProcessor(processor_config=config, start_at=entry, states=states),
        result_path=None,
        catch=(catch,),
        **onward,
    )
