"""A compiled pipeline, run in thought: how long it takes, what it costs, and whether it does what its plan says.

Interprets the emitted definitions themselves, as the service would, against assumed latencies and given durations.
Nothing of it is random unless a source of chance is handed in. Users meet it as the estimated makespan of
``solidstate plan --explain``.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from solidstate.planner.plan import ExecutionPlan, OutputRef
from solidstate.planner.simulated_data import SimulationError
from solidstate.planner.simulated_machine import Interpreter
from solidstate.planner.simulated_steps import Behaviour, SimulatedSteps
from solidstate.planner.simulated_time import Agenda, Chance, Latencies


class Simulation(msgspec.Struct, frozen=True):
    """What a run would be like. Steps are named as in the plan, one item of a mapped step as ``step[item]``.

    ``makespan_s`` is the whole execution. ``begun_s`` is when Start run had answered and ``ended_s`` when End run was
    gone on to: what lies between is what the nesting answers for. ``parked`` are the steps that had to be woken,
    ``histories`` the events of each execution, the pipeline's own first, ``peak`` the most functions at a time.
    """

    succeeded: bool
    makespan_s: float
    begun_s: float
    ended_s: float
    transitions: int
    invocations: int
    peak: int
    parked: tuple[str, ...]
    histories: tuple[tuple[str, int], ...]
    starts: dict[str, float]
    ends: dict[str, float]
    done: frozenset[str]
    failed: frozenset[str]
    skipped: frozenset[str]


def simulate(
    plan: ExecutionPlan,
    definition: bytes,
    parts: Mapping[str, bytes] | None = None,
    seconds: Mapping[str, float] | None = None,
    *,
    latencies: Latencies | None = None,
    behaviours: Mapping[str, Behaviour] | None = None,
    items: Mapping[OutputRef, int] | None = None,
    cap: int | None = None,
    chance: Chance | None = None,
) -> Simulation:
    """Run ``definition``, which starts ``parts`` by their names, in thought.

    ``seconds`` says how long the steps take, by label or step; what it leaves out takes one second. ``items`` says how
    many items dynamic outputs have, ten where it does not. ``cap`` bounds how many functions run at a time. Raises
    :class:`SimulationError` when a step would begin before its inputs ended or twice, when the run would end without
    it or never, when a branch would fail, and for what only other compilers write.
    """
    agenda = Agenda(latencies or Latencies(), cap, chance)
    steps = SimulatedSteps(plan, agenda, seconds or {}, behaviours or {}, items or {})
    machines = {name: msgspec.json.decode(body) for name, body in (parts or {}).items()}
    interpreter = Interpreter(agenda, steps, machines)
    end = interpreter.run(plan.pipeline, msgspec.json.decode(definition))
    if end is None:
        raise SimulationError(f"The run would never end: {steps.stuck()}.", subject=plan.pipeline)
    return Simulation(
        succeeded=end.succeeded,
        makespan_s=end.at_s,
        begun_s=steps.begun,
        ended_s=interpreter.last_entered,
        transitions=interpreter.transitions,
        invocations=agenda.calls,
        peak=agenda.peak,
        parked=tuple(steps.parked),
        histories=tuple((execution.name, execution.events) for execution in interpreter.executions),
        starts=steps.starts,
        ends=steps.ends,
        done=steps.ended_as("done"),
        failed=steps.ended_as("failed"),
        skipped=steps.ended_as("skipped"),
    )
