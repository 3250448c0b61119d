"""A plan explained, as data: what each step waits for and why, and what a run is expected to take, use and cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from solidstate.planner import prices
from solidstate.planner.costs import Cost, Counts, cost_of, counts_of
from solidstate.planner.critical_path import critical_path
from solidstate.planner.estimates import Estimates
from solidstate.planner.history import history_events
from solidstate.planner.limits import MAX_DEFINITION_BYTES, MAX_HISTORY_EVENTS
from solidstate.planner.nest import Nest
from solidstate.planner.placement import Fork, Place, places
from solidstate.planner.plan import ExecutionPlan, Step
from solidstate.planner.reasons import Expected, Rendezvous, meetings_of
from solidstate.planner.simulate import Simulation, simulate
from solidstate.planner.states import deployed_bytes


class StepFacts(msgspec.Struct, frozen=True):
    """One step. ``inputs``: the upstream steps with the inputs they feed. ``after``: the steps the nesting places right
    before it. ``waits``: those it has a rendezvous with. ``machine``: the nested execution it runs in, if any. Times in
    seconds, of a mapped step for all items."""

    step: str
    inputs: dict[str, list[str]]
    after: list[str]
    waits: list[str]
    for_each: str
    machine: str
    seconds: float


class Machine(msgspec.Struct, frozen=True):
    """One state machine, the pipeline's own under its name: its definition in bytes, ARNs at their full length, and the
    events of one execution, expected and at worst (all retries used, all waits parked)."""

    name: str
    definition_bytes: int
    events: int
    events_at_worst: int


class Explanation(msgspec.Struct, frozen=True):
    """Everything ``plan --explain`` tells."""

    pipeline: str
    description: str
    steps: list[StepFacts]
    rendezvous: list[Rendezvous]
    forks: list[Fork]
    machines: list[Machine]
    makespan_s: float
    critical_path_s: float
    critical_path: list[str]
    transitions: int
    states: dict[str, int]
    invocations: int
    s3_requests: dict[str, int]
    gb_seconds: float
    dollars: dict[str, float]
    dollars_a_million_steps: float
    estimates: Estimates
    prices: list[prices.Price]
    limits: dict[str, int]


def explained(plan: ExecutionPlan, nest: Nest, definitions: Mapping[str, bytes], estimates: Estimates) -> Explanation:
    """Explain ``plan``. ``definitions`` has the pipeline's machine under the empty name and its parts under theirs."""
    run = _simulated(plan, definitions, estimates)
    placed = list(places(nest))
    counts = counts_of(definitions, plan, estimates, run.parked)
    cost = cost_of(counts)
    floor = critical_path(plan, estimates.seconds)
    steps = {step.name: step for step in plan.steps}
    found = {place.step: place for place in placed if isinstance(place, Place)}
    of_step = {name: found.get(name, Place(name)) for name in steps}
    mapped = [name for name, step in steps.items() if step.map_over is not None]
    return Explanation(
        pipeline=plan.pipeline,
        description=plan.description,
        steps=[_step_facts(step, of_step[step.name], estimates) for step in plan.steps],
        rendezvous=meetings_of(of_step.values(), mapped, _expected(run)),
        forks=[place for place in placed if isinstance(place, Fork)],
        machines=_machines(plan, definitions, counts),
        makespan_s=round(run.makespan_s, 3),
        critical_path_s=round(floor.seconds, 3),
        critical_path=list(floor.steps),
        transitions=counts.transitions,
        states=counts.states,
        invocations=counts.invocations,
        s3_requests={"GET": counts.gets, "PUT": counts.puts},
        gb_seconds=round(counts.gb_seconds, 3),
        dollars=_dollars(cost),
        dollars_a_million_steps=round(cost.total / max(1, _runs(steps, estimates)) * 1_000_000, 2),
        estimates=estimates,
        prices=list(prices.PRICES),
        limits={"definition_bytes": MAX_DEFINITION_BYTES, "events": MAX_HISTORY_EVENTS},
    )


def _runs(steps: Mapping[str, Step], estimates: Estimates) -> int:
    """How many steps a run has, a mapped one counted for each item."""
    return sum(estimates.items.get(name, 1) for name in steps)


def _simulated(plan: ExecutionPlan, definitions: Mapping[str, bytes], estimates: Estimates) -> Simulation:
    """A run by the estimates, a mapped step's items all alike."""
    parts = {name: body for name, body in definitions.items() if name}
    seconds = {
        name: work / max(1, estimates.items[name]) if name in estimates.items else estimates.seconds[name]
        for name, work in estimates.work.items()
    }
    items = {step.map_over: estimates.items[step.name] for step in plan.steps if step.map_over is not None}
    return simulate(plan, definitions[""], parts, seconds, items=items)


def _expected(run: Simulation) -> Expected:
    """When steps end and who parks, items of mapped steps taken together."""
    ends: dict[str, float] = {}
    for label, end in run.ends.items():
        name = label.partition("[")[0]
        ends[name] = max(end, ends.get(name, 0.0))
    return Expected(ends, frozenset(label.partition("[")[0] for label in run.parked))


def _step_facts(step: Step, place: Place, estimates: Estimates) -> StepFacts:
    inputs: dict[str, list[str]] = {}
    for inp in step.inputs:
        for ref in inp.sources:
            names = inputs.setdefault(ref.step, [])
            if inp.name not in names:
                names.append(inp.name)
    over = f"{step.map_over.step}.{step.map_over.output}" if step.map_over is not None else ""
    seconds = round(estimates.seconds[step.name], 6)
    return StepFacts(step.name, inputs, list(place.after), list(place.waits), over, place.machine, seconds)


def _machines(plan: ExecutionPlan, definitions: Mapping[str, bytes], counts: Counts) -> list[Machine]:
    return [
        Machine(name or plan.pipeline, deployed_bytes(body), counts.events.get(name, 0), history_events(body, plan))
        for name, body in definitions.items()
    ]


def _dollars(cost: Cost) -> dict[str, float]:
    told: dict[str, Any] = msgspec.structs.asdict(cost)
    return {name: round(value, 9) for name, value in {**told, "total": cost.total}.items()}
