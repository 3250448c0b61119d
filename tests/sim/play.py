"""One seed: which pipeline, what goes wrong, and whether all holds in the end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from solidstate.handler.end import close
from solidstate.handler.runtime import Runtime
from solidstate.planner.contract import RunHandle
from solidstate.storage import keys
from solidstate.storage.records import RunStatus
from tests.sim import faults as fault
from tests.sim.choices import Choices
from tests.sim.faults import Profile, profile_of
from tests.sim.invariants import Check, standing
from tests.sim.pipelines import Case, small_ones
from tests.sim.world import NeverEnds, World

MOST_REDRIVES = 2
REUSED = 0.2
"""How many runs are followed by one that reuses a part of them."""


class Played(msgspec.Struct):
    """What came of a seed. ``decisions`` make it happen again."""

    seed: int
    pipeline: str
    problems: list[str]
    decisions: list[int]
    injected: dict[str, int]
    figures: dict[str, int]
    trace: list[str]


def play(seed: int, script: Sequence[int] | None = None, *, trace: bool = False) -> Played:
    """One run of one of the small pipelines, now and then with a second one that reuses a part of it. ``script`` takes
    the place of the decisions that the seed would make."""
    chance = random.Random(seed)
    case = chance.choice(small_ones())
    profile = profile_of(chance)
    again = chance.choice(case.loaded.plan.steps).name if chance.random() < REUSED else ""
    return simulate(case, Choices(seed, script), profile, seed, again=again, trace=trace)


def simulate(
    case: Case, choices: Choices, profile: Profile, seed: int = 0, *, again: str = "", trace: bool = False
) -> Played:
    """``again``: the step from which on a second run computes everything anew."""
    world = World(case, choices, profile, trace=trace)
    worlds, run = [world], f"r{seed}"
    try:
        problems = run_through(world, run, {})
        if again and not problems and world.execution.status == "SUCCEEDED":
            worlds.append(World(case, choices, profile, store=world.store, trace=trace))
            problems = run_through(worlds[1], f"{run}-again", {"steps": f"{again}*", "from_run": run}, again)
    except NeverEnds:
        problems = ["the run never ends"]
    return Played(
        seed,
        case.name,
        problems,
        choices.made,
        dict(sum((one.injected for one in worlds), Counter[str]())),
        dict(sum((_figures(one) for one in worlds), _left(world))),
        [line for one in worlds for line in one.trace or []],
    )


def _figures(world: World) -> Counter[str]:
    return Counter(
        {
            "runs": 1,
            "operations": world.turns,
            "invocations": world.invocations,
            "bodies": world.bodies.total(),
            f"executions {world.execution.status.lower()}": 1,
        }
    )


def _left(world: World) -> Counter[str]:
    kept = Counter(key.split("/")[1] for key in world.store.born)
    named = {"commits": "commits", "attempts beside a commit": "attempts", "tokens parked": "parked"}
    told = [key for key in world.store.born if key.endswith("/events.ndjson")]
    begun = sum(key.endswith("/run.json") for key in world.store.born)
    ended = sum(_has_ended(world.store.objects.get(key)) for key in told)
    told_of = {"runs begun": begun, "runs ended with a terminal event": ended}
    return Counter({name: kept[kind] for name, kind in named.items()} | told_of)


def _has_ended(events: bytes) -> bool:
    kinds = [line.split(b'"')[3] for line in events.splitlines()]
    return sum(kind in (b"run_success", b"run_failure") for kind in kinds) == 1


def run_through(world: World, run: str, request: dict[str, Any], again: str = "") -> list[str]:
    """Start an execution, and redrive it as long as that is decided; then close what nothing has closed."""
    execution = world.execution
    execution.start(run, request)
    world.run()
    problems = standing(world)
    redrives = 0
    while not problems and execution.status != "SUCCEEDED" and redrives < MOST_REDRIVES and _redriven(world):
        redrives += 1
        world.injected[fault.REDRIVE] += 1
        if world.choices.pick(2) == 1:
            reconcile(world, run)
        execution.redrive()
        world.run()
        problems = standing(world)
    reconcile(world, run)
    selected = world.case.after(again) if again else None
    return problems + Check(world, run, selected, str(request.get("from_run", ""))).problems()


def _redriven(world: World) -> bool:
    return world.profile.most > 0 and world.choices.pick(2) == 1


def reconcile(world: World, run: str) -> None:
    """What whoever looks after runs does for one whose execution ended without End run: the end is put on record."""
    case, store = world.case, world.store
    if keys.run_record(case.name, run) not in store.born or world.execution.status == "SUCCEEDED":
        return
    told = keys.run_summary(case.name, run), keys.run_events(case.name, run)
    if all(store.writers.get(key) for key in told):
        return
    ended: RunStatus = "cancelled" if world.execution.status == "ABORTED" else "failed"
    handle = RunHandle(run, "default", pipeline=case.name, plan=case.loaded.hash, request={})
    runtime = Runtime([case.loaded], store.objects, engine="simulated", open_fs=lambda: None, fetch_workers=1)
    close(runtime, case.loaded, handle, ended)
    world.reconciled_at = store.clock
    for key in told:
        store.born.setdefault(key, store.clock)
        store.writers[key] = 0
