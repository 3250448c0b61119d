"""Plans for simulations, how to run one, and what every run must come to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from solidstate.planner.compile import Compiled, compile_plan
from solidstate.planner.plan import ExecutionPlan, OutputRef, Retry, Step, StepInput, StepOutput
from solidstate.planner.simulate import Simulation, simulate
from solidstate.planner.simulated_time import Latencies

NO_TIME = Latencies(transition_s=0, invocation_s=0, wake_s=0, skip_s=0, nested_start_s=0, nested_end_s=0)
"""Nothing takes time but the work itself."""


def step(name: str, *upstream: str, optional: bool = False, retry: Retry | None = None) -> Step:
    """A step with one input per upstream step."""
    inputs = tuple(StepInput(f"in_{up}", "output", (OutputRef(up, "result"),)) for up in upstream)
    return Step(name, name, inputs=inputs, outputs=(StepOutput("result", optional=optional),), retry=retry)


def plan_of(*steps: Step) -> ExecutionPlan:
    return ExecutionPlan("demo", steps)


N_SHAPE = plan_of(step("a"), step("b"), step("c", "a"), step("d", "a", "b"))
"""The smallest graph that no nesting orders exactly."""

MAPPED = plan_of(
    Step("make", "make", outputs=(StepOutput("items", dynamic=True, max_items=4), StepOutput("count"))),
    step("side"),
    Step(
        "work",
        "work",
        inputs=(StepInput("x", "item", (OutputRef("make", "items"),)),),
        outputs=(StepOutput("result"),),
        map_over=OutputRef("make", "items"),
    ),
    Step("sum", "sum", inputs=(StepInput("all", "collect", (OutputRef("work", "result"),)),), outputs=()),
    Step(
        "join",
        "join",
        inputs=(
            StepInput("side", "output", (OutputRef("side", "result"),)),
            StepInput("all", "collect", (OutputRef("work", "result"),)),
        ),
        outputs=(),
    ),
    step("after", "side"),
)
"""An N of a region and a step: `join` needs both, `sum` the one, `after` the other."""


def run(plan: ExecutionPlan, compiled: Compiled | None = None, **more: Any) -> Simulation:
    """A simulation of the compiled plan."""
    made = compiled or compile_plan(plan)
    return simulate(plan, made.definition, {part.name: part.definition for part in made.parts}, **more)


def decoded(plan: ExecutionPlan, seconds: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The definition of a plan, to plant a fault in."""
    definition: dict[str, Any] = json.loads(compile_plan(plan, seconds).definition)
    return definition


def encoded(definition: dict[str, Any]) -> Compiled:
    return Compiled(json.dumps(definition).encode())


def scope_of(definition: dict[str, Any], state: str) -> dict[str, Any]:
    """The states among which one of that name is."""
    todo = [definition]
    while todo:
        states: dict[str, Any] = todo.pop()["States"]
        if state in states:
            return states
        for one in states.values():
            todo.extend(one.get("Branches", ()))
            todo.extend([one["ItemProcessor"]] if "ItemProcessor" in one else [])
    raise KeyError(state)


@st.composite
def plain_plans(draw: st.DrawFn, most: int = 12) -> ExecutionPlan:
    """Any small plan of plain steps; some outputs are optional."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, most))):
        known = [known.name for known in steps]
        upstream = draw(st.lists(st.sampled_from(known), unique=True, max_size=3)) if known else []
        steps.append(step(f"s{number}", *upstream, optional=draw(st.booleans())))
    return plan_of(*steps)


def durations(plan: ExecutionPlan) -> st.SearchStrategy[dict[str, float]]:
    """Whole seconds, so that sums are exact."""
    return st.fixed_dictionaries({one.name: st.integers(0, 9).map(float) for one in plan.steps})


def held_up(plan: ExecutionPlan, found: Simulation) -> list[str]:
    """The plain steps that began later than their inputs had ended, of a run in which nothing else takes time."""
    late = []
    for one in plan.steps:
        ready = max((found.ends[upstream] for upstream in one.upstream()), default=0.0)
        if found.starts.get(one.name, ready) != ready:
            late.append(one.name)
    return late


def outcome(found: Simulation) -> dict[str, str]:
    """How every step and item ended."""
    return {name: how for how in ("done", "failed", "skipped") for name in sorted(getattr(found, how))}
