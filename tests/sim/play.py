"""One seed: which pipeline, what goes wrong, and whether all holds in the end."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from solidstate.handler.end import close
from solidstate.handler.runtime import LoadedPipeline, Runtime
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


class Played(msgspec.Struct):
    """What came of a seed. ``decisions`` make it happen again."""

    seed: int
    pipeline: str
    problems: list[str]
    decisions: list[int]
    injected: dict[str, int]
    figures: dict[str, int]
    trace: list[str]


def play(seed: int, script: Sequence[int] | None = None, *, trace: bool = False, case: Case | None = None) -> Played:
    """One run of one pipeline. ``script`` takes the place of the decisions that the seed would make."""
    chance = random.Random(seed)
    chosen = chance.choice(small_ones())
    profile = profile_of(chance)
    return simulate(case or chosen, Choices(seed, script), profile, seed, trace=trace)


def simulate(case: Case, choices: Choices, profile: Profile, seed: int = 0, *, trace: bool = False) -> Played:
    world = World(case, choices, profile, trace=trace)
    run = f"r{seed}"
    try:
        problems = run_through(world, run)
    except NeverEnds:
        problems = ["the run never ends"]
    return Played(
        seed,
        case.name,
        problems,
        choices.made,
        dict(world.injected),
        {
            "runs": 1,
            "turns": world.turns,
            "invocations": world.invocations,
            "commits": sum(key.startswith("v1/commits/") for key in world.store.born),
            "orphan attempts": _orphans(world),
            world.execution.status.lower(): 1,
        },
        world.trace or [],
    )


def run_through(world: World, run: str) -> list[str]:
    """Start an execution, and redrive it as long as that is decided; then close what nothing has closed."""
    execution = world.execution
    execution.start(run, {})
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
    return problems + Check(world, run).problems()


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
    close_at_once(store.objects, case.loaded, handle, ended)
    world.reconciled_at = store.clock
    for key in told:
        store.born.setdefault(key, store.clock)
        store.writers[key] = 0


def close_at_once(objects: object, loaded: LoadedPipeline, handle: RunHandle, ended: RunStatus) -> None:
    runtime = Runtime([loaded], objects, engine="simulated", open_fs=lambda: None, fetch_workers=1)  # type: ignore[arg-type]
    close(runtime, loaded, handle, ended)


def _orphans(world: World) -> int:
    """Attempts that have left something beside the commits."""
    return sum(key.startswith("v1/attempts/") for key in world.store.born)
